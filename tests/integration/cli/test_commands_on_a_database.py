"""The commands against a real database: what they print, what they change, how they exit."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from swarm.cli.app import app
from swarm.errors import MalformedInputError, RefusedError
from swarm.intake.stream.tick import ingest
from swarm.sandbox import environment as sandbox_environment
from swarm.settings import QueueSettings
from swarm.store.database import Database
from swarm.store.postgres_queue import PostgresQueue

pytestmark = pytest.mark.integration

SECRET = "test-secret"
NO_PORT = 9  # discard: nothing listens, so the mailbox cannot be searched


@pytest.fixture
def home(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation described by the environment alone."""
    monkeypatch.setenv("SWARM_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SWARM_KEY_SECRET", SECRET)
    monkeypatch.delenv("SWARM_SANDBOX_URL", raising=False)
    for name, value in sandbox_environment(NO_PORT).items():
        monkeypatch.setenv(name, value)
    (tmp_path / "intake").mkdir()
    return tmp_path


@pytest.fixture
def key(home: Path, database: Database) -> str:
    """One accepted work order."""
    stream = home / "intake" / "work_orders.jsonl"
    line = {
        "schema_version": "1",
        "id": "mail-1",
        "mailbox": "service@example.com",
        "sender": {"address": "anna.keller@example.org", "name": "Anna Keller"},
        "subject": "[bold]Where is it?[/bold]",
        "body_text": "Where is my order 10482?",
        "received_at": "2026-11-23T08:00:00Z",
        "source": "test",
    }
    stream.write_text(json.dumps(line) + "\n")
    (accepted,) = ingest(database, stream, SECRET).accepted_keys
    return accepted


def swarm(*arguments: str) -> Result:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def kill(database: Database, key: str) -> None:
    """Let the work order fail for good."""
    queue = PostgresQueue(database, QueueSettings())
    (request,) = queue.request_due(1)
    fence = queue.open(key, "run-1", request.attempt)
    queue.fail(fence, "the mail has no sender", retryable=False)


def test_status_counts_what_there_is(key: str) -> None:
    said = json.loads(swarm("status", "--json").stdout)
    assert said["states"]["accepted"] == 1
    assert said["recent"][0]["key"] == key
    assert key in swarm("status").stdout


def test_show_names_the_mail_its_state_and_its_page(key: str) -> None:
    said = json.loads(swarm("show", key, "--json").stdout)
    assert (said["key"], said["state"]) == (key, "accepted")
    assert said["ui"].endswith(f"partition={key}")
    shown = swarm("show", "mail-1").stdout
    assert "[bold]Where is it?[/bold]" in shown, "mail text is text, never markup"


def test_a_dead_work_order_is_listed_and_replayed_once(key: str, database: Database) -> None:
    kill(database, key)
    (letter,) = json.loads(swarm("dead", "list", "--json").stdout)
    assert letter["work_order_key"] == key
    assert "no sender" in letter["dead_reason"]
    assert swarm("dead", "replay", key).exit_code == 0
    assert swarm("dead", "replay", key).exit_code == 1, "it is not dead any more"
    assert json.loads(swarm("dead", "list", "--json").stdout) == []
    with pytest.raises(MalformedInputError, match="no work order has this key"):
        swarm("dead", "replay", "nobody")


def test_a_reason_that_is_none_is_refused_with_those_there_are(key: str) -> None:
    del key
    with pytest.raises(MalformedInputError, match="one of own mail, list"):
        swarm("ignored", "list", "--reason", "nonsense")


def test_the_status_shows_keys_whole_even_in_a_narrow_terminal(key: str) -> None:
    assert key in CliRunner().invoke(app, ["status"], env={"COLUMNS": "60"}).stdout


