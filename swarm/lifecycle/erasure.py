"""Erasing a person's data: all that our tables and the graphs' checkpoints know of a work order.

Only an ended work order can be erased; what stays is the count of its intake line. The rest is for
a person: Dagster's runs and partition and the line in the intake file (the report names them),
backups, and the mailbox. What lives elsewhere: ageing out scratch (``retention``).
"""

from datetime import datetime

from psycopg import sql

from swarm.errors import RefusedError
from swarm.models import Noun
from swarm.store.database import Connection, Database, table_exists
from swarm.store.postgres_events import lock

# Children first. Each names the work order in the column beside it.
_TABLES = (
    ("langgraph", "checkpoint_writes", "thread_id"),
    ("langgraph", "checkpoint_blobs", "thread_id"),
    ("langgraph", "checkpoints", "thread_id"),
    ("swarm", "alerts", "subject"),
    ("swarm", "publication_log", "work_order_key"),
    ("swarm", "publication_ledger", "work_order_key"),
    ("swarm", "publication_payload", "work_order_key"),
    ("swarm", "escalations", "work_order_key"),
    ("swarm", "model_calls", "work_order_key"),
    ("swarm", "verdicts", "work_order_key"),
    ("swarm", "artifacts", "work_order_key"),
    ("swarm", "workflow_events", "work_order_key"),
    ("swarm", "workflow_runs", "work_order_key"),
    ("swarm", "releases", "work_order_key"),
    ("swarm", "revision", "work_order_key"),
    ("swarm", "swarm_jobs", "work_order_key"),
    ("swarm", "work_orders", "key"),
)

_KEY_LENGTH = 27  # a thread of a graph is named by its work order first

_RUNS = "SELECT run_id FROM workflow_runs WHERE work_order_key = %s ORDER BY token"

# The line is still counted (promise 1), but no longer tells whose it was or what it said.
_FORGET_LINES = """
UPDATE intake_line
   SET work_order_key = NULL, canonical_sha256 = NULL, line_sha256 = 'erased'
 WHERE work_order_key = %s
RETURNING stream, generation, byte_offset, length, received_at
"""


class IntakeSegment(Noun):
    """Where in an intake file the mail still stands."""

    stream: str
    generation: int
    byte_offset: int
    length: int
    received_at: datetime


class Erasure(Noun):
    """What was erased, and what a person still has to erase elsewhere."""

    key: str
    rows: dict[str, int]
    dagster_runs: tuple[str, ...]
    intake_segments: tuple[IntakeSegment, ...]


def erase(database: Database, key: str) -> Erasure:
    """Erase an ended work order for good, in one transaction; returns what remains elsewhere.

    Raises ``RefusedError`` while it is live, and ``MalformedInputError`` when there is no
    such work order.
    """
    with database.transaction() as connection:
        _require_ended(connection, key)
        runs = tuple(row["run_id"] for row in connection.execute(_RUNS, (key,)))
        segments = connection.execute(_FORGET_LINES, (key,)).fetchall()
        connection.execute("SELECT set_config('swarm.erasing', %s, true)", (key,))
        rows = {f"{table[0]}.{table[1]}": _delete(connection, table, key) for table in _TABLES}
    return Erasure(
        key=key,
        rows={table: count for table, count in rows.items() if count},
        dagster_runs=runs,
        intake_segments=tuple(IntakeSegment.model_validate(row) for row in segments),
    )


def _require_ended(connection: Connection, key: str) -> None:
    locked = lock(connection, key)
    if not locked.state.final:
        raise RefusedError(
            f"a work order that is {locked.state} cannot be erased",
            work_order=key,
            hint="wait for its end, or hold it first",
        )


def _delete(connection: Connection, table: tuple[str, str, str], key: str) -> int:
    schema, name, column = table
    if not table_exists(connection, f"{schema}.{name}"):  # no checkpoints without LangGraph
        return 0
    matches = "left({}, {}) = %s" if column == "thread_id" else "{} = %s"
    where = sql.SQL(matches).format(sql.Identifier(column), sql.Literal(_KEY_LENGTH))
    statement = sql.SQL("DELETE FROM {} WHERE {}").format(sql.Identifier(schema, name), where)
    return connection.execute(statement, (key,)).rowcount
