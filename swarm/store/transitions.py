"""Every move of a job and of a work order's state, as pure decisions.

Both stores and both queues lock, ask here, and write what they are told; so the in-memory double
cannot drift from production. What lives elsewhere: locking, SQL, events, alerts.
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from swarm.errors import FencedOutError
from swarm.models import Fence, WorkOrderState
from swarm.settings import QueueSettings
from swarm.store.queue import Job, JobState

_RUNS_MAY_MOVE = frozenset({WorkOrderState.ACCEPTED, WorkOrderState.RUNNING})
_LEDGER_MOVES = frozenset(
    {
        (WorkOrderState.PUBLISHING, WorkOrderState.PUBLISHED),
        (WorkOrderState.PUBLISHING, WorkOrderState.HELD),
        (WorkOrderState.PUBLISHING, WorkOrderState.DEAD),
        (WorkOrderState.HELD, WorkOrderState.PUBLISHED),
    }
)

_LONGEST_LOOK = 60.0  # seconds between two looks at whether the model is back

Draw = Callable[[], float]
"""A uniform random number in [0, 1); injected so that tests know it."""

JITTER: Draw = random.SystemRandom().random


# --- work orders ----------------------------------------------------------------------------------


def run_may_move(state: WorkOrderState) -> bool:
    """Whether a run may still decide; afterwards it belongs to the ledger or a person."""
    return state in _RUNS_MAY_MOVE


def ledger_may_move(state: WorkOrderState, target: WorkOrderState) -> bool:
    """Whether the publication ledger may settle the work order so (publishing protocol, states)."""
    return (state, target) in _LEDGER_MOVES


# --- jobs -----------------------------------------------------------------------------------------


def holds(job: Job, fence: Fence) -> bool:
    """Whether this fence still has the right to write."""
    return job.run_id == fence.run_id and job.token == fence.token


def require_hold(job: Job | None, fence: Fence) -> None:
    """Raise ``FencedOutError`` unless the fence still has the right to write."""
    if job is None or not holds(job, fence):
        raise FencedOutError("a newer run holds this work order", work_order=fence.work_order_key)


def requested(job: Job, now: datetime) -> Job:
    """Ask for a run: the attempt grows, so that its run_key was never used."""
    asked = {"state": JobState.REQUESTED, "attempt": job.attempt + 1, "requested_at": now}
    return job.model_copy(update=asked)


def open_job(
    job: Job, run_id: str, attempt: int | None, *, now: datetime, settings: QueueSettings
) -> Job:
    """Give the job to a run; the token grows unless the very same run asks again.

    Raises ``FencedOutError`` when another run holds a live lease, or when the attempt is not the
    one last requested. ``attempt`` None is a person in the UI, who may take whatever nobody holds.
    """
    if job.run_id == run_id:
        return leased(job, now, settings) if job.state is JobState.RUNNING else job
    if attempt is None:
        if job.state is JobState.RUNNING and job.lease_until and job.lease_until > now:
            raise FencedOutError(
                "another run works on this work order now", work_order=job.work_order_key
            )
    elif job.state is not JobState.REQUESTED or job.attempt != attempt:
        raise FencedOutError(
            f"attempt {attempt} is not the one last requested ({job.attempt}, {job.state})",
            work_order=job.work_order_key,
        )
    taken = {"state": JobState.RUNNING, "run_id": run_id, "token": job.token + 1, "stage": None}
    return leased(job.model_copy(update={**taken, "requested_at": None}), now, settings)


def leased(job: Job, now: datetime, settings: QueueSettings) -> Job:
    """Return the job with a full lease from now."""
    until = now + timedelta(seconds=settings.lease_seconds)
    return job.model_copy(update={"lease_until": until, "heartbeat_at": now})


def written(job: Job, stage: str, now: datetime) -> Job:
    """Note the stage just written and extend the lease by the length the queue gave it."""
    if job.state is not JobState.RUNNING or not (job.lease_until and job.heartbeat_at):
        return job
    until = now + (job.lease_until - job.heartbeat_at)
    return job.model_copy(update={"stage": stage, "lease_until": until, "heartbeat_at": now})


def settled(job: Job, state: WorkOrderState) -> Job:
    """Put the job to rest after its run ended well; the run keeps its fence for its last words."""
    update = {"state": _rest(state), "lease_until": None, "waiting_since": None}
    return job.model_copy(update=update)


def failed(
    job: Job,
    error: str,
    *,
    state: WorkOrderState,
    retryable: bool,
    settings: QueueSettings,
    now: datetime,
    draw: Draw,
) -> Job:
    """End a run that failed or vanished: queued after back-off, or dead; its fence is void."""
    voided = _voided(job).model_copy(update={"last_error": error, "failures": job.failures + 1})
    if not run_may_move(state):  # a rerun of a decided work order: nothing to drive again
        return voided.model_copy(update={"state": _rest(state)})
    if retryable and voided.failures < settings.max_failures:
        wait = timedelta(seconds=draw() * backoff_ceiling(voided.failures, settings))
        return voided.model_copy(update={"state": JobState.QUEUED, "not_before": now + wait})
    verdict = f"failed {voided.failures} times, last: {error}" if retryable else error
    return voided.model_copy(update={"state": JobState.DEAD, "dead_reason": verdict})


def put_off(
    job: Job,
    why: str,
    *,
    state: WorkOrderState,
    settings: QueueSettings,
    now: datetime,
    draw: Draw,
    at_least: float = 0.0,
) -> Job:
    """Let a work order wait for the model: nothing failed, and the wait remembers its beginning.

    Who has waited long looks less often; at most every minute, so that drafts resume soon.
    """
    free = _voided(job).model_copy(update={"last_error": why})
    if not run_may_move(state):
        return free.model_copy(update={"state": _rest(state)})
    since = job.waiting_since or now
    usual = min(_LONGEST_LOOK, (now - since).total_seconds() / 4)
    wait = max(usual, settings.model_retry_seconds, min(at_least, settings.backoff_cap_seconds))
    due = now + timedelta(seconds=wait * (1 + draw() / 4))
    return free.model_copy(
        update={"state": JobState.QUEUED, "not_before": due, "waiting_since": since}
    )


def given_back(job: Job, *, state: WorkOrderState, now: datetime) -> Job:
    """Put back what a person's run left open: nothing failed, and nothing is counted."""
    free = _voided(job)
    if not run_may_move(state):
        return free.model_copy(update={"state": _rest(state)})
    return free.model_copy(update={"state": JobState.QUEUED, "not_before": now})


