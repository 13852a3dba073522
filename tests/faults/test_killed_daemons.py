"""The sensor daemon is a process and dies for real, is there twice, or is slower than it may be.

Whatever happens to it, every work order gets one run. What lives elsewhere: the exact line it dies
at (``test_dagster_daemon``).
"""

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import daemon_process
import dagster as dg
import psycopg
import pytest
from dagster_daemon import ORDERS, Daemon, assert_each_once, daemon_of

from swarm.errors import FencedOutError
from swarm.settings import QueueSettings
from swarm.store.database import Database
from swarm.store.postgres_queue import PostgresQueue
from swarm_assets.partitions import ATTEMPT_TAG, PARTITION_TAG

pytestmark = [pytest.mark.faults, pytest.mark.integration]

KILLS = 50
PATIENCE = 600.0
# Every point at which Dagster's own tests let the daemon die, but the two of automation conditions.
POINTS = ("TICK_CREATED", "TICK_HELD", "RUN_IDS_RESERVED", "RUN_CREATED", "RUN_LAUNCHED")


@pytest.fixture
def daemon(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    # Read when Dagster is imported, so it holds for the forked daemons alone.
    monkeypatch.setenv("DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS", "3")
    with daemon_of(database_url, tmp_path, monkeypatch) as daemon:
        yield daemon


@contextmanager
def beating(daemon: Daemon, **how: object) -> Iterator["daemon_process.ForkServerProcess"]:
    """A daemon of its own until the end of the block."""
    process = start(daemon, **how)
    try:
        yield process
    finally:
        process.kill()
        process.join()


def start(daemon: Daemon, **how: object) -> "daemon_process.ForkServerProcess":
    (entry,) = daemon.context.create_request_context().get_code_location_entries().values()
    assert entry.code_location is not None, entry.load_error
    socket = entry.code_location.socket  # type: ignore[attr-defined]
    workspace = daemon_process.workspace_of(daemon.home, socket)
    return daemon_process.start(daemon.home, workspace, **how)  # type: ignore[arg-type]


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.1)


def all_are_queued(daemon: Daemon) -> bool:
    return daemon.count("work_orders") == ORDERS and len(daemon.queued()) == ORDERS


@pytest.mark.fault("T01")
@pytest.mark.parametrize("seed", [3])
def test_killed_fifty_times_at_random_every_work_order_gets_one_run(
    daemon: Daemon, seed: int
) -> None:
    chance = random.Random(seed)
    daemon.mails(0)
    for number in range(KILLS):
        if number % (KILLS // ORDERS) == 0:
            daemon.mails(number // (KILLS // ORDERS) + 1)
        beats = daemon.home / "beats"
        beats.unlink(missing_ok=True)
        process = start(daemon)
        wait_for(beats.exists, "the daemon to begin")
        time.sleep(chance.uniform(0, 1.5))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    with beating(daemon):
        wait_for(lambda: all_are_queued(daemon), "every work order to be run")
    assert_each_once(daemon)


@pytest.mark.fault("T07")
@pytest.mark.parametrize("point", POINTS)
def test_killed_where_dagster_s_own_tests_kill_it_every_work_order_gets_one_run(
    daemon: Daemon, point: str
) -> None:
    daemon.mails(ORDERS)
    process = start(daemon, flags={"intake": {point: signal.SIGKILL}})
    process.join(PATIENCE)
    assert process.exitcode == -signal.SIGKILL
    with beating(daemon):
        wait_for(lambda: all_are_queued(daemon), "every work order to be run")
    assert_each_once(daemon)


@pytest.mark.fault("T05")
def test_two_daemons_at_once_make_one_run_a_work_order(daemon: Daemon) -> None:
    """Should a second one ever run: nothing is run twice under one attempt, and nothing is lost."""
    with beating(daemon, pause=0.05) as first, beating(daemon, pause=0.05) as second:
        for number in range(1, ORDERS + 1):
            daemon.mails(number)
            time.sleep(1)
        wait_for(lambda: all_are_queued(daemon), "every work order to be run")
        time.sleep(3)
        assert first.is_alive()
        assert second.is_alive()
    assert daemon.count("work_orders") == ORDERS
    assert daemon.count("intake_line") == ORDERS
    opened = [run for run in daemon.runs() if may_open(daemon, run)]
    assert sorted(run.tags[PARTITION_TAG] for run in opened) == sorted(daemon.queued())


def may_open(daemon: Daemon, run: dg.DagsterRun) -> bool:
    """Whether a run gets its work order. Dagster looks for a run key and then makes a run: between
    the two another daemon may have made one. The first of them to begin is the only one.
    """
    database = Database(daemon.database_url)
    queue = PostgresQueue(database, QueueSettings())
    with closing(database), suppress(FencedOutError):
        queue.open(run.tags[PARTITION_TAG], run.run_id, int(run.tags[ATTEMPT_TAG]))
        return True
    return False


@pytest.mark.fault("T06")
def test_a_sensor_slower_than_the_daemon_waits_neither_doubles_nor_loses(daemon: Daemon) -> None:
    """The daemon gives the call up after 3 s; its evaluation goes on, and the next ones overlap."""
    with beating(daemon):
        with psycopg.connect(daemon.database_url) as other:
            other.execute("LOCK TABLE swarm.work_orders IN ACCESS EXCLUSIVE MODE")
            daemon.mails(ORDERS)
            wait_for(lambda: gave_up(daemon) >= 1, "the daemon to give up")
            other.rollback()
        wait_for(lambda: all_are_queued(daemon), "every work order to be run")
    assert daemon.count("intake_line") == ORDERS
    assert_each_once(daemon)


def gave_up(daemon: Daemon) -> int:
    """How many ticks of the intake ended without an answer."""
    return sum("DEADLINE_EXCEEDED" in str(tick.error) for tick in daemon.ticks() if tick.error)
