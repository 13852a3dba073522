"""T54: the clock of one process is wrong, or is set while it works: leases go by the database's.

The clock of a worker or of a reaper is a day off, jumps, or passes the hour at which daylight
saving begins or ends; the database keeps the true one. A run that beats is left alone however long
it takes, one that is silent is taken back when its lease is over and not before. What the clocks of
publishers decide is attacked in ``publishing/test_claims_under_a_wrong_clock.py``.
"""

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from worker_lane import IN_A_WORKER, arrived, house, wait_for
from wrong_clock import WrongClock

from swarm.models import WorkOrderState
from swarm.settings import QueueSettings
from swarm.store.database import Database
from swarm.store.postgres import PostgresStore
from swarm.store.postgres_queue import PostgresQueue
from swarm.store.queue import JobState

pytestmark = [
    pytest.mark.faults,
    pytest.mark.integration,
    # Stock dagster-celery registers its task anew for each run it launches from one process.
    pytest.mark.filterwarnings("ignore::celery.exceptions.DuplicateTaskNameWarning"),
]

LEASE = 4.0
PACE = {"QUEUE_LEASE_SECONDS": str(LEASE), "QUEUE_HEARTBEAT_SECONDS": "1"}
DAY = 86_400.0


def seconds_to(moment: datetime) -> float:
    return (moment - datetime.now(UTC)).total_seconds()


@dataclass(frozen=True)
class Trouble:
    """By how much a clock is wrong, by how much once the run is under way, and where it hangs."""

    before: float
    meanwhile: float
    zone: str = "UTC"


def troubles() -> dict[str, Trouble]:
    begins = seconds_to(datetime(2027, 3, 28, 1, tzinfo=UTC)) - LEASE
    ends = seconds_to(datetime(2026, 10, 25, 1, tzinfo=UTC)) - LEASE
    return {
        "a day ahead": Trouble(DAY, DAY),
        "a day behind": Trouble(-DAY, -DAY),
        "set ahead by a day": Trouble(0, DAY),
        "set back by a day": Trouble(0, -DAY),
        "set back by ten minutes": Trouble(0, -600),
        "daylight saving begins": Trouble(0, begins, "Europe/Berlin"),
        "daylight saving ends": Trouble(0, ends, "Europe/Berlin"),
    }


# The run waits until the test has looked long enough; its heartbeat goes on meanwhile.
_WAITS = """
    import pathlib, time
    from swarm.store.postgres import PostgresStore
    write = PostgresStore.write_stage
    def waiting_write(self, *given, **named):
        while not pathlib.Path({go!r}).exists():
            time.sleep(0.05)
        return write(self, *given, **named)
    PostgresStore.write_stage = waiting_write
"""

_REAPER = """
import sys
from swarm.settings import QueueSettings
from swarm.store.database import Database
from swarm.store.postgres_queue import PostgresQueue
database = Database(sys.argv[1], max_connections=1)
print(*(job.run_id for job in PostgresQueue(database, QueueSettings()).reap()))
database.close()
"""


def reaped_by(clock: WrongClock, zone: str, url: str) -> list[str]:
    """Let a process with this clock reap once; returns whose work orders it took back."""
    done = subprocess.run(
        [sys.executable, "-c", _REAPER, url],
        env={**clock.environment(), **PACE, "TZ": zone},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.fault("T54")
@pytest.mark.parametrize("name", troubles())
def test_a_run_that_beats_is_not_taken_back_whatever_its_clock_or_the_reapers_says(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    trouble, go = troubles()[name], tmp_path / "go"
    monkeypatch.setenv("TZ", trouble.zone)
    clock = WrongClock(tmp_path / "clock", trouble.before)
    waits = clock.first + IN_A_WORKER + _WAITS.format(go=str(go))
    with house(database, tmp_path, PACE) as (lane, sandbox), lane.worker("wrong", waits):
        key = arrived(lane, sandbox)
        run_id = lane.send_next()
        began = wait_for(lambda: lane.job(key).heartbeat_at)
        clock.shift(trouble.meanwhile)
        until = began + timedelta(seconds=3 * LEASE)
        while (lane.job(key).heartbeat_at or began) < until:
            lane.reap()
            assert reaped_by(clock, trouble.zone, database.url) == []
            assert lane.job(key).state is JobState.RUNNING
        go.touch()
        wait_for(lambda: lane.over(run_id))
        assert lane.status(run_id) is dg.DagsterRunStatus.SUCCESS
        assert (lane.job(key).attempt, lane.job(key).failures) == (1, 0)
        published = {WorkOrderState.PUBLISHING, WorkOrderState.PUBLISHED}
        assert PostgresStore(database).state(key) in published


@pytest.mark.fault("T54")
@pytest.mark.parametrize("name", troubles())
def test_a_silent_run_is_taken_back_when_its_lease_is_over_and_not_before(
    database: Database, tmp_path: Path, name: str
) -> None:
    trouble = troubles()[name]
    clock = WrongClock(tmp_path / "clock", trouble.meanwhile)
    queue = PostgresQueue(database, QueueSettings(lease_seconds=LEASE))
    key = "wo_" + "s" * 24
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO work_orders (key, original_id, body) VALUES (%s, %s, '{}')", (key, key)
        )
    queue.enqueue(key)
    (asked,) = queue.request_due(1)
    queue.open(key, "silent-run", asked.attempt)
    job = queue.job(key)
    assert job is not None
    assert job.lease_until is not None
    while not (taken := reaped_by(clock, trouble.zone, database.url)):
        assert database_now(database) < job.lease_until + timedelta(seconds=10), "in time"
    assert taken == ["silent-run"]
    assert database_now(database) > job.lease_until


def database_now(database: Database) -> datetime:
    with database.transaction() as connection:
        row = connection.execute("SELECT clock_timestamp() AS now").fetchone()
    assert row is not None
    now: datetime = row["now"]
    return now


@pytest.mark.fault("T54")
def test_the_clock_of_these_tests_is_really_wrong(tmp_path: Path) -> None:
    """Else every test above would pass for nothing."""
    clock = WrongClock(tmp_path / "clock", DAY)
    program = (
        "import time; from swarm.clock import utc_now; print(utc_now().timestamp(), time.time())"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], env=clock.environment(), capture_output=True, check=True
    )
    for moment in map(float, told.stdout.split()):
        assert abs(moment - datetime.now(UTC).timestamp() - DAY) < 60
