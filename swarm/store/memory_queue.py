"""``MemoryQueue``: the job queue of ``swarm run-once`` and of unit tests, on a ``MemoryStore``."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from swarm.errors import FencedOutError, MalformedInputError
from swarm.models import Fence, WorkOrder, WorkOrderState
from swarm.settings import QueueSettings
from swarm.store import transitions
from swarm.store.events import run_ended, run_opened
from swarm.store.memory import MemoryStore, Record
from swarm.store.queue import Job, JobState, RunRequested


class MemoryQueue:
    """``JobQueue`` over the records of a ``MemoryStore``; time is the store's clock."""

    def __init__(
        self,
        store: MemoryStore,
        settings: QueueSettings,
        *,
        draw: transitions.Draw = transitions.JITTER,
    ) -> None:
        self._store = store
        self._settings = settings
        self._draw = draw

    def enqueue(self, key: str) -> bool:
        """Add a job for an accepted work order; False when it has one already."""
        with self._store.lock:
            record = self._store.record(key)
            if record.job is not None:
                return False
            record.job = Job(
                work_order_key=key,
                state=JobState.QUEUED,
                attempt=0,
                failures=0,
                token=0,
                not_before=self._store.clock(),
            )
            return True

    def request_due(self, limit: int) -> Sequence[RunRequested]:
        """Move due jobs to requested and repeat what nobody opened yet; see the protocol."""
        with self._store.lock:
            now = self._store.clock()
            waiting = [r.job for r in self._store.records() if r.job and self._waits(r.job)][:limit]
            due = [r.job for r in self._store.records() if r.job and _due(r.job, now)]
            fresh = [transitions.requested(job, now) for job in due[: limit - len(waiting)]]
            for job in fresh:
                self._store.record(job.work_order_key).job = job
            return [
                RunRequested(work_order_key=job.work_order_key, attempt=job.attempt)
                for job in (*waiting, *fresh)
            ]

    def open(self, key: str, run_id: str, attempt: int | None) -> Fence:
        """Give this run the work order; idempotent for the same run; see the protocol."""
        with self._store.lock:
            record, job = self._known(key)
            now = self._store.clock()
            opened = transitions.open_job(job, run_id, attempt, now=now, settings=self._settings)
            fence = Fence(
                work_order_key=key, run_id=run_id, attempt=opened.attempt, token=opened.token
            )
            if opened.token != job.token:
                self._start_run(record, fence, by_person=attempt is None)
            record.job = opened
            return fence

    def heartbeat(self, fence: Fence) -> bool:
        """Extend the lease; False when the fence is void ("not me": stop working)."""
        with self._store.lock:
            record, job = self._known(fence.work_order_key)
            if not transitions.holds(job, fence):
                return False
            if job.state is JobState.RUNNING:
                record.job = transitions.leased(job, self._store.clock(), self._settings)
            return True

    def fail(self, fence: Fence, error: str, *, retryable: bool) -> JobState:
        """End the run as failed; a void fence changes nothing and gets the state as it is."""
        with self._store.lock:
            record, job = self._known(fence.work_order_key)
            if not transitions.holds(job, fence):
                return job.state
            after = transitions.failed(
                job,
                error,
                state=record.state,
                retryable=retryable,
                settings=self._settings,
                now=self._store.clock(),
                draw=self._draw,
            )
            self._end_run(record, job, after, "run.failed")
            return after.state

    def put_off(self, fence: Fence, why: str, *, at_least: float = 0.0) -> JobState:
        """Let a work order wait for the model; a void fence changes nothing."""
        with self._store.lock:
            record, job = self._known(fence.work_order_key)
            if not transitions.holds(job, fence):
                return job.state
            after = transitions.put_off(
                job,
                why,
                state=record.state,
                settings=self._settings,
                now=self._store.clock(),
                draw=self._draw,
                at_least=at_least,
            )
            self._end_run(record, job, after, "run.put_off")
            return after.state

    def give_back(self, fence: Fence) -> JobState:
        """Put a work order back that a person's run left open; a void fence changes nothing."""
        with self._store.lock:
            record, job = self._known(fence.work_order_key)
            if not transitions.holds(job, fence):
                return job.state
            after = transitions.given_back(job, state=record.state, now=self._store.clock())
            self._end_run(record, job, after, "run.left")
            return after.state

    def renew(self, requests: Sequence[RunRequested]) -> int:
        """Note that these requests still wait in Dagster's own queue; returns how many stand."""
        with self._store.lock:
            asked = {(request.work_order_key, request.attempt) for request in requests}
            standing = [
                (record, record.job)
                for record in self._store.records()
                if record.job is not None
                and record.job.state is JobState.REQUESTED
                and (record.job.work_order_key, record.job.attempt) in asked
            ]
            for record, job in standing:
                record.job = job.model_copy(update={"requested_at": self._store.clock()})
            return len(standing)

    def reap(self) -> Sequence[Job]:
        """Take back what is overdue; returns the jobs as they were before."""
        with self._store.lock:
            now, before = self._store.clock(), []
            for record in self._store.records():
                job = record.job
                if job is None or not transitions.overdue(job, now, self._settings):
                    continue
                after = transitions.taken_back(
                    job, state=record.state, settings=self._settings, now=now, draw=self._draw
                )
                self._end_run(record, job, after, "run.reaped")
                before.append(job)
            return before

    def dead(self) -> Sequence[Job]:
        """Return the dead letters, oldest first."""
        jobs = [record.job for record in self._store.records()]
        return [job for job in jobs if job is not None and job.state is JobState.DEAD]

    def replay(self, key: str) -> bool:
        """Queue a dead job again with a fresh failure budget, history kept. False: not dead."""
        with self._store.lock:
            record = self._store.record(key)
            job = record.job
            if job is None or job.state is not JobState.DEAD:
                return False
            if record.state is not WorkOrderState.DEAD:
                return False
            record.job = transitions.replayed(job, self._store.clock())
            self._store.move(record, WorkOrderState.ACCEPTED, "replayed", actor="person")
            return True

    def job(self, key: str) -> Job | None:
        """Return the job as it stands; None when there is none."""
        return self._store.record(key).job

    def _known(self, key: str) -> tuple[Record, Job]:
        record = self._store.record(key)
        if record.job is None:
            raise MalformedInputError("no such work order in the queue", work_order=key)
        return record, record.job

    def _waits(self, job: Job) -> bool:
        timeout = timedelta(seconds=self._settings.request_timeout_seconds)
        return (
            job.state is JobState.REQUESTED
            and job.requested_at is not None
            and job.requested_at > self._store.clock() - timeout
        )

    def _start_run(self, record: Record, fence: Fence, *, by_person: bool) -> None:
        if fence.run_id in self._store.run_ids:
            raise FencedOutError("this run lost the work order before", work_order=record.order.key)
        self._store.run_ids.add(fence.run_id)
        self._store.append(record, run_opened(fence, by_person=by_person), fence)
        if record.state is WorkOrderState.ACCEPTED:
            record.state = WorkOrderState.RUNNING

    def _end_run(self, record: Record, before: Job, after: Job, kind: str) -> None:
        record.job = after
        self._store.append(record, run_ended(kind, before, after))
        if not transitions.run_may_move(record.state):
            return
        if after.state is JobState.DEAD:
            self._store.move(record, WorkOrderState.DEAD, after.dead_reason, actor="queue")
        else:
            record.state = WorkOrderState.ACCEPTED


def _due(job: Job, now: datetime) -> bool:
    return job.state is JobState.QUEUED and job.not_before <= now


def taken_in_hand(store: MemoryStore, order: WorkOrder, run_id: str) -> Fence:
    """Accept a work order and give it to a run: its whole way through a queue, in memory."""
    queue = MemoryQueue(store, QueueSettings())
    store.accept(order)
    queue.enqueue(order.key)
    (request,) = queue.request_due(1)
    return queue.open(order.key, run_id, request.attempt)
