"""An erasure killed anywhere is ended by asking again: nothing of the person is left, nobody else
is touched, and his lines are refused from then on.

The killed one is a real process that runs ``swarm erase``; where it dies is said to it by name.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from search_everything import in_files, in_tables

from swarm.errors import MalformedInputError, RefusedError
from swarm.intake.stream.sorted_out import read_sorted_out
from swarm.intake.stream.tick import ingest
from swarm.legacy.follow import Follower
from swarm.legacy.home import IntakeFiles, LegacyFiles
from swarm.legacy.jsonl import LineLog
from swarm.lifecycle.erasure import Eraser
from swarm.sandbox import environment as sandbox_environment
from swarm.store.database import Database

pytestmark = pytest.mark.faults

SECRET = "a secret of the tests"
HIM = "lorenz.quastenhofer@example.org"
PHRASE = "a zephyrine quillwort paperweight"
LISTED = "petra.nurgelesen@example.org"  # every mail of hers was sorted out

# Runs the command and dies at the n-th call of a function, before or after it did its work.
DYING = """
import importlib, os, signal, sys
from swarm.cli.app import app

module, name, number, when, *arguments = sys.argv[1:]
owner = importlib.import_module(module)
*path, last = name.split(".")
for part in path:
    owner = getattr(owner, part)
real, calls = getattr(owner, last), [0]

def dying(*args, **more):
    calls[0] += 1
    if when == "before" and calls[0] == int(number):
        os.kill(os.getpid(), signal.SIGKILL)
    done = real(*args, **more)
    if when == "after" and calls[0] == int(number):
        os.kill(os.getpid(), signal.SIGKILL)
    return done

