"""Erasing work orders from Dagster's tables: its event log quotes the mail, its ticks name keys.

Dagster has no purge for any of this, hence plain SQL on its schema (``public`` of our database),
tolerant of tables that are not there. Whatever else of Dagster names a key (ticks, cursors,
backfills, statuses in a cache) keeps its row and gets a key nobody has.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from psycopg import sql

from swarm.store.database import Connection, table_exists

NOBODY = "wo_" + "erased" * 4
"""Stands where a key stood: as long, of the same shape, no work order's."""

_SCHEMA = "public"

_RUNS = """
SELECT r.run_id, r.status FROM public.runs r
 WHERE r.partition = ANY(%(keys)s)
    OR EXISTS (SELECT 1 FROM public.run_tags t
                WHERE t.run_id = r.run_id AND t.key = 'dagster/partition'
                  AND t.value = ANY(%(keys)s))
"""

_ENDED = frozenset({"SUCCESS", "FAILURE", "CANCELED"})

_BY_RUN = (
    (
        "asset_event_tags",
        "event_id IN (SELECT id FROM public.event_logs WHERE run_id = ANY(%(runs)s))",
    ),
    ("asset_check_executions", "run_id = ANY(%(runs)s)"),
    ("event_logs", "run_id = ANY(%(runs)s)"),
    ("run_tags", "run_id = ANY(%(runs)s)"),
    ("runs", "run_id = ANY(%(runs)s)"),
)

# A run over several partitions is found by none of them; apart from the others, because an OR of
# both would walk the whole event log.
_BY_KEY = (
    (
        "asset_event_tags",
        "event_id IN (SELECT id FROM public.event_logs WHERE partition = ANY(%(keys)s))",
    ),
    ("asset_check_executions", "partition = ANY(%(keys)s)"),
    ("event_logs", "partition = ANY(%(keys)s)"),
    ("dynamic_partitions", "partition = ANY(%(keys)s)"),
)

# An asset shows its newest materialization with all it says, mail text included: the newest that is
# left takes its place. The cached status lists keys and is computed anew when it is missing.
_NEWEST_LEFT = """
UPDATE public.asset_keys k
   SET cached_status_data = NULL,
       last_run_id = newest.run_id,
       last_materialization = '{"__class__": "EventLogRecord", "event_log_entry": '
                              || newest.event || ', "storage_id": ' || newest.id || '}'
  FROM public.asset_keys mine
  LEFT JOIN LATERAL (
        SELECT e.id, e.run_id, e.event FROM public.event_logs e
         WHERE e.asset_key = mine.asset_key AND e.dagster_event_type = 'ASSET_MATERIALIZATION'
         ORDER BY e.id DESC LIMIT 1) newest ON true
 WHERE k.id = mine.id
   AND (k.last_run_id = ANY(%(runs)s) OR k.last_materialization LIKE ANY(%(patterns)s)
        OR k.cached_status_data LIKE ANY(%(patterns)s))
"""

_TEXTS = """
SELECT table_name AS name, column_name AS said FROM information_schema.columns
  JOIN information_schema.tables USING (table_schema, table_name)
 WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
   AND data_type IN ('text', 'character varying') AND table_name <> ALL(%s)
 ORDER BY table_name, column_name
"""

# A tick that has not ended would be resumed with the key it names.
_ENDED_TICK = " AND status <> 'STARTED'"


