"""Lines go in place: readers, writers and followers go on where they were, killed or not."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from swarm.intake.stream import blanking
from swarm.intake.stream.completeness import count_lines
from swarm.intake.stream.replay import replay
from swarm.intake.stream.tick import IngestReport, ingest
from swarm.legacy.follow import Follower
from swarm.legacy.home import IntakeFiles, LegacyFiles
from swarm.legacy.jsonl import LineLog
from swarm.lifecycle import erasure, erasure_files
from swarm.lifecycle.erasure import Eraser
from swarm.store.database import Database, Row
from swarm.store.tombstones import TombstoneFile

pytestmark = pytest.mark.integration

SECRET = "a secret of the tests"


def line(number: int, **changes: object) -> bytes:
    said = {
        "schema_version": "1",
        "id": f"mail-number-{number}",
        "message_id": f"AAkALg-{number:06d}",
        "internet_message_id": f"<{number}@customer.example>",
        "mailbox": "service@example.com",
        "sender": {"address": f"customer{number}@example.org", "name": "A customer"},
        "subject": f"Question {number}",
        "body_text": f"Hello,\nthe text of customer {number}\n",
        "received_at": "2026-03-01T10:00:00Z",
        "source": "graph",
        **changes,
    }
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


@dataclass
class Home:
    """An installation of files and tables; every work order in it has ended."""

    root: Path
    database: Database

    @property
    def stream(self) -> Path:
        return IntakeFiles(self.root).work_orders

    @property
    def follower(self) -> Follower:
        return Follower(self.stream, LegacyFiles(self.root).pipeline_state)

    def append(self, *lines: bytes) -> None:
        LineLog(self.stream).append(lines)

    def read(self) -> IngestReport:
        report = ingest(self.database, self.stream, SECRET)
        with self.database.transaction() as connection:
            connection.execute("UPDATE swarm_jobs SET state = 'done'")
            connection.execute(
                "UPDATE work_orders SET state = 'escalated', final_at = now()"
                " WHERE final_at IS NULL"
            )
        return report

    def erase(self, name: str) -> None:
        Eraser(self.database, self.root, SECRET).erase(name, actor="ada", reason="request 12")

    def rows(self, sql: str) -> list[Row]:
        with self.database.transaction() as connection:
            return connection.execute(sql.encode()).fetchall()

    def ids(self) -> list[str]:
        return [str(r["id"]) for r in self.rows("SELECT original_id AS id FROM work_orders")]

    def generations(self) -> list[int]:
        return [int(r["generation"]) for r in self.rows("SELECT generation FROM intake_offset")]


@pytest.fixture
def home(tmp_path: Path, database: Database) -> Home:
    home = Home(tmp_path, database)
    home.append(*(line(n) for n in range(8)))
    home.read()
    return home


@pytest.mark.parametrize("number", [0, 3, 7], ids=["the first", "one between", "the last"])
def test_the_reader_goes_on_where_it_was(home: Home, number: int) -> None:
    """The first line is in the bookmark's prefix, the last in its marker."""
    size = home.stream.stat().st_size
    home.erase(f"customer{number}@example.org")
    assert home.stream.stat().st_size == size
    assert f"customer{number}@".encode() not in home.stream.read_bytes()
    home.append(line(8))
    report = home.read()
    assert (report.accepted, report.lines, report.gaps) == (1, 1, ())
    assert home.generations() == [1]
    assert count_lines(home.database, home.stream).holds


def test_one_erasure_after_another_brings_nobody_back(home: Home) -> None:
    for number in (7, 0, 4):
        home.erase(f"customer{number}@example.org")
        report = home.read()
        assert report.lines == 0
    assert len(home.ids()) == 5
    assert home.rows("SELECT 1 FROM alerts WHERE kind LIKE 'intake.%'") == []


