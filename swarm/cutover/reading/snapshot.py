"""One snapshot of the database: REPEATABLE READ, read only, with its time."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg.rows import dict_row

from swarm.cutover.report import MOST_NAMED, Shortfall
from swarm.store.database import Connection, Row
from swarm.store.database_errors import in_our_words

_OPTIONS = (
    "-c search_path=swarm,public -c timezone=UTC -c statement_timeout=120s"
    " -c idle_in_transaction_session_timeout=300s"
)

SETTLES = timedelta(minutes=10)  # a work order or an outcome that is younger may still come


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is asked, of when: ``since`` bounds what happened live, ``at`` is now."""

    connection: Connection
    at: datetime
    since: datetime
    received_since: datetime | None = None

    @property
    def values(self) -> Mapping[str, object]:
        """Return the times as the statements of this room name them."""
        return {"since": self.since, "at": self.at, "settled": self.at - SETTLES}

    def rows(self, statement: str, **more: object) -> list[Row]:
        """Return the rows of a statement."""
        return self.connection.execute(statement.encode(), {**self.values, **more}).fetchall()

    def one(self, statement: str, **more: object) -> Row:
        """Return the only row of a statement."""
        (row,) = self.rows(statement, **more)
        return row

    def gap(self, kind: str, statement: str, **more: object) -> Shortfall:
        """Return what a statement gives per breach (``subject``) as a gap."""
        return gap(kind, [str(row["subject"]) for row in self.rows(statement, **more)])


def gap(kind: str, subjects: Sequence[str]) -> Shortfall:
    """Return a gap of these subjects, each counted once, the first fifty named."""
    distinct = tuple(dict.fromkeys(subjects))
    return Shortfall(kind=kind, count=len(distinct), keys=distinct[:MOST_NAMED])


@contextmanager
def taken(url: str, live: timedelta, since: datetime | None = None) -> Iterator[Snapshot]:
    """Yield a snapshot as of now; ``since`` bounds everything, comparisons too (a watch)."""
    with (
        in_our_words(),
        psycopg.connect(
            url, row_factory=dict_row, options=_OPTIONS, connect_timeout=10
        ) as connection,
    ):
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        row = connection.execute("SELECT clock_timestamp() AS at").fetchone()
        at: datetime = (row or {})["at"]
        yield Snapshot(connection, at, since or at - live, since)