def unfinished_runs(connection: Connection, keys: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each run of Dagster that still works on one of these work orders."""
    for run_id, status in _runs(connection, keys):
        if status not in _ENDED:
            yield f"Dagster's run {run_id} of it is {status}: wait for its end, or terminate it"


def count_dagster(connection: Connection, keys: Sequence[str]) -> Counter[str]:
    """Return how many rows of which of Dagster's tables belong to runs of these work orders."""
    counts, values = Counter[str](), _values(connection, keys)
    for table, where in _present(connection, _BY_RUN):
        query = sql.SQL("SELECT count(*) AS n FROM {} WHERE {}")
        found = connection.execute(query.format(_named(table), sql.SQL(where)), values).fetchone()
        counts[f"{_SCHEMA}.{table}"] = found["n"] if found else 0
    return +counts


def delete_runs(connection: Connection, keys: Sequence[str]) -> Counter[str]:
    """Delete the runs of these work orders with all they said; returns how many rows went where."""
    counts, values = Counter[str](), _values(connection, keys)
    _delete(connection, _BY_RUN, values, counts)
    if table_exists(connection, "public.asset_keys"):
        counts["public.asset_keys"] += connection.execute(_NEWEST_LEFT, values).rowcount
    return +counts


def delete_runs_of(connection: Connection, runs: Sequence[str]) -> Counter[str]:
    """Delete these runs, which are of no work order, with all they said."""
    counts = Counter[str]()
    _delete(connection, _BY_RUN, {"runs": list(runs)}, counts)
    return +counts


def erase_dagster(connection: Connection, keys: Sequence[str]) -> Counter[str]:
    """Delete runs, events and partitions of these work orders, and their keys wherever they stand;
    returns how many rows that was where. Walks every table of Dagster's.
    """
    counts = delete_runs(connection, keys)
    _delete(connection, _BY_KEY, _values(connection, keys), counts)
    return counts + rename_keys(connection, keys)


def rename_keys(
    connection: Connection, keys: Sequence[str], *, but: Sequence[str] = ()
) -> Counter[str]:
    """Put nobody's key where one of these still stands; returns how many rows that was where.

    ``but`` names tables to leave out: the event log is long. A sensor that was evaluated meanwhile
    writes back what it had read: then once more is needed.
    """
    counts = Counter[str]()
    if keys and table_exists(connection, "public.event_logs"):
        for row in connection.execute(_TEXTS, (list(but),)).fetchall():
            table, column = row["name"], row["said"]
            renamed = _give_nobodys_key(connection, table, column, _values(connection, keys))
            counts[f"{_SCHEMA}.{table}"] += renamed
    return +counts


def _delete(
    connection: Connection,
    places: Sequence[tuple[str, str]],
    values: Mapping[str, object],
    counts: Counter[str],
) -> None:
    for table, where in _present(connection, places):
        statement = sql.SQL("DELETE FROM {} WHERE {}").format(_named(table), sql.SQL(where))
        counts[f"{_SCHEMA}.{table}"] += connection.execute(statement, values).rowcount


def _give_nobodys_key(
    connection: Connection, table: str, column: str, values: Mapping[str, object]
) -> int:
    """Put nobody's key where one of the keys stands, in one walk over the table."""
    said = sql.Identifier(column)
    statement = sql.SQL(
        "UPDATE {} SET {} = regexp_replace({}, %(any_key)s, %(nobody)s, 'g')"
        " WHERE {} LIKE ANY(%(patterns)s){}"
    ).format(_named(table), said, said, said, sql.SQL(_ENDED_TICK if table == "job_ticks" else ""))
    return connection.execute(statement, values).rowcount


def _values(connection: Connection, keys: Sequence[str]) -> dict[str, object]:
    return {
        "keys": list(keys),
        "runs": [run_id for run_id, _ in _runs(connection, keys)],
        "patterns": [f"%{key}%".replace("_", "\\_") for key in keys],
        "any_key": "|".join(keys),
        "nobody": NOBODY,
    }


def _runs(connection: Connection, keys: Sequence[str]) -> list[tuple[str, str]]:
    if not table_exists(connection, "public.runs"):
        return []
    found = connection.execute(_RUNS, {"keys": list(keys)}).fetchall()
    return [(row["run_id"], row["status"]) for row in found]


def _present(connection: Connection, places: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    there = table_exists(connection, "public.event_logs")
    return [
        (table, where)
        for table, where in places
        if there and table_exists(connection, f"{_SCHEMA}.{table}")
    ]


def _named(table: str) -> sql.Composable:
    return sql.Identifier(_SCHEMA, table)
