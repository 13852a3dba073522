"""The proof of an erasure: every table and every file, searched for what should be gone.

A row of a mail that stays may name him; whose it is, is told by its columns (``_OWNERS``).
Reads only, and reads everything: minutes on a large database. What cannot be searched is said.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from psycopg import sql

from swarm.lifecycle.erasure_files import files_that_say
from swarm.lifecycle.erasure_rows import KEY_LENGTH, like_patterns
from swarm.lifecycle.erasure_scope import ErasureScope
from swarm.store.database import Connection, Database

_COLUMNS = """
SELECT c.table_schema AS schema, c.table_name AS name, c.column_name AS said, c.data_type AS kind
  FROM information_schema.columns c
  JOIN information_schema.tables t USING (table_schema, table_name)
 WHERE t.table_type = 'BASE TABLE'
   AND c.table_schema NOT IN ('pg_catalog', 'information_schema')
   AND c.data_type IN ('text', 'character varying', 'json', 'jsonb', 'bytea', 'ARRAY')
 ORDER BY c.table_schema, c.table_name, c.ordinal_position
"""

_STAYING = """
SELECT key FROM work_orders WHERE key = ANY(%(keys)s)
 UNION SELECT key FROM sorted_out WHERE key = ANY(%(keys)s)
 UNION SELECT work_order_key FROM history_orders WHERE work_order_key = ANY(%(keys)s)
"""

# By which column a row says whose it is.
_OWNERS = {
    "work_order_key": "t.work_order_key",
    "thread_id": f"left(t.thread_id, {KEY_LENGTH})",
    "partition": "t.partition",
}

# Dagster's rows say it by their run, and so does what an asset shows as its newest.
_BY_RUN = {
    column: f"(SELECT r.partition FROM public.runs r WHERE r.run_id = t.{column})"
    for column in ("run_id", "last_run_id")
}

_DOERS = frozenset({"actor", "seen_by", "taken_by", "acknowledged_by"})


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: what should be gone, and the mails of which a row rightly names it."""

    left: Counter[str] = field(default_factory=Counter)
    mentioned_in: frozenset[str] = frozenset()


def residues(database: Database, home: Path, scope: ErasureScope) -> Found:
    """Return in how many rows of which table and how often in which file it still stands.

    A row of a mail that stays is no residue: whose it is, is returned instead.
    """
    names = scope.telling_names()
    with database.transaction() as connection:
        connection.execute("SET TRANSACTION READ ONLY")
        connection.execute("SET LOCAL statement_timeout = 0")
        rows = list(_in_tables(connection, like_patterns(scope.needles()), like_patterns(names)))
        owners = {owner for _, owner, _ in rows if owner}
        staying = {r["key"] for r in connection.execute(_STAYING, {"keys": sorted(owners)})}
    left = Counter[str]()
    for place, owner, count in rows:
        left[place] += 0 if owner in staying else count
    words = (*scope.needles(), *names)
    return Found(+left + files_that_say(home, words, scope.about), frozenset(staying))


def _in_tables(
    connection: Connection, patterns: Sequence[str], names: Sequence[str]
) -> Iterator[tuple[str, str | None, int]]:
    """Yield place, whose rows and how many; who did something is no name of whom it was done to."""
    tables: dict[tuple[str, str], dict[str, sql.Composable]] = {}
    for row in connection.execute(_COLUMNS).fetchall():
        said = tables.setdefault((row["schema"], row["name"]), {})
        said[row["said"]] = _as_text(row["said"], row["kind"])
    for (schema, name), said in tables.items():
        others = [text for column, text in said.items() if column not in _DOERS]
        statement = sql.SQL(
            "SELECT {} AS owner, count(*) AS n FROM {} t WHERE lower(concat_ws(' ', {}))"
            " LIKE ANY(%s) OR lower(concat_ws(' ', NULL, {})) LIKE ANY(%s) GROUP BY 1"
        ).format(
            sql.SQL(_owner(schema, name, said)),
            sql.Identifier(schema, name),
            _joined(said.values()),
            _joined(others or [sql.NULL]),
        )
        for row in connection.execute(statement, (list(patterns), list(names))).fetchall():
            yield f"{schema}.{name}", row["owner"], row["n"]


def _owner(schema: str, table: str, columns: Collection[str]) -> str:
    """Return SQL of whose work order a row is."""
    if (schema, table) in {("swarm", "work_orders"), ("swarm", "sorted_out")}:
        return "t.key"
    if (schema, table) == ("swarm", "alerts"):
        return "t.subject"
    ways = {**_OWNERS, **(_BY_RUN if schema == "public" else {})}
    said = [owner for column, owner in ways.items() if column in columns]
    return f"coalesce({', '.join(said)})" if said else "NULL::text"


def _joined(texts: Iterable[sql.Composable]) -> sql.Composable:
    return sql.SQL(", ").join(texts)


def _as_text(column: str, kind: str) -> sql.Composable:
    form = "encode({}, 'escape')" if kind == "bytea" else "{}::text"
    return sql.SQL(form).format(sql.Identifier(column))
