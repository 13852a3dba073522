"""Threads on a real Postgres: one winner each, no job lost, no chain torn (T19, T20)."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from swarm.errors import FencedOutError
from swarm.models import Event, Fence, WorkOrderState
from swarm.settings import QueueSettings
from swarm.store.database import Database
from swarm.store.event_chain import verify_chain
from swarm.store.postgres import PostgresStore
from swarm.store.postgres_queue import PostgresQueue
from swarm.store.queue import JobState

pytestmark = pytest.mark.integration

WORKERS, JOBS = 4, 60
NAMES = "abcdefghijklmnopqrstuvwxyz234567"
SHORT = QueueSettings(
    lease_seconds=0.05,
    max_failures=4,
    backoff_base_seconds=0.001,
    backoff_cap_seconds=0.01,
    request_timeout_seconds=0.2,
)


@pytest.fixture
def wide_database(database_url: str):
    database = Database(database_url, max_connections=8)
    yield database
    database.close()


@pytest.mark.fault("T19")
def test_with_workers_killed_at_random_every_job_ends_exactly_once(
    wide_database: Database, accept_into
) -> None:
    """Four workers; each abandons a third of its runs and fails some."""
    keys = [accept_into(wide_database, NAMES[n // 32] + NAMES[n % 32]) for n in range(JOBS)]
    queue, store = PostgresQueue(wide_database, SHORT), PostgresStore(wide_database)
    for key in keys:
        queue.enqueue(key)
    closed: Counter[str] = Counter()
    seeds = [random.Random(seed) for seed in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda chance: _work(queue, store, chance, closed), seeds))
    states = {key: store.state(key) for key in keys}
    assert all(state.final for state in states.values())
    held = {key for key, state in states.items() if state is WorkOrderState.HELD}
    assert closed == Counter(dict.fromkeys(held, 1))
    assert {job.work_order_key for job in queue.dead()} == set(keys) - held
    for key in keys:
        events = store.events(key)
        assert verify_chain(events) == ()
        ends = [e.kind for e in events if e.kind in {"work_order.held", "work_order.dead"}]
        assert len(ends) == 1


def _work(
    queue: PostgresQueue, store: PostgresStore, chance: random.Random, closed: Counter[str]
) -> None:
    unfinished = {JobState.QUEUED, JobState.REQUESTED, JobState.RUNNING}
    while _any_job(queue, unfinished):
        queue.reap()
        for request in queue.request_due(5):
            try:
                fence = queue.open(
                    request.work_order_key, f"run-{chance.random()}", request.attempt
                )
            except FencedOutError:
                continue
            _one_run(queue, store, fence, chance.random(), closed)


def _one_run(
    queue: PostgresQueue,
    store: PostgresStore,
    fence: Fence,
    luck: float,
    closed: Counter[str],
) -> None:
    if luck < 0.35:
        return  # killed: says nothing ever again
    if luck < 0.5:
        queue.fail(fence, "boom", retryable=True)
        return
    try:
        if store.close(fence, WorkOrderState.HELD, "judged"):
            closed[fence.work_order_key] += 1
    except FencedOutError:
        return


def _any_job(queue: PostgresQueue, states: set[JobState]) -> bool:
    with queue._database.transaction() as connection:
        row = connection.execute(
            "SELECT 1 FROM swarm_jobs WHERE state = ANY(%s) LIMIT 1", ([*states],)
        ).fetchone()
    return row is not None


@pytest.mark.fault("T20")
def test_two_reapers_and_a_recorder_make_one_transition_each(
    wide_database: Database, accept_into
) -> None:
    """T20: whoever is first moves the job; the two others learn that it was not them."""
    settings = QueueSettings(lease_seconds=0.0001)
    queue, store = PostgresQueue(wide_database, settings), PostgresStore(wide_database)
    wins: Counter[str] = Counter()
    with ThreadPoolExecutor(3) as pool:
        for number in range(100):
            key = accept_into(wide_database, NAMES[number // 32] + NAMES[number % 32])
            queue.enqueue(key)
            fence = queue.open(key, f"run-{number}", None)
            barrier = threading.Barrier(3)
            racers: list[Callable[[], bool]] = [
                lambda: bool(queue.reap()),
                lambda: bool(queue.reap()),
                lambda fence=fence: _closes(store, fence),
            ]
            results = list(pool.map(lambda racer, b=barrier: (b.wait(), racer())[1], racers))
            assert sum(results) == 1
            wins["recorder" if results[2] else "reaper"] += 1
            if not results[2]:
                _retire(queue, key)
    assert wins.total() == 100


def _closes(store: PostgresStore, fence: Fence) -> bool:
    try:
        return store.close(fence, WorkOrderState.HELD, "judged")
    except FencedOutError:
        return False


def _retire(queue: PostgresQueue, key: str) -> None:
    fence = queue.open(key, f"{key}-last", None)
    queue.fail(fence, "enough", retryable=False)


def test_concurrent_writers_leave_one_gapless_chain(wide_database: Database, accept_into) -> None:
    store, key = PostgresStore(wide_database), accept_into(wide_database, "b")
    event = Event(kind="noted", actor="test")
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: store.append_event(key, event), range(60)))
    events = store.events(key)
    assert [e.seq for e in events] == list(range(1, 61))
    assert verify_chain(events) == ()


def test_concurrent_requesters_never_ask_twice_for_the_same_drive(
    wide_database: Database, accept_into
) -> None:
    queue = PostgresQueue(wide_database, QueueSettings())
    keys = [accept_into(wide_database, NAMES[n]) for n in range(20)]
    for key in keys:
        queue.enqueue(key)
    with ThreadPoolExecutor(4) as pool:
        asked = {r for batch in pool.map(lambda _: queue.request_due(20), range(8)) for r in batch}
    assert {request.run_key for request in asked} == {f"{key}:1" for key in keys}
