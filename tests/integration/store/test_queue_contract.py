"""What every ``JobQueue`` promises, asked of the one in memory and the one on Postgres."""

import pytest

from swarm.errors import FencedOutError, MalformedInputError
from swarm.models import WorkOrderState
from swarm.store.event_chain import verify_chain
from swarm.store.queue import JobState

pytestmark = pytest.mark.integration


def keys(requests) -> list[str]:
    return [request.work_order_key for request in requests]


# --- requesting -----------------------------------------------------------------------------------


def test_a_work_order_has_one_job(bench) -> None:
    key = bench.queued()
    assert bench.queue.enqueue(key) is False


def test_due_jobs_are_requested_oldest_first_within_the_limit(bench) -> None:
    names = [bench.queued(name) for name in ("d", "c", "b")]
    first = bench.queue.request_due(2)
    assert keys(first) == names[:2]
    assert [request.run_key for request in first] == [f"{key}:1" for key in names[:2]]


@pytest.mark.fault("T04")
def test_a_request_nobody_opened_is_repeated_unchanged(bench) -> None:
    """T04: a tick whose run was lost is made good by the next tick, under the same run_key."""
    bench.queued()
    assert bench.queue.request_due(5) == bench.queue.request_due(5)


def test_repeated_requests_count_against_the_limit(bench) -> None:
    older = [bench.queued(name) for name in ("d", "c")]
    newer = bench.queued("b")
    assert keys(bench.queue.request_due(2)) == older
    assert keys(bench.queue.request_due(2)) == older
    bench.queue.open(older[0], "run-1", 1)
    assert keys(bench.queue.request_due(2)) == [older[1], newer]


def test_a_job_that_runs_or_rests_is_not_requested(bench) -> None:
    fence = bench.started()
    assert bench.queue.request_due(5) == []
    bench.store.close(fence, WorkOrderState.HELD, "revision")
    assert bench.queue.request_due(5) == []


# --- opening --------------------------------------------------------------------------------------


def test_opening_gives_the_fence_and_shows_the_work_order_running(bench) -> None:
    fence = bench.started()
    assert (fence.attempt, fence.token, fence.run_id) == (1, 1, "run-1")
    assert bench.store.state(fence.work_order_key) is WorkOrderState.RUNNING
    assert bench.job(fence.work_order_key).state is JobState.RUNNING


def test_opening_again_by_the_same_run_changes_nothing(bench) -> None:
    fence = bench.started()
    assert bench.queue.open(fence.work_order_key, "run-1", 1) == fence
    assert len(bench.store.events(fence.work_order_key)) == 1


@pytest.mark.parametrize("attempt", [0, 1, 2, None])
def test_nobody_opens_what_another_run_holds(bench, attempt: int | None) -> None:
    fence = bench.started()
    with pytest.raises(FencedOutError):
        bench.queue.open(fence.work_order_key, "run-2", attempt)


def test_an_attempt_that_was_not_requested_last_is_refused(bench) -> None:
    key = bench.queued()
    with pytest.raises(FencedOutError):
        bench.queue.open(key, "run-1", 1)
    bench.queue.request_due(5)
    with pytest.raises(FencedOutError):
        bench.queue.open(key, "run-1", 2)


def test_an_unknown_work_order_cannot_be_opened(bench) -> None:
    with pytest.raises(MalformedInputError):
        bench.queue.open("wo_" + "z" * 24, "run-1", None)


def test_a_person_may_take_what_nobody_holds_and_the_request_is_void(bench) -> None:
    key = bench.queued()
    bench.queue.request_due(5)
    assert bench.queue.open(key, "from-the-ui", None).token == 1
    with pytest.raises(FencedOutError):
        bench.queue.open(key, "run-1", 1)


def test_a_run_that_lost_its_work_order_cannot_open_it_again(bench) -> None:
    key = bench.queued()
    bench.queue.open(key, "from-the-ui", None)
    bench.pass_time(31)
    bench.queue.reap()
    with pytest.raises(FencedOutError):
        bench.queue.open(key, "from-the-ui", None)
    assert bench.job(key).state is JobState.QUEUED


def test_a_decided_work_order_may_be_rerun_and_its_state_stays(bench) -> None:
    first = bench.started()
    bench.store.escalate(first, [])
    rerun = bench.queue.open(first.work_order_key, "from-the-ui", None)
    assert rerun.token == 2
    assert bench.store.state(first.work_order_key) is WorkOrderState.ESCALATED
    assert bench.store.close(rerun, WorkOrderState.PUBLISHING, "now it passes") is False
    assert bench.job(first.work_order_key).state is JobState.DONE


@pytest.mark.parametrize("end", ["fails", "vanishes"])
def test_a_rerun_of_a_decided_work_order_that_goes_wrong_is_not_driven_again(bench, end) -> None:
    first = bench.started()
    bench.store.close(first, WorkOrderState.PUBLISHING, "in the ledger")
    rerun = bench.queue.open(first.work_order_key, "from-the-ui", None)
    if end == "fails":
        bench.queue.fail(rerun, "boom", retryable=True)
    else:
        bench.pass_time(31)
        bench.queue.reap()
    assert bench.job(first.work_order_key).state is JobState.DONE
    assert bench.store.state(first.work_order_key) is WorkOrderState.PUBLISHING


# --- failing --------------------------------------------------------------------------------------