setattr(owner, last, dying)
sys.argv = ["swarm", "erase", *arguments]
app()
"""

FILES, TABLES = "swarm.lifecycle.erasure_files", "swarm.lifecycle.erasure_rows"
PLACES = [
    ("swarm.store.tombstone_rows", "bury", 1, "before"),
    ("swarm.store.tombstone_rows", "bury", 1, "after"),
    (FILES, "write_tombstones", 1, "before"),
    (FILES, "write_tombstones", 1, "after"),
    (FILES, "blank_lines", 1, "after"),
    ("os", "pwrite", 1, "before"),
    ("os", "pwrite", 1, "after"),
    ("os", "pwrite", 2, "after"),
    (FILES, "write_state", 1, "before"),
    ("swarm.intake.stream.blanking", "announce", 1, "after"),
    (FILES, "_settle", 2, "before"),
    ("swarm.intake.stream.blanking", "overwrite", 2, "after"),
    (FILES, "blank_stream", 1, "after"),
    (FILES, "blank_stream", 2, "after"),
    (FILES, "_mask_file", 1, "after"),
    (FILES, "mask_words", 1, "after"),
    (TABLES, "erase_rows", 1, "before"),
    (TABLES, "_names_one_of", 1, "after"),
    (TABLES, "_names_one_of", 7, "after"),
    (TABLES, "erase_rows", 1, "after"),
    ("swarm.lifecycle.erasure", "residues", 1, "before"),
]


def mail(name: str, sender: str, text: str = "Where is it?") -> dict[str, object]:
    return {
        "schema_version": "1",
        "id": f"mail-of-{name}",
        "message_id": f"AAkALg-{name}",
        "internet_message_id": f"<{name}@customer.example>",
        "mailbox": "service@example.com",
        "sender": {"address": sender, "name": "A customer"},
        "subject": f"Question of {name}",
        "body_text": f"Hello,\n{text}\n",
        "received_at": "2026-03-01T10:00:00Z",
        "source": "graph",
    }


def encoded(said: object) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


OTHERS = [mail(f"other-{n}", f"other{n}@example.org") for n in range(4)]
HIS = [mail("lorenz-1", HIM, PHRASE), mail("lorenz-2", HIM, f"again: {PHRASE}")]
BROKEN = b'{"id": "broken-of-lorenz", "sender": "' + HIM.encode() + b'", "subject": "'
BAD = BROKEN + PHRASE.encode() + b"\n"
BULK = [mail("lorenz-away", HIM, PHRASE), *(mail(f"petra-{n}", LISTED) for n in (1, 2))]


def left_out(said: dict[str, object]) -> bytes:
    sender = said["sender"]
    assert isinstance(sender, dict)
    return encoded({**said, "sender": sender["address"], "reason": "list"})


@dataclass
class Home:
    """An installation of files and tables; every work order in it has ended."""

    root: Path
    database: Database

    def filled(self) -> "Home":
        intake, legacy = IntakeFiles(self.root), LegacyFiles(self.root)
        lines = [encoded(said) for said in (OTHERS[0], HIS[0], OTHERS[1], HIS[1], *OTHERS[2:])]
        ignored = [
            left_out(said) for said in (BULK[0], mail("bulk", "news@example.org"), *BULK[1:])
        ]
        LineLog(intake.events).append([*lines, *(encoded(said) for said in BULK)])
        LineLog(intake.work_orders).append([*lines[:3], BAD, *lines[3:]])
        LineLog(intake.ignored).append(ignored)
        LineLog(legacy.outbox).append([encoded({**said, "decision": "draft"}) for said in HIS])
        (self.root / "logs").mkdir()
        (self.root / "logs" / "a.log").write_text(f"x {HIM} y\nAAkALg-lorenz-away was odd\n")
        Follower(intake.work_orders, legacy.pipeline_state).turn(lambda _lines: None)
        Follower(legacy.outbox, legacy.sender_state).turn(lambda _lines: None)
        self.read()
        with self.database.transaction() as connection:
            connection.execute("UPDATE swarm_jobs SET state = 'done'")
            connection.execute("UPDATE work_orders SET state = 'escalated', final_at = now()")
        return self

    def read(self) -> tuple[int, int]:
        """Read stream and list as the sensor does; returns what went in and what was refused."""
        files = IntakeFiles(self.root)
        report = ingest(self.database, files.work_orders, SECRET)
        listed = read_sorted_out(self.database, files.ignored, SECRET)
        return report.accepted + listed, report.erased

    def killed(self, place: tuple[str, str, int, str], name: str) -> None:
        module, attribute, number, when = place
        given = {
            **os.environ,
            **sandbox_environment(9),
            "SWARM_HOME": str(self.root),
            "SWARM_KEY_SECRET": SECRET,
            "DATABASE_URL": self.database.url,
        }
        given.pop("SWARM_SANDBOX_URL", None)
        asked = [name, "--actor", "ada", "--reason", "request 12"]
        done = subprocess.run(
            [sys.executable, "-c", DYING, module, attribute, str(number), when, *asked],
            env=given, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == -signal.SIGKILL, (done.stdout, done.stderr)

    def erase(self, name: str) -> None:
        """Ask again; that nothing is called so any more is an answer, too."""
        with suppress(MalformedInputError, RefusedError):
            Eraser(self.database, self.root, SECRET).erase(name, actor="ada", reason="request 12")

    def said_of(self, words: list[str]) -> list[str]:
        return [*in_tables(self.database.url, words), *in_files(self.root, words)]

    def ids(self) -> set[str]:
        asked = "SELECT original_id AS id FROM work_orders UNION SELECT original_id FROM sorted_out"
        with self.database.transaction() as connection:
            return {str(row["id"]) for row in connection.execute(asked)}


@pytest.fixture
def home(tmp_path: Path, database: Database) -> Home:
    return Home(tmp_path, database).filled()


def words_of(mails: list[dict[str, object]], address: str) -> list[str]:
    named = [str(said[name]).strip("<>") for said in mails
             for name in ("id", "message_id", "internet_message_id")]  # fmt: skip
    return [address, *named]


def its_place(place: object) -> str:
    return "-".join(str(part).rpartition(".")[2] for part in place)  # type: ignore[attr-defined]


@pytest.mark.fault("T60")
@pytest.mark.parametrize("place", PLACES, ids=its_place)
def test_an_erasure_cut_short_is_ended_by_asking_again(
    home: Home, place: tuple[str, str, int, str]
) -> None:
    words = [*words_of([*HIS, BULK[0]], HIM), "broken-of-lorenz"]
    assert home.said_of([PHRASE, *words]) != []
    home.killed(place, HIM)
    home.read()
    home.erase(HIM)
    assert home.said_of([PHRASE, *words]) == []
    assert home.ids() == {str(said["id"]) for said in (*OTHERS, *BULK[1:])} | {"mail-of-bulk"}
    kept = IntakeFiles(home.root).work_orders.read_bytes()
    assert all(encoded(said) in kept for said in OTHERS), "the lines of others, byte for byte"
    files = IntakeFiles(home.root)
    with files.work_orders.open("ab") as stream:
        stream.writelines(encoded(said) for said in HIS)
    with files.ignored.open("ab") as listed:
        listed.write(left_out(BULK[0]))
    assert home.read() == (0, 2)
    assert home.ids().isdisjoint({str(said["id"]) for said in (*HIS, BULK[0])})


@pytest.mark.fault("T60")
@pytest.mark.parametrize("place", PLACES[4:], ids=its_place)
def test_who_has_no_work_order_is_erased_all_the_same(
    home: Home, place: tuple[str, str, int, str]
) -> None:
    """Every mail of hers was sorted out: files and one table alone know of her."""
    with suppress(AssertionError):  # she has no line in some files: those places are not reached
        home.killed(place, LISTED)
    home.erase(LISTED)
    assert home.said_of(words_of(BULK[1:], LISTED)) == []
    assert home.ids() == {str(said["id"]) for said in (*OTHERS, *HIS, BULK[0])} | {"mail-of-bulk"}
