"""One of twenty customers asks to be forgotten, on an installation that runs: nothing of him is
left in any table, file or checkpoint, he is refused for ever, and nobody else is touched.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from installation import Running, running_up
from search_everything import in_files, in_tables, rows, tables

from swarm.sandbox.remote import SandboxControl
from swarm.up.programs import any_free_port

pytestmark = pytest.mark.acceptance

ADDRESS = "lorenz.quastenhofer@example.org"
PHRASE = "a zephyrine quillwort paperweight"
BROKEN = b'{"id": "broken", "sender": "' + ADDRESS.encode() + b'", "subject": "' + PHRASE.encode()
OTHERS = 19
PATIENCE = 600.0

# What runs beside writes on: drafts are looked at, judgements compared with today's.
_GOES_ON = frozenset({"reply_outcomes", "comparisons"})

_KEYED = """
SELECT c.table_schema, c.table_name, c.column_name FROM information_schema.columns c
  JOIN information_schema.tables t USING (table_schema, table_name)
 WHERE t.table_type = 'BASE TABLE'
   AND (c.table_schema, c.column_name) IN (('swarm', 'work_order_key'), ('langgraph', 'thread_id'))
 UNION SELECT 'swarm', 'work_orders', 'key'
 UNION SELECT 'public', 'event_logs', 'partition'
 UNION SELECT 'public', 'runs', 'partition'
 UNION SELECT 'public', 'asset_check_executions', 'partition'
 ORDER BY 1, 2
"""


@dataclass
class House:
    """The installation, and what was known of the customer before he was forgotten."""

    running: Running
    control: SandboxControl
    mails: list[Path]
    keys: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.running.settings["DATABASE_URL"]

    @property
    def stream(self) -> Path:
        return self.running.home / "intake" / "work_orders.jsonl"

    def words(self) -> list[str]:
        return [ADDRESS, PHRASE, *self.keys, *self.ids]

    def ask(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url, options="-c search_path=swarm") as connection:
            return connection.execute(statement.encode(), values).fetchall()

    def final(self) -> int:
        return int(
            str(self.ask("SELECT count(*) FROM work_orders WHERE final_at IS NOT NULL")[0][0])
        )

    def erase(self, name: str, *more: str) -> dict[str, object]:
        done = self.running.swarm(
            "erase", name, "--actor", "ada", "--reason", "request 12", "--json", *more
        )
        assert done.returncode == 0, done.stdout + done.stderr
        told: dict[str, object] = json.loads(done.stdout)
        return told

    def others(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row about somebody else, of our tables, the checkpoints and Dagster's events."""
        found = {}
        for schema, table, column in self.ask(_KEYED):
            named = f'"{schema}"."{table}"'
            about = f"left(\"{column}\", 27) <> ALL(%s) AND \"{column}\" LIKE 'wo!_%%' ESCAPE '!'"
            what = f'"{column}"' if table in _GOES_ON else "t::text"
            found[named] = self.ask(
                f"SELECT DISTINCT {what} FROM {named} t WHERE {about} ORDER BY 1", self.keys
            )
        return found


def untouched(before: Mapping[str, list[Any]], after: Mapping[str, list[Any]]) -> bool:
    """Whether all rows about others are still there, and as they were but where work goes on."""
    return all(
        {*rows} <= {*after[table]} if table.split('"')[3] in _GOES_ON else rows == after[table]
        for table, rows in before.items()
    )


