"""Which work orders an audit must work out again: those anything was written for, and the open.

A row that was written since the last clean audit carries a younger transaction number, whoever
wrote it and whatever triggers were off; what was taken out shows in the counts (``marks``). So an
audit of what is new misses nothing that a whole one would find in the tables, as long as the last
one was clean: nobody can change a row and leave its ``xmin`` as it was.
"""

from collections.abc import Mapping
from typing import Final

from psycopg import sql

from swarm.observe.audit.marks import Here, Mark
from swarm.store.database import Connection

# What only grows, but for an erasure: table -> the column that names the work order, if any.
_TABLES: Final[Mapping[str, str | None]] = {
    "work_orders": "key",
    "swarm_jobs": "work_order_key",
    "workflow_runs": "work_order_key",
    "workflow_events": "work_order_key",
    "artifacts": "work_order_key",
    "verdicts": "work_order_key",
    "model_calls": "work_order_key",
    "escalations": "work_order_key",
    "revision": "work_order_key",
    "publication_ledger": "work_order_key",
    "publication_payload": "work_order_key",
    "publication_log": "work_order_key",
    "intake_line": "work_order_key",
    "intake_offset": None,
    "alerts": None,
    "publisher_history": None,
    "legacy_proof": None,
    "legacy_decommission": None,
}

_ERASED = "erased lines"

_SCAN = """
SELECT count(*) AS rows,
       array_agg(DISTINCT {column}) FILTER (WHERE age(xmin) <= %(age)s) AS keys
  FROM {table}
"""

_ERASED_LINES = "SELECT count(*) AS rows FROM intake_line WHERE line_sha256 = 'erased'"

_ALL = "SELECT key FROM work_orders UNION SELECT work_order_key FROM publication_ledger ORDER BY 1"

_OPEN = """
SELECT key FROM work_orders WHERE final_at IS NULL
 UNION
SELECT work_order_key FROM publication_ledger
 WHERE state NOT IN ('CONFIRMED', 'HELD', 'DEAD')
 ORDER BY 1
"""

_NOTHING_IS_NEW = -1


class Written:
    """What one look at every table gave: how many rows there are, and whose are new."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.keys: set[str] = set()


def look(connection: Connection, since: Mark | None) -> Written:
    """Count every table, and collect the work orders written for since the mark."""
    written = Written()
    age = _NOTHING_IS_NEW if since is None else _age(connection, since)
    for table, column in _TABLES.items():
        statement = sql.SQL(_SCAN).format(
            table=sql.Identifier(table),
            column=sql.Identifier(column) if column else sql.SQL("NULL::text"),
        )
        row = connection.execute(statement, {"age": age}).fetchone() or {}
        written.counts[table] = row["rows"]
        written.keys |= {key for key in row["keys"] or () if key is not None}
    written.counts[_ERASED] = (connection.execute(_ERASED_LINES).fetchone() or {})["rows"]
    return written


def comparable(mark: Mark, here: Here) -> bool:
    """Whether the mark's transaction numbers mean anything here: same cluster, not yet wrapped."""
    same = mark.cluster == here.cluster and mark.horizon <= here.horizon
    return same and here.horizon - mark.horizon < 1 << 30


def erased_since(mark: Mark, counts: Mapping[str, int]) -> bool:
    """Whether work orders were erased since: then fewer rows are as they should be."""
    return counts[_ERASED] > mark.counts.get(_ERASED, 0)


def all_keys(connection: Connection) -> list[str]:
    """Return every work order that the tables or the ledger know."""
    return [row["key"] for row in connection.execute(_ALL)]


def open_keys(connection: Connection) -> list[str]:
    """Return what is not at its end."""
    return [row["key"] for row in connection.execute(_OPEN)]


def _age(connection: Connection, mark: Mark) -> int:
    row = connection.execute(
        "SELECT age((%s::bigint %% 4294967296)::text::xid) AS age", (mark.horizon,)
    ).fetchone()
    return int(row["age"]) if row else _NOTHING_IS_NEW
