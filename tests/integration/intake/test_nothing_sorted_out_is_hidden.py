"""From the mailbox double to the commands: every mail is a work order or is listed with a reason."""

# ruff: noqa: E501 - sample mails and statements stay on one line

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from home_environment import set_home
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from swarm.cli.app import app
from swarm.clients.outlook import GraphOutlook
from swarm.legacy.email_work_order_service import EmailWorkOrderService
from swarm.legacy.home import IntakeFiles
from swarm.legacy.intake_stream_processor import IntakeStreamProcessor
from swarm.legacy.jsonl import LineLog, write_state
from swarm.sandbox.server import RunningSandbox
from swarm.settings import GraphSettings
from swarm.store.database import Database, Row
from swarm.watchman.failing_turns import tell_failing_turns
from swarm_assets.resources.intake import IntakeStream

pytestmark = pytest.mark.integration

SECRET = "test-secret"


class House:
    """The intake of today over the double of Graph, and the intake sensor's stream behind it."""

    def __init__(self, home: Path, sandbox: RunningSandbox, database: Database) -> None:
        own = sandbox.environment
        self.sandbox, self.database, self.files = sandbox, database, IntakeFiles(home)
        self.mailbox = own["GRAPH_MAILBOX"]
        self.outlook = GraphOutlook(
            GraphSettings(
                base_url=own["GRAPH_BASE_URL"], authority=own["GRAPH_AUTHORITY"],
                tenant_id=own["GRAPH_TENANT_ID"], client_id=own["GRAPH_CLIENT_ID"],
                client_secret=SecretStr(own["GRAPH_CLIENT_SECRET"]), mailbox=self.mailbox,
            )
        )  # fmt: skip

    def turn(self) -> None:
        """Everything that reads has its turn."""
        files = self.files
        EmailWorkOrderService(self.outlook, self.mailbox, files, LineLog(files.events)).poll()
        IntakeStreamProcessor(files, LineLog(files.work_orders), LineLog(files.ignored)).turn()
        IntakeStream(self.database, files.work_orders, SecretStr(SECRET)).ingest()

    def sql(self, statement: str) -> list[Row]:
        with self.database.transaction() as connection:
            return connection.execute(statement.encode()).fetchall()

    def alerts(self) -> dict[str, int]:
        found = self.sql("SELECT kind, subject, count FROM alerts WHERE resolved_at IS NULL")
        return {f"{row['kind']} {row['subject']}": row["count"] for row in found}