@pytest.mark.parametrize("kept", ["live", "rotated"])
def test_a_rotated_file_is_reached_and_stays_read(home: Home, kept: str) -> None:
    if kept == "rotated":
        home.stream.rename(home.stream.with_name("work_orders.jsonl.1"))
        home.append(line(20))
        home.read()
    home.erase("customer2@example.org")
    said = b"".join(path.read_bytes() for path in home.stream.parent.glob("work_orders*"))
    assert b"customer2@" not in said
    assert home.read().lines == 0
    assert count_lines(home.database, home.stream).holds


def test_a_file_that_goes_while_it_is_looked_at_ends_no_erasure(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home.root / "gone.tmp").write_text("customer1@example.org")
    walked = erasure_files._walk

    def walk(root: Path) -> Iterator[Path]:
        paths = list(walked(root))
        (root / "gone.tmp").unlink(missing_ok=True)
        yield from paths

    monkeypatch.setattr(erasure_files, "_walk", walk)
    home.erase("customer1@example.org")
    assert len(home.ids()) == 7


def test_a_follower_of_the_stream_goes_on_where_it_was(home: Home) -> None:
    seen: list[bytes] = []
    home.follower.turn(seen.extend)
    home.erase("customer7@example.org")
    home.append(line(8))
    seen.clear()
    assert home.follower.turn(seen.extend) == 1
    assert b"mail-number-8" in seen[0]


def test_reading_a_generation_again_brings_no_erased_mail_back(home: Home) -> None:
    home.erase("customer1@example.org")
    report = replay(home.database, home.stream, SECRET, generation=1)
    assert (report.accepted, report.lines) == (0, 8)
    assert "mail-number-1" not in home.ids()


def test_an_older_copy_put_back_brings_no_erased_mail_back(home: Home) -> None:
    """A backup restored, or a file replaced: the whole stream is read anew."""
    before = home.stream.read_bytes()
    home.erase("customer1@example.org")
    home.stream.unlink()
    home.stream.write_bytes(before)
    report = home.read()
    assert (report.accepted, report.duplicate, report.erased) == (0, 7, 1)
    assert home.generations() == [1, 2]


@pytest.mark.parametrize(
    "again",
    [
        line(1),
        line(1, id="another-id"),
        line(99, message_id="AAkALg-000001"),
        line(99, internet_message_id="1@customer.example",
             sender={"address": "Customer1@example.org"}),
        line(1, id=" Mail-Number-1 ", message_id=None, internet_message_id=None),
    ],
    ids=["the same line", "another id", "Graph's id", "its Message-ID", "its id spelt otherwise"],
)  # fmt: skip
def test_his_mail_is_refused_under_each_of_its_names(home: Home, again: bytes) -> None:
    home.erase("customer1@example.org")
    with home.stream.open("ab") as file:
        file.write(again)
    report = home.read()
    assert (report.accepted, report.erased) == (0, 1)
    assert [r["kind"] for r in home.rows("SELECT kind FROM alerts")] == ["intake.erased_again"]
    refused = TombstoneFile(IntakeFiles(home.root).tombstones, SECRET).refuses
    assert LineLog(home.stream, refused).append([again]) == [False]


def test_a_reused_message_id_of_somebody_else_is_not_refused(home: Home) -> None:
    """Broken senders reuse Message-IDs: a stranger's mail must not be lost over an erasure."""
    home.erase("customer1@example.org")
    home.append(line(50, internet_message_id="<1@customer.example>"))
    assert home.read().accepted == 1


def test_he_may_write_again(home: Home) -> None:
    home.erase("customer1@example.org")
    home.append(line(60, sender={"address": "customer1@example.org"}))
    assert home.read().accepted == 1


def test_a_mail_that_only_names_him_stays_and_is_told_of(home: Home) -> None:
    home.append(line(70, body_text="I write for customer1@example.org"))
    home.read()
    done = Eraser(home.database, home.root, SECRET).erase(
        "customer1@example.org", actor="ada", reason="request 12"
    )
    assert b"I write for customer1" in home.stream.read_bytes()
    (key,) = done.mentioned_in
    assert home.rows(f"SELECT original_id FROM work_orders WHERE key = '{key}'")
    assert done.left == {}


