"""Back-off and the bounds of retrying, as pure decisions."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from swarm.models import WorkOrderState
from swarm.settings import QueueSettings
from swarm.store import transitions
from swarm.store.queue import Job, JobState

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SETTINGS = QueueSettings(backoff_base_seconds=5, backoff_cap_seconds=600, max_failures=5)
RUNNING = Job(
    work_order_key="wo_" + "a" * 24,
    state=JobState.RUNNING,
    attempt=1,
    failures=0,
    token=1,
    run_id="run-1",
    not_before=NOW,
    lease_until=NOW,
)
jitter = st.floats(min_value=0, max_value=1, exclude_max=True)


def fail(job: Job, *, retryable: bool = True, draw: float = 0.5) -> Job:
    return transitions.failed(
        job,
        "boom",
        state=WorkOrderState.RUNNING,
        retryable=retryable,
        settings=SETTINGS,
        now=NOW,
        draw=lambda: draw,
    )


@given(failures=st.integers(min_value=1, max_value=10_000))
def test_the_longest_wait_grows_and_never_passes_the_cap(failures: int) -> None:
    ceiling = transitions.backoff_ceiling(failures, SETTINGS)
    assert 5 <= ceiling <= 600
    assert transitions.backoff_ceiling(failures + 1, SETTINGS) >= ceiling


@given(failures=st.integers(min_value=0, max_value=3), draw=jitter)
def test_jitter_is_full_between_nothing_and_the_ceiling(failures: int, draw: float) -> None:
    after = fail(RUNNING.model_copy(update={"failures": failures}), draw=draw)
    ceiling = timedelta(seconds=transitions.backoff_ceiling(failures + 1, SETTINGS))
    assert after.state is JobState.QUEUED
    assert timedelta() <= after.not_before - NOW <= ceiling


def test_the_last_allowed_failure_is_the_end() -> None:
    assert fail(RUNNING.model_copy(update={"failures": 3})).state is JobState.QUEUED
    assert fail(RUNNING.model_copy(update={"failures": 4})).state is JobState.DEAD


@given(draw=jitter, retryable=st.booleans())
def test_every_failure_voids_the_fence(draw: float, *, retryable: bool) -> None:
    after = fail(RUNNING, draw=draw, retryable=retryable)
    assert (after.token, after.run_id, after.lease_until) == (2, None, None)


def test_a_lease_is_overdue_only_after_its_end() -> None:
    assert not transitions.overdue(RUNNING, NOW, SETTINGS)
    assert transitions.overdue(RUNNING, NOW + timedelta(microseconds=1), SETTINGS)
    assert not transitions.overdue(RUNNING.model_copy(update={"lease_until": None}), NOW, SETTINGS)
