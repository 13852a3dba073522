"""What may go after a work order has ended: graph scratch, partitions, what Dagster tells of it.

Our own tables keep the history; nothing here touches them. Dagster has no purge for check
executions, whose cost grows with each one kept (9.6 s a page at 10,000), hence plain SQL on its
schema, tolerant of tables that are not there. Erasing a person's data is ``erasure``.
"""

from collections.abc import Sequence
from datetime import timedelta

from psycopg import sql

from swarm.lifecycle.erasure_dagster import delete_runs, delete_runs_of, unfinished_runs
from swarm.store.database import Database, table_exists

# A thread of a graph is named by its work order first: the key has a fixed length of 27.
_FINISHED_THREADS = """
SELECT DISTINCT thread_id FROM langgraph.checkpoints c
  JOIN work_orders w ON w.key = left(c.thread_id, 27)
 WHERE w.final_at < now() - %(older_than)s
 ORDER BY thread_id LIMIT %(limit)s
"""

_CHECKPOINT_TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")

# Ended that long ago, and Dagster still tells of its runs.
_TOLD_OF = """
SELECT w.key FROM work_orders w LEFT JOIN swarm_jobs j ON j.work_order_key = w.key
 WHERE w.final_at < now() - %(older_than)s AND coalesce(j.state, 'done') IN ('done', 'dead')
   AND EXISTS (SELECT 1 FROM public.run_tags t
                WHERE t.key = 'dagster/partition' AND t.value = w.key)
 ORDER BY w.final_at, w.key LIMIT %(limit)s
"""

# The newest stays whatever its age: it is what the page of its asset shows.
_ENDED_LONG_AGO = """
SELECT run_id FROM public.runs
 WHERE pipeline_name = %(job)s AND status IN ('SUCCESS', 'FAILURE', 'CANCELED')
   AND create_timestamp < (now() - %(older_than)s) AT TIME ZONE 'UTC'
   AND id < (SELECT max(id) FROM public.runs WHERE pipeline_name = %(job)s)
 ORDER BY id LIMIT %(limit)s
"""

_RETIRABLE = """
SELECT w.key FROM work_orders w LEFT JOIN swarm_jobs j ON j.work_order_key = w.key
 WHERE w.final_at < now() - %(older_than)s
   AND coalesce(j.state, 'done') IN ('done', 'dead')
   AND (%(among)s::text[] IS NULL OR w.key = ANY(%(among)s))
 ORDER BY w.final_at, w.key LIMIT %(limit)s
"""


def purge_checkpoints(
    database: Database, *, older_than: timedelta = timedelta(), limit: int = 500
) -> int:
    """Delete the graph threads of ended work orders; returns how many threads went.

    Checkpoints are scratch: they let a crash repeat no paid call, and an ended work order has none
    left to repeat.
    """
    with database.transaction() as connection:
        if not table_exists(connection, "langgraph.checkpoints"):
            return 0
        rows = connection.execute(_FINISHED_THREADS, {"older_than": older_than, "limit": limit})
        threads = [row["thread_id"] for row in rows]
        for table in _CHECKPOINT_TABLES:
            statement = sql.SQL("DELETE FROM langgraph.{} WHERE thread_id = ANY(%s)")
            connection.execute(statement.format(sql.Identifier(table)), (threads,))
        return len(threads)


def retirable(
    database: Database,
    older_than: timedelta,
    *,
    among: Sequence[str] | None = None,
    limit: int = 200,
) -> tuple[str, ...]:
    """Return keys ended that long ago which no job drives, oldest first; ``among`` narrows them."""
    chosen = {
        "older_than": older_than,
        "among": None if among is None else list(among),
        "limit": limit,
    }
    with database.transaction() as connection:
        return tuple(row["key"] for row in connection.execute(_RETIRABLE, chosen))


def purge_dagster_runs(database: Database, older_than: timedelta, *, limit: int = 50) -> int:
    """Delete Dagster's runs and events of work orders that ended that long ago; returns how many
    work orders that was.

    Its event log quotes mails and drafts and has no purge of its own. Our tables keep the history.
    """
    with database.transaction() as connection:
        if not table_exists(connection, "public.run_tags"):
            return 0
        told = connection.execute(_TOLD_OF, {"older_than": older_than, "limit": limit})
        keys = [row["key"] for row in told]
        if any(unfinished_runs(connection, keys)):
            return 0
        delete_runs(connection, keys)
    return len(keys)


def purge_runs_of_job(
    database: Database, job: str, older_than: timedelta, *, limit: int = 200
) -> int:
    """Delete ended runs of a job that is about no single work order; returns how many went."""
    asked = {"job": job, "older_than": older_than, "limit": limit}
    with database.transaction() as connection:
        if not table_exists(connection, "public.runs"):
            return 0
        runs = [row["run_id"] for row in connection.execute(_ENDED_LONG_AGO, asked)]
        delete_runs_of(connection, runs)
    return len(runs)


def purge_dagster_leftovers(database: Database, keys: Sequence[str]) -> int:
    """Delete what Dagster keeps of retired partitions; returns rows deleted, 0 without tables.

    The database is the one Dagster's storage lives in (schema ``public``).
    """
    with database.transaction() as connection:
        if not table_exists(connection, "public.asset_check_executions"):
            return 0
        return connection.execute(
            "DELETE FROM public.asset_check_executions WHERE partition = ANY(%s)", (list(keys),)
        ).rowcount
