"""Takes closed work orders out of the hot set of partitions; their history stays in our tables.

Every new key makes Dagster rebuild each asset's status over all keys (0.58 s at 10,000 keys, 4.9 s
at 100,000), hence a hot set of a few thousand.
"""

from collections.abc import Iterable, Sequence, Set
from typing import Final

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from swarm.errors import DatabaseUnavailableError
from swarm.store.database import Database
from swarm_assets.partitions import PARTITION_TAG, work_orders

KEEP_DAYS: Final = 3
BATCH: Final = 200

_CLOSED = """
SELECT key FROM work_orders
 WHERE key = ANY(%(keys)s) AND final_at < now() - make_interval(days => %(days)s)
 ORDER BY final_at
"""


def retirable(closed: Sequence[str], held: Set[str], limit: int = BATCH) -> list[str]:
    """Return which closed work orders may leave: those no run holds, oldest first, at most
    ``limit``.

    Computed anew each time; there is no bookkeeping that could go stale.
    """
    return [key for key in closed if key not in held][:limit]


def held_by(runs: Iterable[dg.DagsterRun]) -> frozenset[str]:
    """Return the work orders that these unfinished runs hold."""
    return frozenset(run.tags[PARTITION_TAG] for run in runs if PARTITION_TAG in run.tags)


@dg.sensor(
    name="retire",
    minimum_interval_seconds=3600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Removes partitions of work orders closed days ago, when no run holds them.",
)
def retire(
    context: dg.SensorEvaluationContext, database: dg.ResourceParam[Database]
) -> dg.SensorResult | dg.SkipReason:
    """Read the closed work orders and the unfinished runs; request the deletions."""
    live = work_orders.get_partition_keys(dynamic_partitions_store=context.instance)
    try:
        with database.transaction() as connection:
            rows = connection.execute(_CLOSED, {"keys": list(live), "days": KEEP_DAYS}).fetchall()
    except DatabaseUnavailableError as error:
        return dg.SkipReason(f"could not read: {error}")
    unfinished = context.instance.get_runs(dg.RunsFilter(statuses=list(NOT_FINISHED_STATUSES)))
    leaving = retirable([row["key"] for row in rows], held_by(unfinished))
    if not leaving:
        return dg.SkipReason(f"nothing to retire among {len(live)} live work orders")
    return dg.SensorResult(dynamic_partitions_requests=[work_orders.build_delete_request(leaving)])
