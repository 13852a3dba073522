"""Takes back work orders whose run vanished and frees the slots of those runs.

Dagster does not notice a killed worker (its run stays STARTED and holds a slot for ever); our lease
does. What happens to the work order is the queue's decision; this sensor tells Dagster.
"""

from collections.abc import Mapping, Sequence

import dagster as dg

from swarm.errors import DatabaseUnavailableError
from swarm.queue import Job, JobQueue

LOST = "its worker vanished: the lease on the work order ran out and the queue took it back"


def runs_to_end(
    jobs: Sequence[Job], unfinished: Mapping[str, dg.DagsterRun]
) -> list[dg.DagsterRun]:
    """Return the runs that reaped jobs leave behind and that Dagster still counts as going on.

    A job whose request was lost has no run yet; a run that finished meanwhile needs nothing.
    """
    held = [job.run_id for job in jobs if job.run_id is not None]
    return [unfinished[run_id] for run_id in held if run_id in unfinished]


@dg.sensor(
    name="reaper",
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Takes back work orders of vanished runs and marks those runs failed.",
)
def reaper(context: dg.SensorEvaluationContext, queue: dg.ResourceParam[JobQueue]) -> dg.SkipReason:
    """Reap the queue, then end what Dagster still believes to be running."""
    try:
        reaped = queue.reap()
    except DatabaseUnavailableError as error:
        return dg.SkipReason(f"could not read: {error}")
    ended = runs_to_end(reaped, _unfinished(context.instance, reaped))
    for run in ended:
        context.instance.report_run_failed(run, LOST)
    return dg.SkipReason(f"took back {len(reaped)} work orders, ended {len(ended)} lost runs")


def _unfinished(instance: dg.DagsterInstance, jobs: Sequence[Job]) -> dict[str, dg.DagsterRun]:
    run_ids = [job.run_id for job in jobs if job.run_id is not None]
    if not run_ids:
        return {}
    runs = instance.get_runs(dg.RunsFilter(run_ids=run_ids))
    return {run.run_id: run for run in runs if not run.is_finished}
