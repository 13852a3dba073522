"""T13: whoever holds a slot and is killed gives it back within a minute, in a whole installation.

A slot is a place among Dagster's runs in flight (``dagster.yaml`` counts them by lane) and a place
in the worker's pool of processes. Both lanes, with the leases and limits as shipped: a worker of
work orders, and the one that does publishing rounds, of which there is only one at a time.
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from correspondent import installation, write_to_us
from installation import Running, pid_of
from worker_lane import (
    IN_A_WORKER,
    arrived,
    children_of,
    house,
    is_stopped,
    lane_of,
    wait_for,
)

from swarm.store.database import Database
from swarm.store.queue import JobState
from swarm_assets.sensors.reaper import end_workers

pytestmark = pytest.mark.faults

SLOT_SECONDS = 60.0
PATIENCE = 300.0
MAILS = 12
LANES = {"work_order": "workers", "publications": "publisher"}

_STARTED = "SELECT run_id FROM runs WHERE pipeline_name = %s AND status = 'STARTED'"
_STILL = """
SELECT run_id FROM runs
 WHERE run_id = ANY(%s) AND status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED')
"""
_LATER = """
SELECT 1 FROM runs WHERE pipeline_name = %s AND status = 'SUCCESS'
   AND id > (SELECT max(id) FROM runs WHERE run_id = ANY(%s))
"""

_ALL = "SELECT id, run_id, pipeline_name, status FROM runs ORDER BY id"


class Dagster:
    """Dagster's own table of runs."""

    def __init__(self, running: Running) -> None:
        url = running.settings["DAGSTER_POSTGRES_URL"].replace("+psycopg2", "")
        self._connection = psycopg.connect(url, autocommit=True)

    def close(self) -> None:
        self._connection.close()

    def started(self, job: str) -> list[str]:
        return [row[0] for row in self._connection.execute(_STARTED, (job,))]

    def unfinished(self, runs: list[str]) -> list[str]:
        return [row[0] for row in self._connection.execute(_STILL, (runs,))]

    def table(self) -> list[object]:
        """Where every run stands; for who asks why."""
        return [*self._connection.execute(_ALL)]

    def one_after(self, job: str, runs: list[str]) -> bool:
        """Whether a run of the job that was made later has succeeded: the slot is in use again."""
        return self._connection.execute(_LATER, (job, runs)).fetchone() is not None


