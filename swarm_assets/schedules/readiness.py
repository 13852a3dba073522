"""When the gates are asked: at each planned look, once a day in between, and often after a cutover.

Every minute it is asked whether a planned look is due; who plans looks is a person (``swarm gates
looks``). Time of a look is the database's. The decisions are pure; run keys make each run one.
"""

from datetime import UTC, datetime

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from swarm.errors import DatabaseUnavailableError
from swarm_assets.assets.readiness import PARITY, READINESS
from swarm_assets.assets.watching import cutover_watch_job, rollback_drill_job
from swarm_assets.lanes import GATES_LANE
from swarm_assets.resources.gates import Gates

_DRILL_HOUR = 2  # UTC
_MINUTES_BETWEEN = 10

readiness_job = dg.define_asset_job(
    "readiness",
    selection=dg.AssetSelection.assets(PARITY, READINESS),
    description="Makes the readiness report and asks every gate.",
    executor_def=dg.in_process_executor,
    tags=GATES_LANE,
)


def look_request(due: datetime | None, *, in_hand: bool) -> dg.RunRequest | dg.SkipReason:
    """Decide: the due look, once. A schedule's run keys tell ticks apart, not looks."""
    if due is None:
        return dg.SkipReason("no planned look is due")
    if in_hand:
        return dg.SkipReason("an evaluation is in hand: the look has half an hour")
    look = due.astimezone(UTC).isoformat()
    config = {"ops": {"judge_readiness": {"config": {"look": look}}}}
    return dg.RunRequest(run_key=f"look:{look}", run_config=config)


def watch_request(now: datetime, *, watched: bool) -> dg.RunRequest | dg.SkipReason:
    """Decide: every minute of the schedule while swarm publishes."""
    if not watched:
        return dg.SkipReason("swarm does not publish")
    return dg.RunRequest(run_key=f"watch:{now:%Y-%m-%dT%H:%M}")


def drill_request(now: datetime, *, due: bool) -> dg.RunRequest | dg.SkipReason:
    """Decide: once a night, asked again every hour until the day has its drill."""
    if not due or now.hour < _DRILL_HOUR:
        return dg.SkipReason("today's drill is done, or it is not night yet")
    return dg.RunRequest(run_key=f"drill:{now:%Y-%m-%dT%H}")


@dg.schedule(
    name="readiness_look",
    cron_schedule="* * * * *",
    job=readiness_job,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Asks the gates at each planned look.",
)
def readiness_look(
    context: dg.ScheduleEvaluationContext, gates: dg.ResourceParam[Gates]
) -> dg.RunRequest | dg.SkipReason:
    """Ask whether a look is due; decide."""
    unfinished = dg.RunsFilter(job_name=readiness_job.name, statuses=list(NOT_FINISHED_STATUSES))
    try:
        in_hand = context.instance.get_runs_count(unfinished) > 0
        return look_request(gates.due(), in_hand=in_hand)
    except DatabaseUnavailableError as error:
        return dg.SkipReason(f"could not read: {error}")


readiness_daily = dg.ScheduleDefinition(
    name="readiness_daily",
    cron_schedule="7 4 * * *",
    job=readiness_job,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Asks the gates once a day, in between the looks.",
)


@dg.schedule(
    name="cutover_watch",
    cron_schedule=f"*/{_MINUTES_BETWEEN} * * * *",
    job=cutover_watch_job,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="After a cutover: asks the gates over the rolling window.",
)
def cutover_watch(
    context: dg.ScheduleEvaluationContext, gates: dg.ResourceParam[Gates]
) -> dg.RunRequest | dg.SkipReason:
    """Ask who publishes; decide."""
    try:
        return watch_request(_time(context), watched=gates.watched())
    except DatabaseUnavailableError as error:
        return dg.SkipReason(f"could not read: {error}")


@dg.schedule(
    name="rollback_drill",
    cron_schedule="17 * * * *",
    job=rollback_drill_job,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Rehearses the rollback every night, as a dry run.",
)
def rollback_drill(
    context: dg.ScheduleEvaluationContext, gates: dg.ResourceParam[Gates]
) -> dg.RunRequest | dg.SkipReason:
    """Ask whether today's drill is done; decide."""
    try:
        return drill_request(_time(context), due=gates.drill_due())
    except DatabaseUnavailableError as error:
        return dg.SkipReason(f"could not read: {error}")


def _time(context: dg.ScheduleEvaluationContext) -> datetime:
    return context.scheduled_execution_time.astimezone(UTC)


SCHEDULES = (readiness_look, readiness_daily, cutover_watch, rollback_drill)
