"""The audit follows every mail from the inbox to its line; what got lost on the way is named.

Entered by `swarm audit`, over the double of Graph, real files and a real Postgres.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from home_environment import set_home
from pydantic import SecretStr
from typer.testing import CliRunner

from swarm.cli.app import app
from swarm.clients.outlook import GraphOutlook
from swarm.legacy.email_work_order_service import EmailWorkOrderService
from swarm.legacy.home import IntakeFiles
from swarm.legacy.intake_stream_processor import IntakeStreamProcessor
from swarm.legacy.jsonl import LineLog, read_state, write_state
from swarm.sandbox.server import RunningSandbox
from swarm.settings import load_settings
from swarm.store.database import Database
from swarm.store.tombstones import file_text, mail_name
from swarm_assets.resources.intake import IntakeStream

pytestmark = pytest.mark.integration

SECRET = "test-secret"
LOST = {
    "mail_unread",
    "event_lost",
    "not_listed",
    "stream_unread",
    "sorted_out_lost",
    "tombstone_lost",
}


@dataclass
class House:
    """One home's intake, driven turn by turn."""

    sandbox: RunningSandbox
    outlook: GraphOutlook
    files: IntakeFiles
    database: Database
    address: str

    def mail(self, number: int, *, hours_ago: float) -> None:
        came = datetime.now(UTC) - timedelta(hours=hours_ago)
        self.sandbox.seed_mail(
            f"ada{number}@kunde.example",
            subject=f"Lamp {number}",
            body_text="When does my lamp arrive?",
            received_at=came,
        )

    def read(self) -> None:
        service = EmailWorkOrderService(
            self.outlook, self.address, self.files, LineLog(self.files.events)
        )
        service.poll()

    def sort(self) -> None:
        orders, ignored = LineLog(self.files.work_orders), LineLog(self.files.ignored)
        IntakeStreamProcessor(self.files, orders, ignored).turn()
        IntakeStream(self.database, self.files.work_orders, SecretStr(SECRET)).ingest()

    def breaches(self, *options: str) -> list[tuple[str, str]]:
        told = CliRunner().invoke(app, ["audit", "--json", *options])
        found = [(each["check"], each["subject"]) for each in json.loads(told.stdout)["breaches"]]
        return [each for each in found if each[0] in LOST]


@pytest.fixture
def house(
    tmp_path: Path, database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    with RunningSandbox(tmp_path / "sandbox") as sandbox:
        set_home(monkeypatch, sandbox.environment, tmp_path, database_url, SECRET)
        graph = load_settings().graph
        outlook = GraphOutlook(graph)
        built = House(sandbox, outlook, IntakeFiles(tmp_path), database, graph.mailbox)
        for number, hours in enumerate((6, 5, 4, 3)):
            built.mail(number, hours_ago=hours)
        built.read()
        built.mail(9, hours_ago=0)
        built.read()
        built.sort()
        yield built
        outlook.close()


def without(path: Path, number: int) -> None:
    """Take one mail's line out of a file, as a disk that was full once did."""
    lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if f"Lamp {number}".encode() not in line]
    assert len(kept) == len(lines) - 1
    path.write_bytes(b"".join(kept))


@pytest.mark.parametrize("options", [(), ("--full",)])
def test_where_every_mail_arrived_nothing_is_named(house: House, options: tuple[str, ...]) -> None:
    assert house.breaches(*options) == []


def test_a_mail_that_never_became_an_event_is_named(house: House) -> None:
    without(house.files.events, 2)
    [(check, subject)] = house.breaches()
    assert (check, subject[:5]) == ("mail_unread", "mail-")


def test_an_event_that_became_neither_a_line_nor_a_reason_is_named(house: House) -> None:
    events = house.files.events.read_bytes().splitlines()
    lost = next(json.loads(line)["id"] for line in events if b"Lamp 1" in line)
    orders = house.files.work_orders
    without(orders, 1)
    orders.rename(orders.with_name("kept"))  # another home, whose database never saw the line
    orders.write_bytes(orders.with_name("kept").read_bytes())
    with house.database.transaction() as connection:
        connection.execute("DELETE FROM intake_line WHERE work_order_key IS NOT NULL")
    assert ("event_lost", lost) in house.breaches()


def test_a_line_that_was_archived_is_known_from_the_database(house: House) -> None:
    house.files.work_orders.rename(house.files.home / "archived")
    assert [each for each in house.breaches() if each[0] == "event_lost"] == []


def test_what_is_not_due_yet_is_no_loss(house: House) -> None:
    house.mail(10, hours_ago=0)  # not read
    house.sandbox.seed_mail("x@kunde.example", subject="Lamp 11", folder="archive")
    house.mail(12, hours_ago=90 * 24)  # came before we ever looked
    assert house.breaches("--full") == []


def test_an_event_that_waits_to_be_sorted_is_no_loss(house: House) -> None:
    house.mail(10, hours_ago=2)
    house.read()
    assert house.breaches() == []


def test_a_mail_that_was_erased_is_no_loss(house: House) -> None:
    line = next(x for x in house.files.events.read_bytes().splitlines() if b"Lamp 2" in x)
    house.files.tombstones.write_text(file_text(mail_name(json.loads(line)).tombstones(SECRET)))
    without(house.files.events, 2)
    assert [each for each in house.breaches() if each[0] == "mail_unread"] == []


def test_a_sorted_out_mail_that_no_list_shows_any_more_is_named(house: House) -> None:
    house.sandbox.seed_mail("news@shop.example", subject="Offers", headers={"List-Id": "<n.x>"})
    house.read()
    house.sort()
    assert house.breaches() == []
    with house.database.transaction() as connection:
        connection.execute("DELETE FROM sorted_out")
    [(check, subject)] = house.breaches()
    assert (check, subject[:5]) == ("sorted_out_lost", "mail-")


def test_tombstones_of_the_file_that_the_table_lacks_are_named(house: House) -> None:
    house.files.tombstones.write_text(file_text(["a" * 64]))
    assert house.breaches() == [("tombstone_lost", "tombstone")]


def test_an_inbox_that_cannot_be_listed_is_said(house: House) -> None:
    house.sandbox.fault("graph", "status", status=403)
    assert ("not_listed", "mailbox") in house.breaches()


def test_where_the_reading_began_is_remembered_through_a_lost_link(house: House) -> None:
    began = read_state(house.files.service_state)["began"]
    write_state(house.files.service_state, {"began": began, "watermark": None})
    house.read()
    assert read_state(house.files.service_state)["began"] == began