def test_a_dead_work_order_is_released_once_by_name_and_the_release_is_shown(
    key: str, database: Database
) -> None:
    kill(database, key)
    who = ("--actor", "anna", "--reason", "the mail can be read", "--waive", "ES-04")
    said = json.loads(swarm("release", "mail-1", *who, "--json").stdout)
    assert (said["work_order_key"], said["actor"], said["waived"]) == (key, "anna", ["ES-04"])
    with pytest.raises(RefusedError, match="nothing to release"):
        swarm("release", key, *who)
    told = swarm("show", key).stdout
    assert "Released by anna" in told
    assert "Rules taken on: ES-04" in told
    assert json.loads(swarm("dead", "list", "--json").stdout) == []


@pytest.mark.parametrize("left_out", ["--actor", "--reason"])
def test_a_release_without_who_or_why_is_no_command(key: str, left_out: str) -> None:
    given = {"--actor": "anna", "--reason": "why"}
    given.pop(left_out)
    said = swarm("release", key, *(word for pair in given.items() for word in pair))
    assert said.exit_code == 2


def test_replaying_all_leaves_none(key: str, database: Database) -> None:
    kill(database, key)
    assert key in swarm("dead", "replay", "--all").stdout
    assert "no dead letters" in swarm("dead", "list").stdout


@pytest.mark.usefixtures("home")
def test_nobody_publishes_until_somebody_is_appointed() -> None:
    said = json.loads(swarm("publisher", "show", "--json").stdout)
    assert (said["control"]["active"], said["control"]["epoch"]) == ("none", 0)


@pytest.mark.usefixtures("home")
def test_a_dry_rollback_changes_nothing_and_a_real_one_does() -> None:
    assert "would go" in swarm("publisher", "rollback", "--reason", "drill", "--dry-run").stdout
    assert json.loads(swarm("publisher", "show", "--json").stdout)["control"]["epoch"] == 0
    assert swarm("publisher", "rollback", "--reason", "drill").exit_code == 0
    control = json.loads(swarm("publisher", "show", "--json").stdout)["control"]
    assert (control["active"], control["epoch"], control["reason"]) == ("legacy", 1, "drill")


def test_escalations_are_listed_and_acknowledged_once(key: str, database: Database) -> None:
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO escalations (work_order_key, classes, reasons, owner, received_at,"
            " acknowledge_by) VALUES (%s, '[\"legal\"]', '[]', 'legal', now(), now())",
            (key,),
        )
    (waiting,) = json.loads(swarm("escalations", "list", "--json").stdout)
    assert (waiting["key"], waiting["classes"], waiting["overdue"]) == (key, ["legal"], True)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT.*", waiting["acknowledge_by"])
    assert swarm("escalations", "ack", "mail-1", "--actor", "ada").exit_code == 0
    assert swarm("escalations", "ack", key).exit_code == 1
    assert "no open escalations" in swarm("escalations", "list").stdout


def test_an_audit_names_each_breach_and_exits_with_one(key: str, database: Database) -> None:
    assert swarm("audit").exit_code == 0
    with database.transaction() as connection:
        connection.execute("DELETE FROM intake_line")
    result = swarm("audit", "--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert said["holds"] is False
    assert {breach["promise"] for breach in said["breaches"]} == {1}
    assert key


def test_submitted_files_enter_the_events_and_a_broken_one_is_named(home: Path) -> None:
    good, bad = home / "good.eml", home / "bad.eml"
    good.write_bytes(b"From: a@example.org\nSubject: x\nMessage-ID: <1@x>\n\nhello\n")
    bad.write_bytes(b"")
    result = swarm("submit", str(bad), str(good), str(home / "missing.eml"), "--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert len(said["submitted"]) == 1
    assert {Path(p["name"]).name for p in said["problems"]} == {"bad.eml", "missing.eml"}
    assert (home / "intake" / "events.jsonl").read_bytes().count(b"\n") == 1
    again = json.loads(swarm("submit", str(good), "--json").stdout)
    assert (len(again["submitted"]), len(again["repeated"])) == (0, 1)
