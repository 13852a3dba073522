"""Makes partitions of what is planned, and takes settled ones away; asks for live comparisons.

At most 5,000 at a time. A settled one stays a day for people to look at, or less where others wait
for its place; none leaves while a run or a backfill of this lane is unfinished, which name their
partitions by the first and the last of a range. What lives elsewhere: the plan (``swarm.shadow``).
"""

from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from swarm.errors import DatabaseUnavailableError
from swarm.shadow import plan
from swarm.shadow.plan import AT_A_TIME
from swarm.store.database import Database
from swarm_assets.assets.shadow import compare_job
from swarm_assets.partitions import LANE_TAG, history
from swarm_assets.resources.shadow import Shadow

KEEP: Final = timedelta(days=1)
_UNDER_WAY: Final = (
    BulkActionStatus.REQUESTED,
    BulkActionStatus.CANCELING,
    BulkActionStatus.FAILING,
)


def leaving(
    settled: Mapping[str, datetime], there: Set[str], waiting: int, now: datetime
) -> list[str]:
    """Return which partitions may leave: settled a day ago, or as many as others need the place."""
    mine = [key for key in settled if key in there]
    old = [key for key in mine if settled[key] < now - KEEP]
    wanted = len(there) - len(old) + waiting - AT_A_TIME
    early = [key for key in mine if key not in set(old)]
    return [*old, *early[: max(0, wanted)]]


@dg.sensor(
    name="history",
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Makes partitions of work orders that are to be replayed; retires settled ones.",
)
def history_sensor(
    context: dg.SensorEvaluationContext,
    database: dg.ResourceParam[Database],
    shadow: dg.ResourceParam[Shadow],
) -> dg.SensorResult | dg.SkipReason:
    """Read the plan, decide, request."""
    there = history.get_partition_keys(dynamic_partitions_store=context.instance)
    try:
        return _changed(context.instance, database, shadow, there)
    except DatabaseUnavailableError as error:
        return dg.SkipReason(f"could not read: {error}")


def _changed(
    instance: dg.DagsterInstance, database: Database, shadow: Shadow, there: Sequence[str]
) -> dg.SensorResult | dg.SkipReason:
    with database.transaction() as connection:
        waits = plan.still_waiting(connection)
        settled = plan.done(connection, shadow.engine)
        gone = leaving(settled, {*there}, waits, datetime.now(UTC))
        gone = gone if gone and quiet(instance) else []
        fresh = plan.waiting(connection, AT_A_TIME - len(there) + len(gone))
        plan.added(connection, fresh)
        plan.leave(connection, gone)
    requests: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    if gone:
        requests.append(history.build_delete_request(gone))
    if fresh:
        requests.append(history.build_add_request(fresh))
    if not requests:
        return dg.SkipReason(f"{len(there)} partitions, {waits} planned ones wait")
    return dg.SensorResult(dynamic_partitions_requests=requests)


def quiet(instance: dg.DagsterInstance) -> bool:
    """Whether nothing under way may name a partition of this set."""
    lane = dg.RunsFilter(tags={LANE_TAG: "shadow"}, statuses=list(NOT_FINISHED_STATUSES))
    backfills = BulkActionsFilter(statuses=list(_UNDER_WAY))
    return not instance.get_runs(lane, limit=1) and not instance.get_backfills(backfills, limit=1)


@dg.sensor(
    name="compare",
    job=compare_job,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for a round of the live comparison when there is something to compare.",
)
def compare_sensor(
    context: dg.SensorEvaluationContext, shadow: dg.ResourceParam[Shadow]
) -> dg.RunRequest | dg.SkipReason:
    """Ask whether anything is due; one round at a time."""
    running = dg.RunsFilter(job_name=compare_job.name, statuses=list(NOT_FINISHED_STATUSES))
    if context.instance.get_runs(running, limit=1):
        return dg.SkipReason("a round is under way")
    try:
        due = shadow.anything_due()
    except DatabaseUnavailableError as error:
        return dg.SkipReason(f"could not read: {error}")
    return dg.RunRequest() if due else dg.SkipReason("nothing to compare")
