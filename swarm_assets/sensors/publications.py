"""Requests a run of the ``publications`` job when the ledger has something to do.

A run, not a call inside the sensor: a tick may wait 20 s for the hook, and the reaper of claims
kills the process that holds an overdue one. A worker child is replaced in a second; the code server
that evaluates sensors would take every sensor with it. A run costs about 0.15 s of a warm worker,
one at a time, and only while something is due.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from swarm.errors import DatabaseError
from swarm.process_identity import since_boot
from swarm.publishing.dispatch.deps import PublishingDeps
from swarm.publishing.dispatch.round import a_round_was_lost, publications_due
from swarm_assets.jobs import publications_job
from swarm_assets.partitions import WORKER_TAG
from swarm_assets.sensors.reaper import end_workers

# A round of publishing has a worker of its own and is the only run in flight there: one that has
# not begun by then was lost on its way (its worker was killed, or Postgres was away as it arrived).
_LONGEST_START = 30.0  # seconds
_LONGEST_NAMELESS = 360.0  # its worker tries to record its end for five


class RoundsInFlight:
    """For how long this process has seen each round in the state it is in.

    By a clock that nobody sets: Dagster's timestamps are of whichever process wrote them, and a
    clock set back by a day would keep a lost round for that day, and every publication behind it.
    A restarted code server begins to count anew.
    """

    def __init__(self, clock: Callable[[], float] = since_boot) -> None:
        self._clock = clock
        self._since: dict[tuple[str, dg.DagsterRunStatus], float] = {}

    def lost(self, rounds: Sequence[dg.DagsterRun]) -> list[dg.DagsterRun]:
        """Return the rounds that were waited for long enough; forgets those no longer there."""
        now, before = self._clock(), self._since
        self._since = {(r.run_id, r.status): before.get((r.run_id, r.status), now) for r in rounds}
        return [run for run in rounds if lost(run, now - self._since[run.run_id, run.status])]


def lost(run: dg.DagsterRun, seconds: float) -> bool:
    """Whether a round was sent to a worker and never began, or died before it named its process.

    The latter when its first statements met a database that takes no more connections; of a round
    that named its process the reaper knows whether it lives.
    """
    if run.status is dg.DagsterRunStatus.STARTING:
        return seconds > _LONGEST_START
    nameless = run.status is dg.DagsterRunStatus.STARTED and WORKER_TAG not in run.tags
    return nameless and seconds > _LONGEST_NAMELESS


def request(due: int, *, in_flight: bool, tick: str) -> dg.RunRequest | dg.SkipReason:
    """Decide: one run at a time, under a key that never repeats, only while something is due."""
    if due == 0:
        return dg.SkipReason("nothing due")
    if in_flight:
        return dg.SkipReason(f"{due} due; a run is at it already")
    return dg.RunRequest(run_key=f"publications:{tick}")


_in_flight = RoundsInFlight()


@dg.sensor(
    name="publications",
    job=publications_job,
    minimum_interval_seconds=1,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Requests a publishing round when a publication is due, overdue or unknown.",
)
def publications(
    context: dg.SensorEvaluationContext, publishing_deps: dg.ResourceParam[PublishingDeps]
) -> dg.RunRequest | dg.SkipReason:
    """Read what is due and whether a run is at it; decide."""
    instance = context.instance
    filters = dg.RunsFilter(job_name=publications_job.name, statuses=list(NOT_FINISHED_STATUSES))
    rounds = instance.get_runs(filters)
    gone = _in_flight.lost(rounds)
    try:
        due = publications_due(publishing_deps)
        for run in gone:
            _give_up(instance, publishing_deps, run)
    except DatabaseError as error:
        return dg.SkipReason(f"could not read: {error}")
    tick = datetime.now(UTC).isoformat()
    return request(due, in_flight=len(rounds) > len(gone), tick=tick)


def _give_up(
    instance: dg.DagsterInstance, publishing_deps: PublishingDeps, run: dg.DagsterRun
) -> None:
    """Fail a lost round and tell somebody: the next one may be lost to the same cause.

    A process that took it and never began is ended with it, or it would hold the only place.
    """
    a_round_was_lost(publishing_deps)
    instance.report_run_failed(run, "it never reached a worker")
    end_workers(instance, [run])
