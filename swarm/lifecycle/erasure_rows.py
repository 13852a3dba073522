"""Erasing work orders from our own tables and from the graphs' checkpoints.

Every table of ours that names a work order is found by its column ``work_order_key``, so that a new
table is reached without being named here. What lives elsewhere: Dagster's tables
(``erasure_dagster``), files (``erasure_files``), what is meant (``erasure_scope``).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from graphlib import TopologicalSorter

from psycopg import sql

from swarm.lifecycle.erasure_scope import ErasureScope
from swarm.store.database import Connection
from swarm.store.tombstones import ERASED

KEY_LENGTH = 27  # a thread of a graph is named by its work order first

_NAMING = """
SELECT c.table_name AS name FROM information_schema.columns c
  JOIN information_schema.tables t USING (table_schema, table_name)
 WHERE t.table_type = 'BASE TABLE'
   AND c.table_schema = %(schema)s AND c.column_name = %(column)s
 ORDER BY c.table_name
"""

_REFERENCES = """
SELECT child.relname AS child, parent.relname AS parent
  FROM pg_constraint f
  JOIN pg_class child ON child.oid = f.conrelid
  JOIN pg_class parent ON parent.oid = f.confrelid
 WHERE f.contype = 'f' AND f.connamespace = 'swarm'::regnamespace AND child.oid <> parent.oid
"""

# The line is still counted (promise 1), but no longer tells whose it was or what it said.
_FORGET_LINES = """
UPDATE intake_line
   SET status = %(erased)s, work_order_key = NULL, canonical_sha256 = NULL, line_sha256 = %(erased)s
 WHERE work_order_key = ANY(%(keys)s)
"""

_FORGET_BAD_LINES = """
WITH gone AS (
    DELETE FROM quarantine
     WHERE lower(encode(head, 'escape')) LIKE ANY(%(patterns)s)
 RETURNING stream, generation, byte_offset)
UPDATE intake_line l
   SET status = %(erased)s, canonical_sha256 = NULL, line_sha256 = %(erased)s
  FROM gone
 WHERE (l.stream, l.generation, l.byte_offset) = (gone.stream, gone.generation, gone.byte_offset)
"""

_FORGET_ALERTS = """
DELETE FROM alerts a
 WHERE a.subject = ANY(%(keys)s)
    OR (lower(a.detail) LIKE ANY(%(patterns)s)
        AND NOT EXISTS (SELECT 1 FROM work_orders w WHERE w.key = a.subject))
"""

# His own alone: a mail of somebody else that names him in its subject is still told of.
_FORGET_SORTED_OUT = """
DELETE FROM sorted_out
 WHERE key = ANY(%(keys)s) OR lower(original_id) = ANY(%(ids)s)
    OR (%(address)s <> '' AND (lower(sender) = %(address)s
                               OR position('<' || %(address)s || '>' IN lower(sender)) > 0))
"""

_IN_FLIGHT = """
SELECT w.key, w.state, j.state AS job, l.state AS publication
  FROM work_orders w
  LEFT JOIN swarm_jobs j ON j.work_order_key = w.key
  LEFT JOIN publication_ledger l ON l.work_order_key = w.key
 WHERE w.key = ANY(%s) ORDER BY w.key FOR UPDATE OF w
