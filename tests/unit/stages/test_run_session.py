"""A run session without Dagster: one fence, each failure a decision of the queue, no mail text."""

from datetime import timedelta

import pytest
from replying import KEY, order, services

from swarm.errors import (
    DatabaseUnavailableError,
    FencedOutError,
    ModelUnavailableError,
    PermanentError,
    TransientError,
)
from swarm.models import Fence, PolicyDecision, Received, Stage, WorkOrderState
from swarm.observe.dossier.next_step import next_step
from swarm.settings import QueueSettings
from swarm.stages.run_session import RunSession, StageFailedError
from swarm.stages.stage_events import Worked
from swarm.store.memory import MemoryStore
from swarm.store.memory_queue import MemoryQueue
from swarm.store.queue import JobState


class NoLedger:
    """A publisher nobody reaches in these tests."""

    def hand_over(self, fence: Fence, decision: PolicyDecision) -> WorkOrderState:
        raise AssertionError((fence, decision))


class Bench:
    """A store with the order's job, and sessions on it."""

    def __init__(self) -> None:
        self.services = services()
        assert isinstance(self.services.store, MemoryStore)
        self.store = self.services.store
        self.store.accept(order())
        self.queue = MemoryQueue(self.store, QueueSettings())
        self.queue.enqueue(KEY)

    def session(self, run_id: str = "run-1", attempt: int | None = None) -> RunSession:
        return RunSession(
            self.services,
            self.queue,
            NoLedger(),
            run_id=run_id,
            attempt=attempt,
            heartbeat_seconds=60.0,
        )

    def job(self) -> JobState:
        job = self.store.record(KEY).job
        assert job is not None
        return job.state


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (TransientError("no answer"), JobState.QUEUED),
        (PermanentError("unreadable"), JobState.DEAD),
        (KeyError("Dear Sir, my card is 4111"), JobState.QUEUED),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_failure_of_a_stage_is_decided_by_the_queue(error: Exception, state: JobState) -> None:
    bench = Bench()
    session = bench.session()
    session.fence(KEY)
    with pytest.raises(StageFailedError) as failed, session.stage():
        raise error
    assert bench.job() is state
    assert "4111" not in f"{failed.value.sentence}{failed.value.where}"
    assert failed.value.__suppress_context__


@pytest.mark.parametrize(
    ("error", "least"),
    [
        (ModelUnavailableError("the model's endpoint refuses our key", for_good=True), 20),
        (ModelUnavailableError("the model's endpoint fails", retry_after=40.0), 40),
    ],
)
def test_a_model_that_answers_nobody_puts_the_run_off_and_counts_no_failure(
    error: ModelUnavailableError, least: float
) -> None:
    bench = Bench()
    session = bench.session()
    session.fence(KEY)
    with pytest.raises(StageFailedError, match="the model's endpoint"), session.stage():
        raise error
    session.leave()
    job = bench.store.record(KEY).job
    assert job is not None
    assert (job.state, job.failures, job.last_error) == (JobState.QUEUED, 0, error.message)
    assert job.waiting_since is not None
    assert job.not_before >= job.waiting_since + timedelta(seconds=least)
    assert "waits for the model" in next_step(WorkOrderState.ACCEPTED, job)


def test_a_newer_run_takes_the_work_order_and_the_older_may_write_nothing() -> None:
    bench = Bench()
    older = bench.session()
    older.fence(KEY)
    bench.store.record(KEY).job = bench.store.record(KEY).job.model_copy(
        update={"token": 2, "run_id": "run-2"}
    )
    mail = Received(work_order=order(), text="hello", language="en")
    with pytest.raises(StageFailedError), older.stage():
        older.record(KEY, Stage.RECEIVED, Worked(mail, 1))
    assert bench.store.artifact(KEY, Stage.RECEIVED) is None


def test_what_an_earlier_attempt_paid_is_not_charged_to_this_one() -> None:
    bench = Bench()
    bench.store.model_cost = lambda _key: 0.25  # type: ignore[method-assign]
    assert bench.session().spent(KEY) == 0.0


def test_a_database_lost_while_opening_gives_the_work_order_back_at_the_end() -> None:
    """The fence is won, the next question fails: the queue is told, no lease has to run out."""
    bench = Bench()
    session = bench.session()

    def away(_key: str) -> float:
        raise DatabaseUnavailableError("Postgres cannot be reached")

    bench.store.model_cost = away  # type: ignore[method-assign]
    with pytest.raises(StageFailedError), session.stage():
        session.fence(KEY)
    assert bench.job() is JobState.QUEUED


def test_a_lost_lease_stops_the_run_at_its_next_step() -> None:
    bench = Bench()
    bench.queue.heartbeat = lambda _fence: False  # type: ignore[method-assign]
    session = RunSession(
        bench.services,
        bench.queue,
        NoLedger(),
        run_id="run-1",
        attempt=None,
        heartbeat_seconds=0.5,  # not before the run has opened its work order
    )
    session.fence(KEY)
    session._beating.join(timeout=30)
    with pytest.raises(FencedOutError):
        session.read(KEY, Stage.RECEIVED, Received)
    session.leave()


@pytest.mark.parametrize("times", [1, 20])
def test_looking_at_some_stages_only_counts_as_no_failure_of_the_work_order(times: int) -> None:
    """A person who materializes one asset twenty times must not make a dead letter of it."""
    bench = Bench()
    for number in range(times):
        session = bench.session(f"run-{number}")
        session.fence(KEY)
        session.leave()
    job = bench.store.record(KEY).job
    assert job is not None
    assert (job.state, job.failures) == (JobState.QUEUED, 0)


def test_a_run_of_the_queue_that_was_cancelled_counts_as_a_failure() -> None:
    bench = Bench()
    bench.queue.request_due(1)
    session = bench.session(attempt=1)
    session.fence(KEY)
    session.leave()
    job = bench.store.record(KEY).job
    assert job is not None
    assert (job.state, job.failures) == (JobState.QUEUED, 1)
