"""Every five minutes a look at the whole installation, unless the last one is still on its way."""

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from swarm_assets.assets.health import health_job


def request(minute: str, *, in_hand: bool) -> dg.RunRequest | dg.SkipReason:
    """Decide: one look a tick, none while one is under way (its lane may be taken for minutes)."""
    if in_hand:
        return dg.SkipReason("the last look is still under way")
    return dg.RunRequest(run_key=f"health:{minute}")


@dg.schedule(
    name="health",
    cron_schedule="*/5 * * * *",
    job=health_job,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Looks at the whole installation every five minutes.",
)
def health_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Ask whether a look is under way; decide."""
    unfinished = dg.RunsFilter(job_name=health_job.name, statuses=list(NOT_FINISHED_STATUSES))
    in_hand = context.instance.get_runs_count(unfinished) > 0
    return request(f"{context.scheduled_execution_time:%Y-%m-%dT%H:%M}", in_hand=in_hand)