def overdue(job: Job, now: datetime, settings: QueueSettings) -> bool:
    """Whether the lease ran out, or the request was lost on the way. Age alone proves nothing."""
    if job.state is JobState.RUNNING:
        return job.lease_until is not None and job.lease_until < now
    if job.state is JobState.REQUESTED and job.requested_at is not None:
        return job.requested_at + timedelta(seconds=settings.request_timeout_seconds) < now
    return False


def taken_back(
    job: Job, *, state: WorkOrderState, settings: QueueSettings, now: datetime, draw: Draw
) -> Job:
    """Take an overdue job back. A request that never started costs no failure."""
    if job.state is JobState.REQUESTED:
        return _voided(job).model_copy(update={"state": JobState.QUEUED, "not_before": now})
    error = "the worker vanished: its lease ran out"
    return failed(job, error, state=state, retryable=True, settings=settings, now=now, draw=draw)


def set_aside(job: Job, why: str) -> Job:
    """Put the job to rest because its work order was held from outside; its fence is void."""
    rest = {"state": JobState.DONE, "last_error": why, "waiting_since": None}
    return _voided(job).model_copy(update=rest)


def replayed(job: Job, now: datetime) -> Job:
    """Queue a dead job again with a fresh failure budget."""
    fresh = {"state": JobState.QUEUED, "failures": 0, "not_before": now, "dead_reason": "",
             "waiting_since": None}  # fmt: skip
    return _voided(job).model_copy(update=fresh)


def backoff_ceiling(failures: int, settings: QueueSettings) -> float:
    """Longest wait after so many failures: doubles each time, capped. Jitter draws below it."""
    doublings = min(failures - 1, 63)  # beyond that the cap has long been reached
    return float(min(settings.backoff_cap_seconds, settings.backoff_base_seconds * 2**doublings))


def _voided(job: Job) -> Job:
    free = {"run_id": None, "lease_until": None, "heartbeat_at": None, "requested_at": None}
    return job.model_copy(update={**free, "token": job.token + 1})


def _rest(state: WorkOrderState) -> JobState:
    return JobState.DEAD if state is WorkOrderState.DEAD else JobState.DONE
