"""`swarm show`, `status`, `quarantine`, `legacy reread` and `doctor` on what was recorded."""

import json
from pathlib import Path

import pytest
from psycopg.types.json import Jsonb
from typer.testing import CliRunner

from swarm.cli.app import app
from swarm.cli.diagnosis import postgres
from swarm.intake.stream.keys import work_order_key
from swarm.legacy.home import LegacyFiles
from swarm.sandbox import environment as sandbox_environment
from swarm.shadow.outcomes.legacy_stream import LegacyOutcomes
from swarm.store.database import Database
from swarm.store.reply_outcomes import GONE

SECRET = "a secret of the tests"
KEY = work_order_key(SECRET, "mail-1")
OUTCOME = {
    "schema_version": "1",
    "id": "mail-1",
    "policy_version": "legacy-1",
    "decision": "escalate",
    "reasons": ["legal"],
    "recipient": "anna@example.org",
    "subject": "Re: A parcel",
    "body_text": "Hello",
}


@pytest.fixture
def home(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SWARM_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SWARM_KEY_SECRET", SECRET)
    monkeypatch.delenv("SWARM_SANDBOX_URL", raising=False)
    for name, value in sandbox_environment(9).items():
        monkeypatch.setenv(name, value)
    (tmp_path / "legacy").mkdir()
    return tmp_path


@pytest.fixture
def outcomes(home: Path, database: Database) -> LegacyOutcomes:
    """One outcome of today's path that was read, and one line that cannot be."""
    outcomes = LegacyOutcomes(database, LegacyFiles(home), SECRET)
    outcomes.files.outbox.write_bytes(json.dumps(OUTCOME).encode() + b"\nnot json\n")
    outcomes.ingest()
    return outcomes


def swarm(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def put(database: Database, key: str, act: str, **columns: object) -> None:
    """A work order whose draft a person did something with."""
    body = {
        "key": key,
        "original_id": key,
        "ref": {"mailbox": "service@example.com"},
        "sender": {"address": "anna@example.org"},
        "subject": "A parcel",
        "received_at": "2026-03-01T10:00:00Z",
        "source": "test",
    }
    names = ["work_order_key", "origin", "publisher", "act", "offered_at", *columns]
    values = [key, "live", "swarm", act, "2026-03-01T10:00:00Z", *columns.values()]
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO work_orders (key, original_id, body, state, final_at)"
            " VALUES (%s, %s, %s, 'held', now())",
            (key, "mail-1" if key == KEY else key, Jsonb(body)),
        )
        places = ", ".join(["%s"] * len(values))
        connection.execute(
            f"INSERT INTO reply_outcomes ({', '.join(names)}) VALUES ({places})".encode(), values
        )


def test_show_says_what_today_s_path_decided_and_what_a_person_did(
    outcomes: LegacyOutcomes, database: Database
) -> None:
    del outcomes
    put(
        database, KEY, "rewritten",
        similarity=0.25, acted_at="2026-03-01T10:12:00Z", sent_text="It is [bold]lost[/bold].",
    )  # fmt: skip
    shown = swarm("show", "mail-1")
    assert "wrote the draft anew and sent it, alike 0.25, 12 min after the draft" in shown
    assert "escalated: legal (legacy-1), read 20" in shown
    assert "It is [bold]lost[/bold]." in shown, "what was sent is text, never markup"
    said = json.loads(swarm("show", "mail-1", "--json"))
    assert (said["reply"]["act"], said["reply"]["similarity"]) == ("rewritten", 0.25)
    assert (said["legacy"]["escalated"], said["legacy"]["reasons"]) == (True, ["legal"])


def test_status_tells_the_share_sent_unchanged_of_what_is_known(
    outcomes: LegacyOutcomes, database: Database
) -> None:
    del outcomes
    acts = ("sent_unchanged", "sent_unchanged", "sent_edited", "discarded", "open", "unknown")
    for number, act in enumerate(acts):
        put(database, "wo_" + "abcdef"[number] * 24, act)
    said = json.loads(swarm("status", "--json"))
    assert said["replies"]["decided"] == 4
    assert said["replies"]["share_sent_unchanged"] == 0.5
    assert said["legacy_outcomes"] == {"escalated": 1}
    assert said["intake_lines"] == {}, "today's outbox is no intake"
    assert {s["stream"]: s["lag_bytes"] for s in said["streams"]}["outbox"] == 0
    assert "share sent unchanged 50% of 4" in swarm("status")


def test_the_share_of_nothing_is_not_told(home: Path) -> None:
    del home
    said = json.loads(swarm("status", "--json"))["replies"]
    assert (said["decided"], said["share_sent_unchanged"]) == (0, None)


def test_a_bad_line_of_the_outbox_is_listed_read_again_and_discarded(
    outcomes: LegacyOutcomes,
) -> None:
    (line,) = json.loads(swarm("quarantine", "list", "--json"))
    assert (line["stream"], line["reason"]) == ("outbox", "not JSON")
    assert "1 still bad" in swarm("quarantine", "replay", "--all")
    assert "not json" in swarm("quarantine", "show", line["place"])
    swarm("quarantine", "discard", line["place"], "--reason", "noise")
    assert swarm("quarantine", "list") == "nothing is in quarantine\n"
    assert outcomes.ingest().lines == 0


def test_a_lost_outcome_comes_back_when_the_outbox_is_read_again(
    outcomes: LegacyOutcomes, database: Database
) -> None:
    del outcomes
    with database.transaction() as connection:
        connection.execute("DELETE FROM legacy_outcomes")
    assert "1 outcome restored, 1 unreadable" in swarm("legacy", "reread")
    assert json.loads(swarm("legacy", "reread", "--json")) == {"lines": 2, "restored": 0, "bad": 1}


@pytest.mark.parametrize(("act", "health"), [("sent_unchanged", "good"), ("unknown", "note")])
def test_doctor_says_why_a_sent_draft_may_have_left_no_copy(
    home: Path, database: Database, act: str, health: str
) -> None:
    del home
    put(database, KEY, act, detail=GONE if act == "unknown" else "")
    (found,) = [each for each in postgres() if each.name == "sent items"]
    assert found.health == health
    assert ("MessageCopyForSentAsEnabled" in found.detail) is (act == "unknown")
