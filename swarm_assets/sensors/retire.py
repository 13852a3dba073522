"""Takes closed work orders out of the hot set of partitions; their history stays in our tables.

Every new key makes Dagster rebuild each asset's status over all keys (0.58 s at 10,000 keys, 4.9 s
at 100,000), hence a hot set of a few thousand.
"""

from collections.abc import Iterable, Sequence, Set
from datetime import timedelta
from typing import Final

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from swarm.errors import DatabaseUnavailableError
from swarm.lifecycle.retention import (
    purge_checkpoints,
    purge_dagster_leftovers,
    purge_dagster_runs,
    purge_runs_of_job,
    retirable,
)
from swarm.store.database import Database
from swarm_assets.partitions import PARTITION_TAG, work_orders

KEEP_PARTITION: Final = timedelta(days=3)
KEEP_STORY: Final = timedelta(days=30)  # of Dagster; what our tables know stays
KEEP_SCRATCH: Final = timedelta(hours=1)
KEEP_RUNS: Final = {
    "health": timedelta(days=3),  # 288 a day
    "publications": KEEP_STORY,  # one for each mail, and more
    "reply_outcomes": KEEP_STORY,
    "compare": KEEP_STORY,
}
"""Jobs that are about no single work order, of which nothing else takes a run away."""
BATCH: Final = 200


def leaving(closed: Sequence[str], held: Set[str], limit: int = BATCH) -> list[str]:
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
    minimum_interval_seconds=600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Clears graph scratch of ended work orders and retires partitions closed days"
    " ago; takes old runs away.",
)
def retire(
    context: dg.SensorEvaluationContext, database: dg.ResourceParam[Database]
) -> dg.SensorResult | dg.SkipReason:
    """Purge, read what is closed and what runs hold; request the deletions."""
    live = work_orders.get_partition_keys(dynamic_partitions_store=context.instance)
    try:
        threads = purge_checkpoints(database, older_than=KEEP_SCRATCH)
        closed = retirable(database, KEEP_PARTITION, among=live)
        unfinished = context.instance.get_runs(dg.RunsFilter(statuses=list(NOT_FINISHED_STATUSES)))
        keys = leaving(closed, held_by(unfinished))
        purge_dagster_leftovers(database, keys)
        purge_dagster_runs(database, KEEP_STORY)
        for job, keep in KEEP_RUNS.items():
            purge_runs_of_job(database, job, keep)
    except DatabaseUnavailableError as error:
        return dg.SkipReason(f"could not read: {error}")
    if not keys:
        return dg.SkipReason(f"purged {threads} graph threads; no partition of {len(live)} is due")
    return dg.SensorResult(dynamic_partitions_requests=[work_orders.build_delete_request(keys)])
