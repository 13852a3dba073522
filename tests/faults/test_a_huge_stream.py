"""T51: a stream of absurd size takes neither the reader's memory nor the next good line.

The reader is a process of its own, so that what it needs at most can be read off the kernel.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

pytestmark = [pytest.mark.faults, pytest.mark.integration]

MOST_MEMORY = 300 << 20
HUGE_LINE = 200 << 20
TINY_LINES = 1_000_000

# VmHWM and not ru_maxrss: a child inherits the latter from the test that started it.
_READER = """
import re, sys
from pathlib import Path
from swarm.intake.stream.tick import ingest
from swarm.store.database import Database
database = Database(sys.argv[1], max_connections=1)
lines = 0
while (report := ingest(database, Path(sys.argv[2]), "a secret of the tests")).lines:
    lines += report.lines
database.close()
print(lines, 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]))
"""

GOOD = {
    "schema_version": "1",
    "id": "mail-1",
    "mailbox": "service@example.com",
    "sender": {"address": "ada@example.org", "name": "Ada"},
    "subject": "Where is my parcel?",
    "body_text": "Hello,\nwhere is my parcel?\n",
    "received_at": "2026-03-01T10:00:00Z",
    "source": "graph",
}


def one_huge_line() -> Iterator[bytes]:
    yield from (b"x" * (1 << 20) for _ in range(HUGE_LINE >> 20))
    yield b"\n"


def a_million_tiny_lines() -> Iterator[bytes]:
    yield from (b"{}\n" * 10_000 for _ in range(TINY_LINES // 10_000))


@pytest.mark.fault("T51")
@pytest.mark.parametrize(
    ("absurd", "lines"), [(one_huge_line, 1), (a_million_tiny_lines, TINY_LINES)]
)
def test_an_absurd_stream_is_quarantined_told_in_bounded_memory_and_the_next_line_is_read(
    database_url: str, tmp_path: Path, absurd: Callable[[], Iterator[bytes]], lines: int
) -> None:
    stream = tmp_path / "work_orders.jsonl"
    with stream.open("wb") as file:
        file.writelines(absurd())
        file.write(json.dumps(GOOD).encode() + b"\n")
    done = subprocess.run(
        [sys.executable, "-c", _READER, database_url, str(stream)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    read, memory = map(int, done.stdout.split())
    assert read == lines + 1
    assert memory < MOST_MEMORY
    with psycopg.connect(database_url) as connection:
        connection.execute("SET search_path = swarm")
        found = connection.execute(
            "SELECT (SELECT count(*) FROM work_orders), (SELECT count(*) FROM quarantine),"
            " (SELECT count FROM alerts WHERE kind = 'intake.quarantined')"
        ).fetchone()
    assert found == (1, lines, lines)