def until(reached: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, what
        time.sleep(0.5)


def write(folder: Path, name: str, sender: str, subject: str, text: str, *headers: str) -> Path:
    lines = [f"From: {sender}", "To: service@example.com", f"Subject: {subject}",
             f"Message-ID: <{name}@mail.example.org>", *headers, "", text, ""]  # fmt: skip
    path = folder / f"{name}.eml"
    path.write_text("\n".join(lines))
    return path


def customer(control: SandboxControl, folder: Path, name: str, address: str, order: int) -> Path:
    contact = control.add_contact(name, address)
    control.add_deal(f"Order {order}", contact, status="Shipped", delivery_date="2026-11-27")
    text = f"Hello,\n\nwhere is my order {order}? When will it be delivered?\n\n{name}"
    return write(folder, f"mail-{order}", f"{name} <{address}>", f"Order {order}", text)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    folder = Path(tempfile.mkdtemp(prefix="swarm-erasure-"))
    home, port = folder / "home", any_free_port()
    options = ("--port", str(port), "--no-samples", "--with-legacy")
    try:
        with running_up(home, folder / "up.log", *options):
            house = settled(Running(home, port), folder)
            yield house
            house.control.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def settled(running: Running, folder: Path) -> House:
    """Twenty customers wrote, and everything has ended; his mails: drafted, escalated, ignored."""
    control = SandboxControl(running.settings["SWARM_SANDBOX_URL"])
    control.configure(settle_seconds=0.1)
    others = [
        customer(control, folder, f"Customer {n}", f"customer{n}@example.net", 20000 + n)
        for n in range(OTHERS)
    ]
    drafted = customer(control, folder, "Lorenz Quastenhofer", ADDRESS, 30000)
    drafted.write_text(drafted.read_text().replace("Hello,", f"Hello,\n\nI bought {PHRASE}."))
    threat = f"Replace {PHRASE}, or my solicitor will take you to court. I want my money back."
    ignored = f"I am out of office, and so is {PHRASE}."
    his = [
        drafted,
        write(folder, "mail-30001", f"Lorenz <{ADDRESS}>", "Legal action", threat),
        write(
            folder, "mail-30002", f"L <{ADDRESS}>", "Away", ignored, "Auto-Submitted: auto-replied"
        ),
    ]
    house = House(running, control, his)
    handed_in = running.swarm("submit", *map(str, [*others, *his]))
    assert handed_in.returncode == 0, handed_in.stderr
    until(lambda: house.final() == OTHERS + 2, "all work orders are final")
    with house.stream.open("ab") as file:
        file.write(BROKEN + b"\n")
    until(lambda: bool(house.ask("SELECT 1 FROM quarantine")), "the broken line is quarantined")
    until((running.home / "legacy" / "outbox.jsonl").exists, "legacy follows")
    known = house.ask("SELECT key, original_id, body->'ref'->>'message_id' FROM work_orders"
                      " WHERE body->'sender'->>'address' = %s", ADDRESS)  # fmt: skip
    house.keys = [str(key) for key, _, _ in known]
    house.ids = [str(each) for row in known for each in row[1:]]
    house.ids += [f"mail-{number}@mail.example.org" for number in (30000, 30001, 30002)]
    house.lines = [x for x in house.stream.read_bytes().split(b"\n") if ADDRESS.encode() in x]
    return house


def test_before_he_asks_he_stands_in_many_places_and_a_dry_run_changes_none(house: House) -> None:
    states = {
        str(s)
        for (s,) in house.ask("SELECT state FROM work_orders WHERE key = ANY(%s)", house.keys)
    }
    assert states == {"published", "escalated"}
    where = in_tables(house.url, house.words())
    assert len({each.partition(":")[0] for each in where}) > 15
    told = house.erase(ADDRESS, "--dry-run")
    assert told["number"] is None
    assert told["places"]["public.event_logs"] > 100  # type: ignore[index]
    assert in_tables(house.url, house.words()) == where


def test_after_the_erasure_nothing_here_names_him_and_nobody_else_is_touched(house: House) -> None:
    others, generations = house.others(), house.ask("SELECT generation FROM intake_offset")
    sizes = {
        path.name: path.stat().st_size for path in (house.running.home / "intake").glob("*.jsonl")
    }
    theirs = [x for x in house.stream.read_bytes().split(b"\n") if ADDRESS.encode() not in x]
    told = house.erase(ADDRESS, "--compact")
    assert told["left"] == {}
    assert sorted(told["work_orders"]) == sorted(house.keys)  # type: ignore[call-overload]
    assert in_tables(house.url, house.words()) == []
    assert in_files(house.running.home, house.words()) == []
    assert untouched(others, house.others())
    kept = house.stream.read_bytes().split(b"\n")
    assert [line for line in kept if b'"erased":true' not in line] == theirs
    for name, size in sizes.items():
        assert (house.running.home / "intake" / name).stat().st_size == size
    assert house.ask("SELECT generation FROM intake_offset") == generations


def test_what_only_a_person_can_reach_is_named_and_the_record_does_not_name_him(
    house: House,
) -> None:
    ((asked_for, actor, reason, orders),) = house.ask(
        "SELECT asked_for, actor, reason, work_orders FROM erasure WHERE finished_at IS NOT NULL"
    )
    assert (asked_for, actor, reason, orders) == ("address", "ada", "request 12", 2)
    refused = house.running.swarm("erase", ADDRESS, "--actor", "ada", "--reason", f"of {ADDRESS}")
    assert refused.returncode == 2


def test_his_mails_are_refused_at_every_door(house: House) -> None:
    before = house.final()
    again = house.running.swarm("submit", *map(str, house.mails))
    assert again.returncode == 1
    assert again.stderr.count("was erased") == len(house.mails)
    alone = house.running.swarm("run-once", str(house.mails[0]))
    assert alone.returncode == 2
    assert "was erased" in alone.stderr
    events = house.running.home / "intake" / "events.jsonl"
    size = events.stat().st_size
    for number, path in enumerate(house.mails):
        house.control.seed_mail(
            ADDRESS, subject=path.read_text().split("Subject: ")[1].split("\n")[0],
            internet_message_id=f"<mail-{30000 + number}@mail.example.org>", body_text=PHRASE,
        )  # fmt: skip
    with house.stream.open("ab") as file:
        file.write(b"".join(line + b"\n" for line in house.lines if b"broken" not in line))
    until(lambda: len(house.ask("SELECT 1 FROM intake_line WHERE status = 'erased'")) >= 5,
          "his lines are refused")  # fmt: skip
    fresh = customer(house.control, house.mails[0].parent, "New", "new@example.net", 40000)
    assert house.running.swarm("submit", str(fresh)).returncode == 0
    until(lambda: house.final() == before + 1, "a new customer is served as before")
    assert events.read_bytes()[size:].count(b"\n") == 1
    assert {str(kind) for (kind,) in house.ask("SELECT kind FROM alerts")} >= {
        "intake.erased_again"
    }
    assert house.ask("SELECT 1 FROM alerts WHERE kind = 'intake.gap'") == []


def test_asking_for_one_erased_work_order_again_clears_what_came_back(house: House) -> None:
    assert in_files(house.running.home, [PHRASE]) != []
    house.running.swarm("erase", house.ids[0], "--actor", "ada", "--reason", "it came again")
    assert in_files(house.running.home / "intake", [house.ids[0]]) == []
    house.erase(ADDRESS)
    assert in_files(house.running.home, house.words()) == []
    assert in_tables(house.url, house.words()) == []


def test_show_says_erased_and_the_audit_is_clean(house: House) -> None:
    for name in (*house.keys, house.ids[0]):
        shown = house.running.swarm("show", name)
        assert shown.returncode == 2
        assert "erased on" in shown.stderr
    audited = house.running.swarm("audit")
    assert audited.returncode == 0, audited.stdout
    assert len(tables(house.url)) > 40
    assert rows(house.url, "swarm", "tombstone")
