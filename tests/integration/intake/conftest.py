"""A stream file of this test's own, written the way the real writer writes it."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from swarm.intake.stream.tick import IngestReport, ingest
from swarm.store.database import Database, Row

SECRET = "a secret of the tests"


def good_line(number: int | str = 1, **changes: object) -> dict[str, object]:
    """A line with nothing wrong with it."""
    return {
        "schema_version": "1",
        "id": f"mail-{number}",
        "mailbox": "service@example.com",
        "sender": {"address": "ada@example.org", "name": "Ada"},
        "subject": "Where is my parcel?",
        "body_text": "Hello,\nwhere is my parcel?\n",
        "received_at": "2026-03-01T10:00:00Z",
        "source": "graph",
        **changes,
    }


def encoded(*lines: Mapping[str, object]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@dataclass
class Stream:
    """The live file, and the reader under test."""

    path: Path
    database: Database

    def append(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)

    def read(self, **options: object) -> IngestReport:
        return ingest(self.database, self.path, SECRET, **options)  # type: ignore[arg-type]

    def rotate(self, number: int) -> None:
        os.rename(self.path, f"{self.path}.{number}")  # noqa: PTH104 - what logrotate does

    def rows(self, sql: str) -> list[Row]:
        with self.database.transaction() as connection:
            return connection.execute(sql.encode()).fetchall()

    def count(self, table: str, where: str = "true") -> int:
        return int(self.rows(f"SELECT count(*) AS n FROM {table} WHERE {where}")[0]["n"])

    def work_off(self, *, leaving: int) -> None:
        """Let the oldest work orders have been worked on, all but so many."""
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE swarm_jobs SET state = 'done' WHERE work_order_key NOT IN (SELECT"
                " work_order_key FROM swarm_jobs ORDER BY queued_at DESC LIMIT %s)",
                (leaving,),
            )


@pytest.fixture
def stream(tmp_path: Path, database: Database) -> Stream:
    """An empty place for a stream, with a migrated database beside it."""
    return Stream(tmp_path / "work_orders.jsonl", database)


@pytest.fixture
def make_line() -> Callable[..., dict[str, object]]:
    return good_line
