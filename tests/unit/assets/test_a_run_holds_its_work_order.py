"""The desk: one fence a run, and every failure becomes a decision of the queue."""

from typing import cast

import dagster as dg
import pytest

from swarm.errors import FencedOutError, PermanentError, RemoteUnavailableError
from swarm.models import Fence, WorkOrderState
from swarm.stages.services import Services
from swarm.store.memory import MemoryStore
from swarm.store.memory_queue import MemoryQueue
from swarm.store.protocol import Publisher
from swarm.store.queue import JobState
from swarm_assets.resources.desk import Desk

KEY = "wo_" + "a" * 24


def desk_of(
    store: MemoryStore, queue: MemoryQueue, run_id: str = "run-1", attempt: int | None = None
) -> Desk:
    services = Services(
        store=store,
        specialist=cast("object", None),
        outlook=None,
        monday=None,
        mailbox="m",  # type: ignore[arg-type]
    )
    return Desk(
        services,
        queue,
        cast("Publisher", None),
        run_id=run_id,
        attempt=attempt,
        heartbeat_seconds=60.0,
    )


def fail_in_stage(desk: Desk, error: Exception) -> dg.Failure:
    """Raise ``error`` inside a stage of an open work order; return what Dagster is told."""
    with pytest.raises(dg.Failure) as failure, desk.stage():
        _open_and_raise(desk, error)
    return failure.value


def _open_and_raise(desk: Desk, error: Exception) -> None:
    desk.fence(KEY)
    raise error


def job_state(store: MemoryStore) -> JobState:
    job = store.record(KEY).job
    assert job is not None
    return job.state


def test_a_run_opens_its_work_order_once(store: MemoryStore, queue: MemoryQueue) -> None:
    desk = desk_of(store, queue)
    assert desk.fence(KEY) is desk.fence(KEY)
    desk.leave()


def test_a_run_of_another_attempt_than_requested_is_fenced_out_without_a_trace(
    store: MemoryStore, queue: MemoryQueue
) -> None:
    queue.request_due(1)
    before = store.events(KEY)
    desk = desk_of(store, queue, attempt=7)
    with pytest.raises(dg.Failure), desk.stage():
        desk.fence(KEY)
    desk.leave()
    assert store.events(KEY) == before
    assert job_state(store) is JobState.REQUESTED


def test_trouble_that_may_pass_queues_the_work_order_again(
    store: MemoryStore, queue: MemoryQueue
) -> None:
    desk = desk_of(store, queue)
    failure = fail_in_stage(desk, RemoteUnavailableError("Graph gave no answer", work_order=KEY))
    assert failure.allow_retries is False
    assert job_state(store) is JobState.QUEUED


def test_trouble_that_stays_makes_it_a_dead_letter(store: MemoryStore, queue: MemoryQueue) -> None:
    desk = desk_of(store, queue)
    fail_in_stage(desk, PermanentError("the stored mail cannot be read"))
    assert job_state(store) is JobState.DEAD
    assert store.state(KEY) is WorkOrderState.DEAD


def test_a_bug_is_tried_again_and_its_message_goes_nowhere(
    store: MemoryStore, queue: MemoryQueue
) -> None:
    desk = desk_of(store, queue)
    failure = fail_in_stage(desk, KeyError("Dear Sir, my card number is 4111"))
    job = store.record(KEY).job
    assert job is not None
    assert job.state is JobState.QUEUED
    assert job.last_error == "unexpected KeyError"
    shown = f"{failure.description}{failure.metadata}"
    assert "4111" not in shown
    assert failure.__suppress_context__


def test_a_failure_is_told_to_the_queue_once(store: MemoryStore, queue: MemoryQueue) -> None:
    desk = desk_of(store, queue)
    fail_in_stage(desk, RemoteUnavailableError("no answer"))
    desk.leave()
    job = store.record(KEY).job
    assert job is not None
    assert job.failures == 1


def test_a_run_that_ends_without_closing_gives_the_work_order_back(
    store: MemoryStore, queue: MemoryQueue
) -> None:
    """A cancelled run, or a person who materialized only some stages."""
    desk = desk_of(store, queue)
    desk.fence(KEY)
    desk.leave()
    assert job_state(store) is JobState.QUEUED


def test_a_run_whose_lease_went_to_another_may_not_go_on(
    store: MemoryStore, queue: MemoryQueue
) -> None:
    class LostQueue(MemoryQueue):
        def heartbeat(self, fence: Fence) -> bool:
            return False

    lost = LostQueue(store, queue._settings)
    desk = desk_of(store, lost)
    desk._heartbeat_seconds = 0.001
    desk.fence(KEY)
    desk._beating.join(timeout=5)
    with pytest.raises(FencedOutError):
        desk.fence(KEY)
