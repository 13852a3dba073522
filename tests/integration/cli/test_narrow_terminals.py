"""Commands in terminals of 80 and 40 columns and in pipes: lines fit, and no key is ever cut."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from swarm.cli.app import app
from swarm.errors import MalformedInputError
from swarm.intake.stream.tick import ingest
from swarm.models import Reason
from swarm.sandbox import environment as sandbox_environment
from swarm.settings import QueueSettings
from swarm.store.database import Database
from swarm.store.postgres import PostgresStore
from swarm.store.postgres_queue import PostgresQueue

pytestmark = pytest.mark.integration

SECRET = "test-secret"


@pytest.fixture
def keys(
    tmp_path: Path, database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, ...]:
    """Thirty work orders, all escalated, of a sender with much to say."""
    monkeypatch.setenv("SWARM_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SWARM_KEY_SECRET", SECRET)
    for name, value in sandbox_environment(9).items():
        monkeypatch.setenv(name, value)
    (tmp_path / "intake").mkdir()
    stream = tmp_path / "intake" / "work_orders.jsonl"
    stream.write_text("".join(json.dumps(_line(number)) + "\n" for number in range(30)))
    accepted = ingest(database, stream, SECRET).accepted_keys
    queue, store = PostgresQueue(database, QueueSettings()), PostgresStore(database)
    for job in queue.request_due(50):
        fence = queue.open(job.work_order_key, f"run-{job.work_order_key}", job.attempt)
        reason = Reason(
            rule="ES-01",
            detail="money_dispute: an amount is disputed, and much is said about it at length",
            classes=("money_dispute", "human_requested", "vulnerable"),
        )
        assert store.escalate(fence, [reason])
    return accepted


def _line(number: int) -> dict[str, object]:
    return {
        "schema_version": "1",
        "id": f"mail-{number}",
        "mailbox": "service@example.com",
        "sender": {"address": f"{'long.' * 12}name{number}@example.org", "name": "Ada " * 20},
        "subject": f"Order {10_000 + number} " + "and what I have to say about it " * 5,
        "body_text": "word " * 300 + "x" * 500,
        "received_at": "2026-11-23T08:00:00Z",
        "source": "test",
    }


def said_by(*arguments: str, columns: int) -> list[str]:
    """What a command prints into a pipe that is taken for so many columns."""
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": str(columns)})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout.splitlines()


@pytest.mark.parametrize("columns", [80, 40])
@pytest.mark.parametrize(
    "command",
    [("status",), ("escalations", "list"), ("review",), ("review", "escalations"), ("show", "0")],
)
def test_lines_fit_and_keys_stay_whole(
    keys: tuple[str, ...], command: tuple[str, ...], columns: int
) -> None:
    named = command if command[0] != "show" else ("show", keys[0])
    lines = said_by(*named, columns=columns)
    long = [line for line in lines if len(line) > columns and "http" not in line]
    assert long == []
    text = "\n".join(lines)
    for found in re.findall(r"wo_[a-z2-7]*", text):
        assert found in keys, "a key that is cut is none"
    assert "…" not in text.replace("“", ""), "nothing is left out with dots"


def test_every_escalation_is_listed_with_a_whole_key(keys: tuple[str, ...]) -> None:
    for columns in (80, 40):
        lines = said_by("escalations", "list", columns=columns)
        assert {line for line in lines if line.startswith("wo_")} == set(keys)
        assert not any("long.long" in line for line in lines), "no address in this list"


def test_a_unique_beginning_of_a_key_is_enough_for_every_command(keys: tuple[str, ...]) -> None:
    key = keys[0]
    begin = next(key[:n] for n in range(4, 27) if sum(k.startswith(key[:n]) for k in keys) == 1)
    assert json.loads("\n".join(said_by("show", begin, "--json", columns=80)))["key"] == key
    reference = f"sw-{key[3:11]}"
    assert json.loads("\n".join(said_by("show", reference, "--json", columns=80)))["key"] == key
    assert said_by("escalations", "ack", begin, "--actor", "ada", columns=80) == [
        f"{key}  acknowledged"
    ]
    assert said_by("escalations", "ack", begin, "--actor", "ben", columns=80) == [
        f"{key}  taken by ada before"
    ]
    assert said_by("dead", "replay", begin, columns=80) == [f"{key}  is no dead letter (escalated)"]


def test_a_beginning_of_several_keys_names_them_and_does_nothing(keys: tuple[str, ...]) -> None:
    first = min(keys)
    begin = next(
        first[:n] for n in range(26, 2, -1) if sum(k.startswith(first[:n]) for k in keys) > 1
    )
    with pytest.raises(MalformedInputError, match="is the beginning of") as refused:
        said_by("escalations", "ack", begin, columns=80)
    named = re.findall(r"wo_[a-z2-7]{24}", str(refused.value))
    assert set(named) <= set(keys)
    assert len(named) > 1


def test_a_search_finds_by_all_terms_and_says_what_it_looked_for(keys: tuple[str, ...]) -> None:
    found = json.loads("\n".join(said_by("review", "search", "10007", "ada", "--json", columns=80)))
    assert [mail["subject"][:11] for mail in found["mails"]] == ["Order 10007"]
    assert len(found["searched"]) == 2
    assert said_by("review", "search", "nobody-here", columns=80)[-1] == "nothing fits"


def test_the_summary_goes_out_once_a_day_without_mail_text_or_address(
    keys: tuple[str, ...], database: Database
) -> None:
    printed = said_by("digest", "--print", columns=80)
    assert any("30 mails wait for a person" in line for line in printed)
    assert said_by("digest", columns=80)[0].endswith("handed to the alert sinks")
    assert said_by("digest", columns=80)[0].endswith("was handed over before")
    with database.transaction() as connection:
        rows = connection.execute(
            "SELECT kind, subject, detail FROM alerts WHERE kind = 'digest.daily'"
        ).fetchall()
    (row,) = rows
    assert "30 mails wait for a person" in row["detail"]
    assert not re.search(r"@|Order 1\d{4}|Ada ", row["detail"])
    assert "digest.daily" not in "\n".join(said_by("status", columns=80)), "nothing to mend"