def send(pids: list[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def holders(dagster: Dagster, job: str, worker: int) -> tuple[list[str], list[int]]:
    """Stop every process of the worker in the middle of a run; returns the runs and processes.

    A run lasts tenths of a second: stopped in between two of them, the processes go on.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if not dagster.started(job):
            continue
        pids = children_of(worker)
        send(pids, signal.SIGSTOP)
        wait_for(lambda pids=pids: all(is_stopped(pid) for pid in pids))
        if held := dagster.started(job):
            return held, pids
        send(pids, signal.SIGCONT)
    pytest.fail(f"no run of {job} was seen at work")


def settled(running: Running) -> bool:
    query = "SELECT count(*) FROM swarm.work_orders WHERE final_at IS NOT NULL"
    with psycopg.connect(running.settings["DATABASE_URL"]) as connection:
        row = connection.execute(query).fetchone()
    return row is not None and row[0] == MAILS


@pytest.mark.fault("T13")
@pytest.mark.parametrize("job", LANES)
def test_the_slot_of_a_killed_worker_is_back_within_a_minute_and_in_use_again(
    job: str, record_property: Callable[[str, object], None]
) -> None:
    with (
        installation() as (running, control),
        closing(Dagster(running)) as dagster,
    ):
        # Drafts that come late keep rounds of publishing busy: each looks for them again.
        control.configure(settle_seconds=20)
        worker = pid_of(running.home, LANES[job])
        write_to_us(control, range(MAILS))
        held, pids = holders(dagster, job, worker)
        send(pids, signal.SIGKILL)
        killed = time.monotonic()
        for condition in (
            lambda: not dagster.unfinished(held),
            lambda: len(children_of(worker)) == len(pids),
            lambda: dagster.one_after(job, held),
        ):
            while not condition():
                assert time.monotonic() < killed + SLOT_SECONDS, (held, dagster.table())
                time.sleep(0.2)
        record_property("slots back and in use after seconds", round(time.monotonic() - killed))

        wait_for(lambda: settled(running), PATIENCE)
        audit = running.swarm("audit")
        assert audit.returncode == 0, audit.stdout + audit.stderr
        posts = Counter(str(each["payload"]["idempotency_key"]) for each in control.deliveries())
        assert max(posts.values()) == 1, "one POST a work order"


def waits_for_a_task(pid: int) -> bool:
    """Whether a process of the pool is idle: it hangs in reading the pipe of tasks."""
    return "pipe" in Path(f"/proc/{pid}/wchan").read_text("ascii")


@pytest.mark.integration
# Stock dagster-celery registers its task anew for each run it launches from one process.
@pytest.mark.fault("T13")
@pytest.mark.filterwarnings("ignore::celery.exceptions.DuplicateTaskNameWarning")
def test_a_worker_whose_idle_process_is_killed_takes_the_next_run(
    database: Database, tmp_path: Path
) -> None:
    """Before, it held a semaphore for ever, and the whole worker stood still until a restart."""
    with lane_of(database, tmp_path, {}) as lane, lane.worker("only") as worker:
        for letter in "abc":
            key = "wo_" + letter * 24
            lane.accept(key)
            lane.send_next()
            wait_for(lambda key=key: lane.received(key), SLOT_SECONDS)
            (child,) = wait_for(lambda: children_of(worker.pid))
            wait_for(lambda child=child: waits_for_a_task(child), SLOT_SECONDS)
            os.kill(child, signal.SIGKILL)
            wait_for(lambda child=child: child not in children_of(worker.pid), SLOT_SECONDS)


# Everything of the work order is done; only Dagster was not told.
DIES_AFTER_ITS_WORK = f"""{IN_A_WORKER}
    import os, signal
    from swarm.publishing.dispatch.handover import LedgerPublisher
    hand_over = LedgerPublisher.hand_over
    def last_deed(self, *given):
        hand_over(self, *given)
        os.kill(os.getpid(), signal.SIGKILL)
    LedgerPublisher.hand_over = last_deed
"""


@pytest.mark.fault("T13")
@pytest.mark.integration
@pytest.mark.filterwarnings("ignore::celery.exceptions.DuplicateTaskNameWarning")  # as above
def test_a_run_whose_worker_died_after_its_work_order_was_closed_is_ended_at_the_next_beat(
    database: Database, tmp_path: Path
) -> None:
    """No lease runs out and nothing is taken back: it once held its slot for 15 minutes."""
    with house(database, tmp_path, {}) as (lane, sandbox):
        with lane.worker("only", DIES_AFTER_ITS_WORK) as worker:
            key = arrived(lane, sandbox)
            (child,) = wait_for(lambda: children_of(worker.pid))
            run_id = lane.send_next()
            wait_for(lambda: child not in children_of(worker.pid), SLOT_SECONDS)
        assert lane.status(run_id) is dg.DagsterRunStatus.STARTED
        done = lane.job(key)
        assert done.state is JobState.DONE
        lane.reap()
        assert lane.status(run_id) is dg.DagsterRunStatus.FAILURE
        assert lane.job(key) == done
        assert len(sandbox.deliveries()) == 1


# Its first statement, by which it names its process, is never answered.
HANGS_ONCE = f"""{IN_A_WORKER}
    import pathlib, time
    from dagster import DagsterInstance
    add_run_tags = DagsterInstance.add_run_tags
    def hanging(self, *given):
        mark = pathlib.Path({{mark!r}})
        if not mark.exists():
            mark.touch()
            time.sleep(3600)
        return add_run_tags(self, *given)
    DagsterInstance.add_run_tags = hanging
"""


@pytest.mark.fault("T13")
@pytest.mark.integration
@pytest.mark.filterwarnings("ignore::celery.exceptions.DuplicateTaskNameWarning")  # as above
def test_a_process_that_took_a_run_and_never_began_it_is_ended_with_it(
    database: Database, tmp_path: Path
) -> None:
    """As the sensor of publications does with a lost round: its worker has one process."""
    mark = tmp_path / "hangs"
    with (
        lane_of(database, tmp_path, {}) as lane,
        lane.worker("only", HANGS_ONCE.format(mark=str(mark))) as worker,
    ):
        lane.accept(key := "wo_" + "a" * 24)
        run = lane.instance.get_run_by_id(lane.send_next())
        wait_for(mark.exists, SLOT_SECONDS)
        (child,) = children_of(worker.pid)
        assert run is not None
        lane.instance.report_run_failed(run, "never began")
        end_workers(lane.instance, [run])
        wait_for(lambda: child not in children_of(worker.pid), SLOT_SECONDS)
        lane.send_next()  # nobody opened the order: it is asked for again
        wait_for(lambda: lane.received(key), SLOT_SECONDS)