"""

_FINAL = frozenset({"published", "escalated", "declined", "held", "dead"})
_UNSETTLED = frozenset({"SENDING", "ACCEPTED", "UNKNOWN"})


def objections(connection: Connection, keys: Sequence[str]) -> Iterator[str]:
    """Yield why these work orders cannot be erased now; locks them against a change of that."""
    for row in connection.execute(_IN_FLIGHT, (list(keys),)).fetchall():
        if row["state"] not in _FINAL:
            yield f"{row['key']} is {row['state']}: wait for its end, or hold it first"
        if row["job"] == "running":
            yield f"{row['key']} is held by a run: wait for its end"
        if row["publication"] in _UNSETTLED:
            yield f"{row['key']} has a publication in flight ({row['publication']})"


def count_rows(connection: Connection, keys: Sequence[str]) -> Counter[str]:
    """Return how many rows of which table name these work orders."""
    counts = Counter[str]()
    for schema, table, column in _places(connection):
        where = _names_one_of(column)
        statement = sql.SQL("SELECT count(*) AS n FROM {} WHERE {}")
        query = statement.format(sql.Identifier(schema, table), where)
        row = connection.execute(query, {"keys": list(keys)}).fetchone()
        counts[f"{schema}.{table}"] = row["n"] if row else 0
    return +counts


def erase_rows(connection: Connection, scope: ErasureScope) -> Counter[str]:
    """Delete what is meant from every table of ours; returns how many rows went where."""
    values = {
        "keys": list(scope.keys),
        "patterns": like_patterns(scope.needles()),
        "erased": ERASED,
        "ids": [mail.id.lower() for mail in scope.mails if mail.id],
        "address": scope.address,
    }
    counts = Counter[str]()
    counts["swarm.intake_line"] += connection.execute(_FORGET_LINES, values).rowcount
    counts["swarm.quarantine"] += connection.execute(_FORGET_BAD_LINES, values).rowcount
    counts["swarm.sorted_out"] += connection.execute(_FORGET_SORTED_OUT, values).rowcount
    counts["swarm.alerts"] += connection.execute(_FORGET_ALERTS, values).rowcount
    places = [place for place in _places(connection) if place[1] != "intake_line"]
    for key in scope.keys:
        # Append-only tables let go of rows only in the transaction that names their work order.
        connection.execute("SELECT set_config('swarm.erasing', %s, true)", (key,))
        for schema, table, column in places:
            statement = sql.SQL("DELETE FROM {} WHERE {}").format(
                sql.Identifier(schema, table), _names_one_of(column)
            )
            gone = connection.execute(statement, {"keys": [key]})
            counts[f"{schema}.{table}"] += gone.rowcount
    return +counts


def like_patterns(needles: Sequence[str]) -> list[str]:
    """Return patterns for LIKE that find the needles as they stand, in bytes written out too."""
    escaped = (_as_escaped_bytes(needle) for needle in needles)
    wanted = dict.fromkeys(each for pair in zip(needles, escaped, strict=True) for each in pair)
    return [f"%{_literally(each)}%" for each in wanted]


def _places(connection: Connection) -> list[tuple[str, str, str]]:
    """Return schema, table and column of everything that names a work order, children first."""
    ours = {row["name"] for row in _tables(connection, "swarm", "work_order_key")} | {"work_orders"}
    order: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(ours, ()))
    for row in connection.execute(_REFERENCES).fetchall():
        order.add(row["parent"], row["child"])
    graphs = [row["name"] for row in _tables(connection, "langgraph", "thread_id")]
    return [
        *(("langgraph", name, "thread_id") for name in graphs),
        *(
            ("swarm", name, "key" if name == "work_orders" else "work_order_key")
            for name in order.static_order()
            if name in ours
        ),
    ]


def _tables(connection: Connection, schema: str, column: str) -> list[dict[str, str]]:
    return connection.execute(_NAMING, {"schema": schema, "column": column}).fetchall()


def _names_one_of(column: str) -> sql.Composable:
    name = "left({}, {}) = ANY(%(keys)s)" if column == "thread_id" else "{} = ANY(%(keys)s)"
    return sql.SQL(name).format(sql.Identifier(column), sql.Literal(KEY_LENGTH))


def _literally(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _as_escaped_bytes(text: str) -> str:
    """Spell a text as ``encode(bytea, 'escape')`` does."""
    spelt = (f"\\{byte:03o}" if byte > 127 else chr(byte) for byte in text.encode())  # noqa: PLR2004
    return "".join("\\\\" if each == "\\" else each for each in spelt)
