"""T12: who is stopped in a pool of workers, idle or not, is replaced; a lost round is told.

SIGSTOP, as a debugger, a batch system or a careless hand leaves a process: it lives, so nobody who
asks for the dead finds it, and an idle one keeps the lock of the pipe that all of its pool share.
A whole installation, everything as shipped. What lives elsewhere: a worker that goes on after its
work was done by another (``test_stopped_workers``).
"""

import os
import signal
import time
from collections.abc import Callable

import psycopg
import pytest
from correspondent import installation, write_to_us
from installation import Running, pid_of
from worker_lane import children_of, is_stopped, wait_for

from swarm.store.alerts import ROUNDS_LOST

pytestmark = pytest.mark.faults

SECONDS = 90.0
PATIENCE = 300.0

_DRAFTED = "SELECT count(*) FROM swarm.work_orders WHERE state = 'published'"
_ALERTS = """
SELECT count, resolved_at IS NOT NULL FROM swarm.alerts WHERE kind = %s ORDER BY id
"""


def parent_of_pool(running: Running, pool: str) -> int:
    return pid_of(running.home, pool)


def drafts(running: Running) -> int:
    with psycopg.connect(running.settings["DATABASE_URL"]) as connection:
        row = connection.execute(_DRAFTED).fetchone()
    return int(row[0]) if row else 0


def lost_rounds(running: Running) -> list[tuple[int, bool]]:
    """How many rounds each alert told of, and whether it was resolved."""
    with psycopg.connect(running.settings["DATABASE_URL"]) as connection:
        return [*connection.execute(_ALERTS, (ROUNDS_LOST,))]


@pytest.mark.fault("T12")
@pytest.mark.parametrize("pool", ["publisher", "workers"])
def test_an_idle_process_that_is_stopped_is_replaced_and_the_draft_comes(
    pool: str, record_property: Callable[[str, object], None]
) -> None:
    with installation() as (running, control):
        worker = parent_of_pool(running, pool)
        stopped = wait_for(lambda: children_of(worker), PATIENCE)
        time.sleep(5)  # they wait for a task
        for child in stopped:
            os.kill(child, signal.SIGSTOP)
        begun = time.monotonic()
        write_to_us(control, range(1))
        wait_for(lambda: drafts(running) == 1, SECONDS)
        record_property("drafted after seconds", round(time.monotonic() - begun))
        assert not set(stopped) & set(children_of(worker))
        wait_for(lambda: all(resolved for _, resolved in lost_rounds(running)), SECONDS)
        assert running.swarm("audit").returncode == 0


@pytest.mark.fault("T12", "T17")
@pytest.mark.parametrize("pool", ["publisher", "workers"])
def test_the_parent_of_a_pool_that_is_stopped_is_replaced_and_the_draft_comes(
    pool: str, record_property: Callable[[str, object], None]
) -> None:
    with installation() as (running, control):
        stopped = parent_of_pool(running, pool)
        os.kill(stopped, signal.SIGSTOP)
        begun = time.monotonic()
        write_to_us(control, range(1))
        wait_for(lambda: drafts(running) == 1, SECONDS)
        record_property("drafted after seconds", round(time.monotonic() - begun))
        assert parent_of_pool(running, pool) != stopped


@pytest.mark.fault("T17")
def test_rounds_that_nobody_takes_are_alerted_until_one_begins() -> None:
    """Without a `swarm up` that looks after it: on many machines, or when it is stopped too."""
    with installation() as (running, control):
        halted = (running.pids["up"], parent_of_pool(running, "publisher"))
        for pid in halted:
            os.kill(pid, signal.SIGSTOP)
        try:
            write_to_us(control, range(1))
            wait_for(lambda: [told > 1 for told, _ in lost_rounds(running)] == [True], PATIENCE)
            status = str(running.json("status"))
            assert ROUNDS_LOST in status
        finally:
            for pid in reversed(halted):
                os.kill(pid, signal.SIGCONT)
        wait_for(lambda: drafts(running) == 1, SECONDS)
        wait_for(lambda: all(resolved for _, resolved in lost_rounds(running)), SECONDS)
        assert ROUNDS_LOST not in str(running.json("status"))
        assert not is_stopped(halted[1])