def test_a_retryable_failure_waits_out_its_back_off_and_comes_back(bench) -> None:
    fence = bench.started()
    assert bench.queue.fail(fence, "monday is down", retryable=True) is JobState.QUEUED
    assert bench.store.state(fence.work_order_key) is WorkOrderState.ACCEPTED
    assert bench.queue.request_due(5) == []
    bench.pass_time(4.1)  # half (the draw) of 8 s
    (again,) = bench.queue.request_due(5)
    assert again.attempt == 2
    assert bench.queue.open(again.work_order_key, "run-2", 2).token > fence.token


def test_a_failed_run_has_lost_its_fence(bench) -> None:
    fence = bench.started()
    bench.queue.fail(fence, "boom", retryable=True)
    assert bench.queue.heartbeat(fence) is False
    assert bench.queue.fail(fence, "boom again", retryable=False) is JobState.QUEUED
    assert bench.job(fence.work_order_key).failures == 1


def test_a_permanent_failure_is_dead_at_once_with_its_reason(bench) -> None:
    fence = bench.started()
    assert bench.queue.fail(fence, "stored mail is unreadable", retryable=False) is JobState.DEAD
    (letter,) = bench.queue.dead()
    assert letter.dead_reason == "stored mail is unreadable"
    assert bench.store.state(fence.work_order_key) is WorkOrderState.DEAD


def test_a_poison_job_is_dead_after_its_bounded_failures(bench) -> None:
    key = bench.queued()
    states = []
    for attempt in (1, 2, 3):
        bench.queue.request_due(5)
        fence = bench.queue.open(key, f"run-{attempt}", attempt)
        states.append(bench.queue.fail(fence, "boom", retryable=True))
        bench.pass_time(61)
    assert states == [JobState.QUEUED, JobState.QUEUED, JobState.DEAD]
    assert bench.queue.dead()[0].dead_reason == "failed 3 times, last: boom"


def test_a_replay_starts_afresh_and_keeps_the_history(bench) -> None:
    fence = bench.started()
    bench.queue.fail(fence, "boom", retryable=False)
    assert bench.queue.replay(fence.work_order_key) is True
    job = bench.job(fence.work_order_key)
    assert (job.state, job.failures, job.attempt) == (JobState.QUEUED, 0, 1)
    assert bench.store.state(fence.work_order_key) is WorkOrderState.ACCEPTED
    events = bench.store.events(fence.work_order_key)
    assert [event.kind for event in events] == [
        "run.opened",
        "run.failed",
        "work_order.dead",
        "work_order.accepted",
    ]
    assert verify_chain(events) == ()
    assert bench.queue.request_due(5)[0].attempt == 2


def test_only_dead_letters_are_replayed(bench) -> None:
    fence = bench.started()
    assert bench.queue.replay(fence.work_order_key) is False
    bench.store.escalate(fence, [])
    assert bench.queue.replay(fence.work_order_key) is False


# --- reaping --------------------------------------------------------------------------------------


@pytest.mark.fault("T18")
def test_a_slow_worker_that_beats_is_never_reaped(bench) -> None:
    """T18: the heartbeat decides, not age."""
    fence = bench.started()
    for _ in range(10):
        bench.pass_time(25)
        assert bench.queue.heartbeat(fence) is True
        assert bench.queue.reap() == []


@pytest.mark.fault("T19")
def test_a_vanished_worker_is_reaped_and_counts_as_a_failure(bench) -> None:
    """T19."""
    fence = bench.started()
    bench.pass_time(31)
    (before,) = bench.queue.reap()
    assert (before.run_id, before.state) == ("run-1", JobState.RUNNING)
    job = bench.job(fence.work_order_key)
    assert (job.state, job.failures, job.run_id) == (JobState.QUEUED, 1, None)
    assert bench.queue.heartbeat(fence) is False
    assert bench.queue.reap() == []


@pytest.mark.fault("T19")
def test_a_worker_that_vanishes_every_time_ends_as_a_dead_letter(bench) -> None:
    """T19."""
    key = bench.queued()
    for attempt in (1, 2, 3):
        bench.queue.request_due(5)
        bench.queue.open(key, f"run-{attempt}", attempt)
        bench.pass_time(61)
        bench.queue.reap()
        bench.pass_time(61)
    assert bench.queue.dead()[0].dead_reason.startswith("failed 3 times")
    assert bench.store.state(key) is WorkOrderState.DEAD


def test_a_request_that_still_waits_in_a_long_queue_is_not_lost(bench) -> None:
    """Slow models and a full queue must not make requests overtake themselves for ever."""
    bench.queued()
    (waiting,) = bench.queue.request_due(5)
    for _ in range(3):
        bench.pass_time(100)
        assert bench.queue.renew([waiting]) == 1
        assert bench.queue.reap() == []


def test_only_the_request_last_made_is_renewed(bench) -> None:
    bench.queued()
    (waiting,) = bench.queue.request_due(5)
    older = waiting.model_copy(update={"attempt": waiting.attempt - 1})
    bench.pass_time(121)
    assert bench.queue.renew([older]) == 0
    assert len(bench.queue.reap()) == 1


def test_a_request_that_never_started_is_driven_again_at_no_cost(bench) -> None:
    key = bench.queued()
    bench.queue.request_due(5)
    bench.pass_time(121)
    assert bench.queue.request_due(5) == []
    (before,) = bench.queue.reap()
    assert before.state is JobState.REQUESTED
    assert [r.attempt for r in bench.queue.request_due(5)] == [2]
    assert bench.job(key).failures == 0
    with pytest.raises(FencedOutError):
        bench.queue.open(key, "run-1", 1)
