"""The run session: one fence a run, and every failure becomes a decision of the queue."""

from contextlib import suppress
from typing import cast

import dagster as dg
import pytest

from swarm.errors import FencedOutError, PermanentError, RemoteUnavailableError
from swarm.models import Fence, WorkOrderState
from swarm.stages.run_session import RunSession
from swarm.stages.services import Services
from swarm.store.memory import MemoryStore
from swarm.store.memory_queue import MemoryQueue
from swarm.store.protocol import Publisher
from swarm.store.queue import JobState
from swarm_assets.resources.run_session import DagsterRunSession

KEY = "wo_" + "a" * 24


def session_of(
    store: MemoryStore, queue: MemoryQueue, run_id: str = "run-1", attempt: int | None = None
) -> RunSession:
    services = Services(
        store=store,
        specialist=cast("object", None),
        outlook=None,
        monday=None,
        mailbox="m",  # type: ignore[arg-type]
    )
    return DagsterRunSession(
        services,
        queue,
        cast("Publisher", None),
        run_id=run_id,
        attempt=attempt,
        heartbeat_seconds=60.0,
    )


def fail_in_stage(session: RunSession, error: Exception) -> dg.Failure:
    """Raise ``error`` inside a stage of an open work order; return what Dagster is told."""
    with pytest.raises(dg.Failure) as failure, session.stage():
        _open_and_raise(session, error)
    return failure.value


def _open_and_raise(session: RunSession, error: Exception) -> None:
    session.fence(KEY)
    raise error


def job_state(store: MemoryStore) -> JobState:
    job = store.record(KEY).job
    assert job is not None
    return job.state


def test_a_run_opens_its_work_order_once(store: MemoryStore, queue: MemoryQueue) -> None:
    session = session_of(store, queue)
    assert session.fence(KEY) is session.fence(KEY)
    session.leave()


def test_a_run_of_another_attempt_than_requested_is_fenced_out_without_a_trace(
    store: MemoryStore, queue: MemoryQueue
) -> None:
    queue.request_due(1)
    before = store.events(KEY)
    session = session_of(store, queue, attempt=7)
    with pytest.raises(dg.Failure), session.stage():
        session.fence(KEY)
    session.leave()
    assert store.events(KEY) == before
    assert job_state(store) is JobState.REQUESTED


def test_trouble_that_may_pass_queues_the_work_order_again(
    store: MemoryStore, queue: MemoryQueue
) -> None:
    session = session_of(store, queue)
    failure = fail_in_stage(session, RemoteUnavailableError("Graph gave no answer", work_order=KEY))
    assert failure.allow_retries is False
    assert job_state(store) is JobState.QUEUED


def test_trouble_that_stays_makes_it_a_dead_letter(store: MemoryStore, queue: MemoryQueue) -> None:
    session = session_of(store, queue)
    fail_in_stage(session, PermanentError("the stored mail cannot be read"))
    assert job_state(store) is JobState.DEAD
    assert store.state(KEY) is WorkOrderState.DEAD


def test_a_bug_is_tried_again_and_its_message_goes_nowhere(
    store: MemoryStore, queue: MemoryQueue
) -> None:
    session = session_of(store, queue)
    failure = fail_in_stage(session, KeyError("Dear Sir, my card number is 4111"))
    job = store.record(KEY).job
    assert job is not None
    assert job.state is JobState.QUEUED
    assert job.last_error == "a fault of this program stopped the run"
    shown = f"{failure.description}{failure.metadata}"
    assert "4111" not in shown
    assert failure.__suppress_context__


def test_a_failure_is_told_to_the_queue_once(store: MemoryStore, queue: MemoryQueue) -> None:
    session = session_of(store, queue)
    fail_in_stage(session, RemoteUnavailableError("no answer"))
    session.leave()
    job = store.record(KEY).job
    assert job is not None
    assert job.failures == 1


def test_a_run_that_ends_without_closing_gives_the_work_order_back(
    store: MemoryStore, queue: MemoryQueue
) -> None:
    """A cancelled run, or a person who materialized only some stages."""
    session = session_of(store, queue)
    session.fence(KEY)
    session.leave()
    assert job_state(store) is JobState.QUEUED


def test_a_run_whose_lease_went_to_another_may_not_go_on(
    store: MemoryStore, queue: MemoryQueue
) -> None:
    class LostQueue(MemoryQueue):
        def heartbeat(self, fence: Fence) -> bool:
            return False

    lost = LostQueue(store, queue._settings)
    session = session_of(store, lost)
    session._heartbeat_seconds = 0.001
    with suppress(FencedOutError):  # it may know already
        session.fence(KEY)
    session._beating.join(timeout=5)
    with pytest.raises(FencedOutError):
        session.fence(KEY)