@pytest.fixture
def house(
    tmp_path: Path, database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    with RunningSandbox(tmp_path / "sandbox") as sandbox:
        set_home(monkeypatch, sandbox.environment, tmp_path, database_url, SECRET)
        monkeypatch.delenv("SWARM_SANDBOX_URL", raising=False)
        built = House(tmp_path, sandbox, database)
        yield built
        built.outlook.close()


def swarm(*arguments: str) -> Result:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_what_needs_no_answer_is_counted_listed_found_and_brought_in(house: House) -> None:
    seed = house.sandbox.seed_mail
    seed("ada@example.org", subject="Lamp", body_text="Where is it?")
    seed(
        "news@shop.example",
        subject="Offers",
        body_text="Buy",
        headers={"List-Id": "<n.shop.example>"},
    )
    seed(
        "bob@example.org", subject="Away", body_text="x", headers={"Auto-Submitted": "auto-replied"}
    )
    seed(house.mailbox, subject="Note to ourselves", body_text="Do not forget.")
    house.turn()
    status = json.loads(swarm("status", "--json").stdout)
    assert status["sorted_out"] == {"auto-reply": 1, "list": 1, "own mail": 1}
    listed = {
        entry["reason"]: entry for entry in json.loads(swarm("ignored", "list", "--json").stdout)
    }
    assert (listed["list"]["sender"], listed["list"]["subject"]) == ("news@shop.example", "Offers")
    assert house.alerts() == {}, "newsletters wake nobody"

    key = listed["auto-reply"]["key"]
    assert "auto-reply" in swarm("show", key).stdout
    assert swarm("ignored", "take", key, "--actor", "ada").exit_code == 0
    assert swarm("ignored", "take", key).exit_code == 1
    house.turn()
    assert json.loads(swarm("show", key, "--json").stdout)["state"] == "accepted"
    assert "auto-reply" not in json.loads(swarm("status", "--json").stdout)["sorted_out"]
    assert "brought in by ada" in swarm("ignored", "list", "--all").stdout


def test_our_web_form_becomes_a_work_order_of_the_customer_and_is_told_once(house: House) -> None:
    for number in (1, 2):
        house.sandbox.seed_mail(
            house.mailbox, sender_name="Website", subject=f"Contact form {number}",
            body_text="When will my order arrive?", reply_to=[f"ada{number}@kunde.example"],
        )  # fmt: skip
        house.turn()
    found = house.sql(
        "SELECT body->'reply_to'->0->>'address' AS answered FROM work_orders ORDER BY 1"
    )
    assert [row["answered"] for row in found] == ["ada1@kunde.example", "ada2@kunde.example"]
    assert house.alerts() == {"intake.suspicious own address": 2}
    assert swarm("ignored", "seen", "own-address").exit_code == 0
    assert house.alerts() == {}


def test_a_mail_nobody_wrote_is_told_and_settled_by_a_person(house: House) -> None:
    house.sandbox.seed_mail("", subject="Who am I", body_text="Where is it?")
    house.turn()
    assert house.alerts() == {"intake.suspicious no sender": 1}
    assert swarm("ignored", "seen", "no sender").exit_code == 0
    assert (house.alerts(), swarm("ignored", "seen", "no sender").exit_code) == ({}, 1)
    [entry] = json.loads(swarm("ignored", "list", "--json").stdout)
    assert swarm("ignored", "take", entry["key"]).exit_code == 0
    house.turn()
    [row] = house.sql("SELECT body->'unread' AS unread FROM work_orders")
    assert row["unread"] == ["who wrote it"]


def test_the_list_is_read_once_whatever_happens_to_its_file(house: House) -> None:
    """Rotated, cut short, garbage in between, a line of an older version: nobody twice, none lost."""
    ignored = house.files.ignored
    ignored.parent.mkdir(exist_ok=True)
    old = b'{"schema_version":"1","id":"mail-1","reason":"bulk or list mail","source":"graph"}\n'
    ignored.write_bytes(old + b"garbage\n" + b'{"id":"mail-2","reason":"no sender","sender":7}\n')
    stream = IntakeStream(house.database, house.files.work_orders, SecretStr(SECRET))
    for _ in range(2):
        stream.ingest()
        assert len(house.sql("SELECT key FROM sorted_out")) == 3
    ignored.rename(f"{ignored}.1")
    ignored.write_bytes(old + b'{"id":"mail-3","reason":"empty"}\n{"id":"mail-4"')
    stream.ingest()
    assert len(house.sql("SELECT key FROM sorted_out")) == 4
    assert house.alerts() == {"intake.suspicious no sender": 1, "intake.suspicious unreadable": 1}


def test_a_mail_whose_event_is_gone_cannot_be_brought_in_and_says_so(house: House) -> None:
    from swarm.errors import RefusedError  # noqa: PLC0415

    house.sandbox.seed_mail("news@shop.example", subject="x", headers={"Precedence": "bulk"})
    house.turn()
    house.files.events.unlink()
    [entry] = json.loads(swarm("ignored", "list", "--json").stdout)
    with pytest.raises(RefusedError, match="in no file of the intake"):
        swarm("ignored", "take", entry["key"])


def test_a_program_that_fails_turn_after_turn_is_told_and_settled(house: House) -> None:
    """The number is that of the failed turns, so that it is told again while they go on."""
    kind = "intake.turns_fail email_work_order_service"
    for failed, told in ((4, {}), (5, {kind: 5}), (5, {kind: 5}), (9, {kind: 9}), (0, {})):
        write_state(house.files.service_turns, {"failed": failed, "since": "t", "error": "Remote"})
        tell_failing_turns(house.database, house.files)
        assert house.alerts() == told


def test_attachments_that_cannot_be_listed_keep_no_mail_of_the_page_out(house: House) -> None:
    seed = house.sandbox.seed_mail
    seed("ada@example.org", subject="one", body_text="Where is it?")
    label = {"@odata.type": "#microsoft.graph.fileAttachment", "name": "a.pdf", "size": 3,
             "contentType": "application/pdf"}  # fmt: skip
    seed("bob@example.org", subject="two", body_text="See the file.", attachments=[label])
    seed("eva@example.org", subject="three", body_text="Where is it?")
    real = house.outlook.attachments

    def gone(message_id: str) -> object:
        house.sandbox.fault("graph", "status", times=9, status=404, code="ErrorItemNotFound")
        return real(message_id)

    house.outlook.attachments = gone  # type: ignore[method-assign, assignment]
    house.turn()
    rows = house.sql(
        "SELECT body->>'subject' AS subject, body->'unread' AS unread FROM work_orders"
    )
    assert {row["subject"]: bool(row["unread"]) for row in rows} == {
        "one": False,
        "two": True,
        "three": False,
    }
