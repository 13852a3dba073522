"""Dagster's daemon ends in the middle of a tick: every work order is still run once.

What stands for kill -9 is an exception that no handler of Dagster catches, raised where the daemon
was about to write. What lives elsewhere: daemons killed for real (``test_killed_daemons``).
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster._core.scheduler.instigation import InstigatorTick
from dagster._daemon.sensor import SensorLaunchContext
from dagster_daemon import (
    ORDERS,
    Daemon,
    Killed,
    assert_each_once,
    daemon_of,
    fails_at,
    only_intake,
    tick_that_ends_at,
)

from swarm_assets.partitions import work_orders

pytestmark = [pytest.mark.faults, pytest.mark.integration]

PARTITIONS = str(work_orders.name)
DAY = 25 * 3600.0


@pytest.fixture
def daemon(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    with daemon_of(database_url, tmp_path, monkeypatch) as daemon:
        yield daemon


@pytest.mark.fault("T02")
def test_killed_before_the_runs_are_reserved_they_are_made_by_the_next_tick(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The partitions are there, and nothing of the runs is."""
    daemon.mails(ORDERS)
    only_intake(daemon)
    reserve = fails_at(SensorLaunchContext.set_run_requests, 1, Killed)
    with monkeypatch.context() as patch:
        patch.setattr(SensorLaunchContext, "set_run_requests", reserve)
        with pytest.raises(Killed):
            daemon.iterate()
    assert len(daemon.instance.get_dynamic_partitions(PARTITIONS)) == ORDERS
    assert daemon.runs() == []
    daemon.iterate()
    daemon.iterate()
    assert_each_once(daemon)


@pytest.mark.fault("T04")
@pytest.mark.parametrize("number", [1, 2, ORDERS])
def test_killed_between_two_launches_the_rest_is_launched_by_the_next_tick(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    daemon.mails(ORDERS)
    only_intake(daemon)
    tick_that_ends_at(daemon, monkeypatch, "submit_run", number, Killed)
    assert len(daemon.queued()) == number - 1
    daemon.iterate()
    daemon.iterate()
    assert_each_once(daemon)


@pytest.mark.fault("T03")
def test_killed_before_the_cursor_is_written_nothing_is_run_twice(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second write of the sensor's state is the one at the end of its tick."""
    daemon.mails(ORDERS)
    only_intake(daemon)
    tick_that_ends_at(daemon, monkeypatch, "update_instigator_state", 2, Killed)
    assert len(daemon.queued()) == ORDERS
    daemon.iterate()
    daemon.iterate()
    assert_each_once(daemon)


@pytest.mark.fault("T04")
def test_a_launch_that_fails_is_made_good_by_the_next_tick(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster swallows the error or fails the tick; our queue asks for the run again."""
    daemon.mails(ORDERS)
    only_intake(daemon)
    tick_that_ends_at(daemon, monkeypatch, "submit_run", 2, ConnectionError)
    began = time.monotonic()
    while len(daemon.queued()) < ORDERS:
        assert time.monotonic() - began < 180, "made good within three minutes"
        daemon.iterate()
    assert_each_once(daemon)


@pytest.mark.fault("T08")
def test_after_a_day_without_a_daemon_an_interrupted_tick_is_not_resumed_and_nothing_is_lost(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster resumes no tick older than 24 h: its reserved runs would never be launched."""
    daemon.mails(ORDERS)
    only_intake(daemon)
    tick_that_ends_at(daemon, monkeypatch, "submit_run", 2, Killed)
    (tick,) = daemon.ticks()
    aged = tick.tick_data._replace(timestamp=tick.timestamp - DAY)
    daemon.instance.update_tick(InstigatorTick(tick.tick_id, aged))
    daemon.iterate()
    daemon.iterate()
    assert len(daemon.ticks()) >= 2
    assert_each_once(daemon)
