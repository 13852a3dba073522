"""The proof of an erasure: every table and every file, searched for what should be gone.

Reads only, and reads everything: minutes on a large database. What cannot be searched is said.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from psycopg import sql

from swarm.lifecycle.erasure_files import files_that_say
from swarm.lifecycle.erasure_rows import like_patterns
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


def residues(database: Database, home: Path, needles: Sequence[str]) -> Counter[str]:
    """Return in how many rows of which table and how often in which file a needle stands."""
    with database.transaction() as connection:
        connection.execute("SET TRANSACTION READ ONLY")
        connection.execute("SET LOCAL statement_timeout = 0")
        found = _in_tables(connection, like_patterns(needles))
    return found + files_that_say(home, needles)


def _in_tables(connection: Connection, patterns: Sequence[str]) -> Counter[str]:
    tables: dict[tuple[str, str], list[sql.Composable]] = {}
    for row in connection.execute(_COLUMNS).fetchall():
        said = tables.setdefault((row["schema"], row["name"]), [])
        said.append(_as_text(row["said"], row["kind"]))
    counts = Counter[str]()
    for (schema, name), said in tables.items():
        statement = sql.SQL(
            "SELECT count(*) AS n FROM {} WHERE lower(concat_ws(' ', {})) LIKE ANY(%s)"
        ).format(sql.Identifier(schema, name), sql.SQL(", ").join(said))
        found = connection.execute(statement, (list(patterns),)).fetchone()
        counts[f"{schema}.{name}"] = found["n"] if found else 0
    return +counts


def _as_text(column: str, kind: str) -> sql.Composable:
    form = "encode({}, 'escape')" if kind == "bytea" else "{}::text"
    return sql.SQL(form).format(sql.Identifier(column))
