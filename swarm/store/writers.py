"""What another login than our services' wrote into the tables, row by row.

The database notes it as it happens (migration 0055): the time is its own, and no writer can say
otherwise. Beside that each row carries its last writer, which shows what was written while the
triggers slept. What lives elsewhere: whether the rights are as laid down (``role_setup.problems``).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from psycopg import sql

from swarm.models import Noun
from swarm.store.database import Connection

_NOTED = """
SELECT table_name AS table, coalesce(work_order_key, nullif(subject, ''), '?') AS subject, writer,
       count(*) AS changes
  FROM foreign_writes
 WHERE %(since)s::timestamptz IS NULL OR at >= %(since)s
 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""

# Whose last writer is a stranger, and of which nothing was noted: triggers were asleep.
_UNNOTED = """
SELECT {table} AS table, {subject}::text AS subject, t.writer, 1 AS changes
  FROM {name} t
 WHERE t.writer <> ALL (%(known)s) AND (%(since)s::timestamptz IS NULL OR {at} >= %(since)s)
   AND NOT EXISTS (SELECT 1 FROM foreign_writes f
                    WHERE f.table_name = {table} AND f.writer = t.writer
                      AND coalesce(f.work_order_key, f.subject) = {subject}::text)
 ORDER BY 2 LIMIT 1000
"""

_KNOWN = "SELECT writer FROM service_writers"

BEFORE: Final = "before"
"""The writer of rows from before there were writers; nobody is accused for those."""

WRITTEN: Final[Mapping[str, tuple[str, str]]] = {
    "work_orders": ("key", "accepted_at"),
    "swarm_jobs": ("work_order_key", "queued_at"),
    "workflow_runs": ("work_order_key", "started_at"),
    "workflow_events": ("work_order_key", "at"),
    "artifacts": ("work_order_key", "at"),
    "verdicts": ("work_order_key", "at"),
    "model_calls": ("work_order_key", "at"),
    "intake_line": ("work_order_key", "received_at"),
    "publisher_control": ("id", "at"),
    "publisher_history": ("epoch", "at"),
    "publication_ledger": ("work_order_key", "changed_at"),
    "publication_payload": ("work_order_key", "at"),
    "publication_log": ("work_order_key", "at"),
    "releases": ("work_order_key", "at"),
    "escalations": ("work_order_key", "received_at"),
    "legacy_outcomes": ("work_order_key", "read_at"),
    "reply_outcomes": ("work_order_key", "changed_at"),
    "history_imports": ("id", "at"),
    "history_orders": ("work_order_key", "received_at"),
    "danger_labels": ("work_order_key", "at"),
    "replays": ("work_order_key", "at"),
    "comparisons": ("work_order_key", "at"),
    "engine_heartbeats": ("process", "at"),
    "looks": ("at", "planned_at"),
    "readiness_reports": ("id", "at"),
    "gate_results": ("report_id", ""),
    "certificates": ("id", "issued_at"),
    "certificate_voids": ("certificate_id", "at"),
}
"""Table whose rows carry their writer -> its subject, and its own time (empty: none)."""


class ForeignWrite(Noun):
    """What one stranger did to one subject of one table; ``subject`` is a key or a number."""

    table: str
    subject: str
    writer: str
    changes: int

    def __str__(self) -> str:
        """Say it in one sentence."""
        times = "once" if self.changes == 1 else f"{self.changes} times"
        return f"{self.writer} wrote to {self.table} of {self.subject} {times}"


def foreign_writers(
    connection: Connection, since: datetime | None = None
) -> tuple[ForeignWrite, ...]:
    """Return what others than the services wrote from ``since`` on; None: ever.

    Empty proves only as much as the rights do: where one login does everything, people write by it.
    """
    values = {"since": since, "known": [BEFORE, *service_set(connection)]}
    found = [ForeignWrite.model_validate(r) for r in connection.execute(_NOTED, values)]
    for table in WRITTEN:
        found += [
            ForeignWrite.model_validate(row) for row in connection.execute(_unnoted(table), values)
        ]
    return tuple(found)


def service_set(connection: Connection) -> frozenset[str]:
    """Return every login that ever wrote as a service."""
    return frozenset(row["writer"] for row in connection.execute(_KNOWN))


def _unnoted(table: str) -> sql.Composed:
    subject, at = WRITTEN[table]
    return sql.SQL(_UNNOTED).format(
        table=sql.Literal(table),
        name=sql.Identifier(table),
        subject=sql.SQL("coalesce(t.{}::text, '?')").format(sql.Identifier(subject)),
        at=sql.Identifier("t", at) if at else sql.SQL("'infinity'::timestamptz"),
    )
