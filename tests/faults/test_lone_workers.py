"""`swarm worker`: it takes what is due and ends; told to stop, it finishes what it holds.

Real workers behind the launcher of ``dagster.yaml`` on real Postgres; the test decides when a run
is sent, as the daemon would.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from worker_lane import IN_A_WORKER, Lane, arrived, children_of, house, wait_for

from swarm.models import WorkOrderState
from swarm.store.database import Database
from swarm.store.postgres import PostgresStore
from swarm.store.queue import JobState
from swarm.up.processes import started_at

pytestmark = [
    pytest.mark.faults,
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::celery.exceptions.DuplicateTaskNameWarning"),
]

PACE = {
    "QUEUE_LEASE_SECONDS": "4",
    "QUEUE_HEARTBEAT_SECONDS": "1",
    "QUEUE_BACKOFF_BASE_SECONDS": "0.1",
}
LATER = [f"wo_{letter * 24}" for letter in "bcd"]
HANDED_OVER = {WorkOrderState.PUBLISHING, WorkOrderState.PUBLISHED}
_WAITS = """
    import time
    from swarm.store.postgres import PostgresStore
    write = PostgresStore.write_stage
    def waiting_write(self, fence, stage, *rest, **named):
        if stage == "context":
            time.sleep({seconds})
        return write(self, fence, stage, *rest, **named)
    PostgresStore.write_stage = waiting_write
"""
_HELD = """
    import os, time
    from swarm.store.postgres import PostgresStore
    write = PostgresStore.write_stage
    def held_write(self, fence, stage, *rest, **named):
        while stage == "context" and not os.path.exists({go_on!r}):
            time.sleep(0.1)
        return write(self, fence, stage, *rest, **named)
    PostgresStore.write_stage = held_write
"""


@contextmanager
def swarm_worker(lane: Lane, *options: str, first: str = "") -> Iterator["subprocess.Popen[str]"]:
    folder = lane.home / f"first-{len(list(lane.home.iterdir()))}"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(first)
    command = [sys.executable, "-m", "swarm.cli", "worker", "--processes", "1", "--json", *options]
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            command, env={**os.environ, "PYTHONPATH": str(folder)}, text=True,
            stdout=subprocess.PIPE, stderr=said,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def said_by_worker(lane: Lane) -> str:
    return "".join(each.read_text() for each in lane.home.glob("first-*/said"))


def ended(process: "subprocess.Popen[str]") -> tuple[int, Any]:
    said, _ = process.communicate(timeout=300)
    return process.returncode, json.loads(said)


def drain(lane: Lane, within: str) -> tuple[int, Any]:
    with swarm_worker(lane, "--drain", "--within", within) as process:
        return ended(process)


def running(lane: Lane, key: str) -> bool:
    return lane.job(key).state is JobState.RUNNING


def untaken(lane: Lane) -> int:
    return len(list((lane.home / "broker" / "queue").glob("*.dagster.msg")))


def test_once_takes_what_is_due_through_the_whole_chain_and_ends(
    database: Database, tmp_path: Path
) -> None:
    with house(database, tmp_path, PACE) as (lane, sandbox):
        key = arrived(lane, sandbox)
        lane.send_next()
        with swarm_worker(lane, "--once") as process:
            assert ended(process) == (0, [{"left": [], "due": {"queued": 0, "requested": 0}}])
        assert PostgresStore(database).state(key) in HANDED_OVER
        assert len(sandbox.deliveries()) == 1
        with swarm_worker(lane, "--once") as process:
            assert ended(process)[0] == 0, "nothing is due: it does not even start"


def test_once_says_what_nobody_asked_a_run_for(database: Database, tmp_path: Path) -> None:
    with house(database, tmp_path, PACE) as (lane, sandbox):
        arrived(lane, sandbox)
        with swarm_worker(lane, "--once", "--within", "3") as process:
            assert ended(process) == (1, [{"left": [], "due": {"queued": 1, "requested": 0}}])


def test_drained_it_finishes_what_it_holds_and_leaves_the_rest_to_others(
    database: Database, tmp_path: Path
) -> None:
    with house(database, tmp_path, PACE) as (lane, sandbox):
        go_on = lane.home / "go-on"
        held = IN_A_WORKER + _HELD.format(go_on=str(go_on))
        with swarm_worker(lane, first=held) as process:
            key = arrived(lane, sandbox)
            run = lane.send_next()
            wait_for(lambda: running(lane, key))
            for each in LATER:
                lane.accept(each)
            later = [lane.send(each) for each in lane.queue.request_due(9)]
            assert len(later) == len(LATER)
            with swarm_worker(lane, "--drain", "--within", "300") as draining:
                wait_for(lambda: "Warm shutdown" in said_by_worker(lane))
                go_on.touch()
                assert ended(draining) == (0, [{"left": [], "due": None}])
            assert ended(process) == (0, [{"left": [], "due": None}])
        assert lane.over(run)
        assert PostgresStore(database).state(key) in HANDED_OVER
        assert untaken(lane) > 0, "what it had not fetched yet waits for another worker"
        with lane.worker("another"):
            wait_for(lambda: all(lane.over(each) for each in later))


def test_at_the_deadline_it_names_what_it_leaves_and_the_queue_takes_it_back(
    database: Database, tmp_path: Path
) -> None:
    with house(database, tmp_path, PACE) as (lane, sandbox):
        stuck = IN_A_WORKER + _WAITS.format(seconds=600)
        with swarm_worker(lane, first=stuck) as process:
            key = arrived(lane, sandbox)
            lane.send_next()
            wait_for(lambda: running(lane, key))
            assert drain(lane, "2") == (1, [{"left": [key], "due": None}])
            assert ended(process)[0] == 1
        wait_for(lambda: lane.reap() or lane.job(key).state is JobState.QUEUED)
        with lane.worker("another"):
            wait_for(lambda: lane.queue.request_due(1))
            again = lane.send_next()
            wait_for(lambda: lane.over(again))
        assert PostgresStore(database).state(key) in HANDED_OVER
        assert len(sandbox.deliveries()) == 1


def test_killed_itself_it_takes_its_worker_along(database: Database, tmp_path: Path) -> None:
    with house(database, tmp_path, PACE) as (lane, sandbox):
        with swarm_worker(lane) as process:
            key = arrived(lane, sandbox)
            lane.send_next()
            wait_for(lambda: PostgresStore(database).state(key) in HANDED_OVER)
            (worker,) = children_of(process.pid)
            process.send_signal(signal.SIGKILL)
        # It ends what it has in hand, which a run sent in this moment may still become.
        wait_for(lambda: started_at(worker) is None)
        lane.accept(LATER[0])
        later = lane.send_next()
        with pytest.raises(AssertionError, match="not in time"):
            wait_for(lambda: lane.over(later), 8)
