"""Takes back work orders whose run vanished and frees the slots of those runs.

Dagster does not notice a killed worker (its run stays STARTED and holds a slot for ever) nor a run
that was lost on its way to one (STARTING, and no newer run of that work order may begin); our lease
and our request time-out do. A process of this machine that is gone is proof, and no lease need run
out before its run's slot is free. What happens to the work order is the queue's decision; this
sensor tells Dagster, tells the queue what merely waits, and has the worker of a taken-back run
ended.
"""

from collections.abc import Iterable, Sequence

import dagster as dg
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES, NOT_FINISHED_STATUSES
from dagster_celery.launcher import CeleryRunLauncher

from swarm.errors import DatabaseUnavailableError
from swarm.store.queue import Job, JobQueue, RunRequested
from swarm_assets.lanes import requested_attempt, worker_is_gone
from swarm_assets.partitions import PARTITION_TAG, WORKER_TAG

LOST = "its worker vanished or never began; the queue took the work order back"
GONE = "its worker process is gone"
_MOST_WAITING = 500
_IN_PROGRESS = dg.RunsFilter(statuses=list(IN_PROGRESS_RUN_STATUSES))


def still_waiting(queued: Iterable[dg.DagsterRun]) -> list[RunRequested]:
    """Return the requests behind runs that wait in Dagster's queue: busy, not lost."""
    asked = [(run.tags.get(PARTITION_TAG), requested_attempt(run.tags)) for run in queued]
    return [
        RunRequested(work_order_key=key, attempt=attempt)
        for key, attempt in asked
        if key is not None and attempt is not None
    ]


def superseded(job: Job, unfinished: Iterable[dg.DagsterRun]) -> list[dg.DagsterRun]:
    """Return the runs a reaped job leaves behind: its own, and those of attempts up to its last.

    The work order belongs to a later attempt now; these could only be fenced out. A run that a
    person started carries no attempt and is left alone unless it held the job.
    """
    return [
        run
        for run in unfinished
        if run.run_id == job.run_id or _superseded(requested_attempt(run.tags), job)
    ]


def _superseded(attempt: int | None, job: Job) -> bool:
    return attempt is not None and attempt <= job.attempt


@dg.sensor(
    name="reaper",
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Takes back work orders of vanished runs and marks those runs failed.",
)
def reaper(context: dg.SensorEvaluationContext, queue: dg.ResourceParam[JobQueue]) -> dg.SkipReason:
    """Renew what waits, reap, then end what Dagster still believes to be going on."""
    gone = _end_orphans(context.instance)
    queued = context.instance.get_runs(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]), limit=_MOST_WAITING
    )
    try:
        queue.renew(still_waiting(queued))
        reaped = queue.reap()
    except DatabaseUnavailableError as error:
        return dg.SkipReason(f"could not read: {error}")
    ended = [run for job in reaped for run in superseded(job, _unfinished(context.instance, job))]
    for run in ended:
        context.instance.report_run_failed(run, LOST)
    end_workers(context.instance, ended)
    return dg.SkipReason(
        f"took back {len(reaped)} work orders, ended {len(ended)} lost runs and {gone} orphaned"
    )


def _end_orphans(instance: dg.DagsterInstance) -> int:
    """Mark runs failed whose process is gone; one may have finished since it was read."""
    ended = 0
    running = instance.get_runs(_IN_PROGRESS)
    for orphan in (run for run in running if worker_is_gone(run.tags.get(WORKER_TAG))):
        run = instance.get_run_by_id(orphan.run_id)
        if run is not None and not run.is_finished:
            instance.report_run_failed(run, GONE)
            ended += 1
    return ended


def end_workers(instance: dg.DagsterInstance, ended: Iterable[dg.DagsterRun]) -> None:
    """Kill what still works on for a run that is over. Mostly there is no worker any more; one that
    lives has not beaten for a whole lease: it hangs, or holds the interpreter's lock.
    """
    launcher = instance.run_launcher
    if isinstance(launcher, CeleryRunLauncher):
        for run in ended:
            launcher.terminate(run.run_id)


def _unfinished(instance: dg.DagsterInstance, job: Job) -> Sequence[dg.DagsterRun]:
    return instance.get_runs(
        dg.RunsFilter(
            tags={PARTITION_TAG: job.work_order_key}, statuses=list(NOT_FINISHED_STATUSES)
        )
    )