def test_a_bad_line_that_names_him_goes_with_its_head(home: Home) -> None:
    with home.stream.open("ab") as file:
        file.write(b'{"broken": "customer1@example.org"\n{"broken": "somebody else"\n')
    home.read()
    home.erase("customer1@example.org")
    (row,) = home.rows("SELECT head FROM quarantine")
    assert b"somebody else" in bytes(row["head"])
    assert home.read().lines == 0
    assert count_lines(home.database, home.stream).holds


class Killed(BaseException):
    """A kill at one place."""


_PLACES = (
    "files.write_tombstones",
    "files.blank_lines",
    "files.blank_stream",
    "files.mask_words",
    "rows.erase_rows",
    "residues",
)


@pytest.mark.parametrize("place", [*_PLACES, "overwrite", "settle"])
def test_killed_anywhere_it_is_ended_by_asking_again(
    home: Home, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.append(line(30))
    (home.root / "intake" / "events.jsonl").write_bytes(line(7))
    with monkeypatch.context() as killing:
        _kill_at(killing, place)
        with pytest.raises(Killed):
            home.erase("customer7@example.org")
    report = home.read()
    assert (report.gaps, home.generations()) == ((), [1])
    assert (report.accepted, "mail-number-30" in home.ids()) == (1, True)
    if "mail-number-7" in home.ids():
        home.erase("customer7@example.org")
    said = b"".join(path.read_bytes() for path in (home.root / "intake").iterdir())
    assert b"customer7@" not in said
    assert "mail-number-7" not in home.ids()
    assert [
        r["done"] for r in home.rows("SELECT finished_at IS NOT NULL AS done FROM erasure")
    ] == [True]
    assert home.read().lines == 0
    assert count_lines(home.database, home.stream).holds


def _kill_at(killing: pytest.MonkeyPatch, place: str) -> None:
    def killed(*_arguments: object, **_more: object) -> None:
        raise Killed

    def half(descriptor: int, ranges: object) -> None:
        (first, *_rest) = ranges  # type: ignore[misc]
        real(descriptor, [(first[0], 40)])
        raise Killed

    real = blanking.overwrite
    if place == "overwrite":
        killing.setattr(blanking, "overwrite", half)
    elif place == "settle":
        killing.setattr(blanking, "settle", _at_the_second_call(blanking.settle))
    else:
        room, _, name = place.rpartition(".")
        killing.setattr(getattr(erasure, room) if room else erasure, name, killed)


def _at_the_second_call(real):  # type: ignore[no-untyped-def]
    calls: list[int] = []

    def settle(*arguments: object) -> None:
        calls.append(1)
        if len(calls) > 1:
            raise Killed
        real(*arguments)

    return settle


def test_writers_and_readers_at_work_lose_nothing_over_an_erasure(home: Home) -> None:
    stop = threading.Event()
    seen: list[bytes] = []

    def write() -> None:
        log = LineLog(home.stream)
        for number in range(100, 160):
            log.append([line(number)])
        stop.set()

    def follow() -> None:
        while not stop.is_set():
            home.follower.turn(seen.extend)

    threads = [threading.Thread(target=write), threading.Thread(target=follow)]
    for thread in threads:
        thread.start()
    for number in range(8):
        home.read()
        home.erase(f"customer{number}@example.org")
    for thread in threads:
        thread.join(120)
    home.follower.turn(seen.extend)
    while home.read().lines:
        pass
    assert sorted(home.ids()) == sorted(f"mail-number-{n}" for n in range(100, 160))
    assert {json.loads(x).get("id") for x in seen} >= {f"mail-number-{n}" for n in range(100, 160)}
    assert home.generations() == [1]
    assert count_lines(home.database, home.stream).holds
