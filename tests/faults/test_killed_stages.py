"""A worker dies once at each stage of one work order: it ends once, and nothing is paid twice.

Also a stage that wants more memory than there is. Real workers behind the launcher of
``dagster.yaml``. What lives elsewhere: one that is stopped and goes on (``test_stopped_workers``).
"""

import time
from collections import Counter
from pathlib import Path

import dagster as dg
import pytest
from worker_lane import IN_A_WORKER, Lane, arrived, house, wait_for

from swarm.models import Stage, WorkOrderState
from swarm.sandbox import model_environment
from swarm.store.database import Database
from swarm.store.event_chain import verify_chain
from swarm.store.postgres import PostgresStore
from swarm.store.queue import JobState

pytestmark = [
    pytest.mark.faults,
    pytest.mark.integration,
    # Stock dagster-celery registers its task anew for each run it launches from one process.
    pytest.mark.filterwarnings("ignore::celery.exceptions.DuplicateTaskNameWarning"),
]

# Every stage costs a failure, so there are as many to spend.
PACE = {
    "QUEUE_LEASE_SECONDS": "6",
    "QUEUE_HEARTBEAT_SECONDS": "1",
    "QUEUE_BACKOFF_BASE_SECONDS": "0.1",
    "QUEUE_REQUEST_TIMEOUT_SECONDS": "20",
    "QUEUE_MAX_FAILURES": "50",
}
SECONDS = 900.0

# Dies right before each stage is written and right after the last, once each; files remember.
_DIES = """
    import os, pathlib, signal
    from swarm.store.postgres import PostgresStore
    marks = pathlib.Path({marks!r})
    write = PostgresStore.write_stage
    def once(name):
        mark = marks / name
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    def dying_write(self, fence, stage, *rest, **named):
        once(f"before {{stage}}")
        written = write(self, fence, stage, *rest, **named)
        if stage == "publish":
            once("after publish")
        return written
    PostgresStore.write_stage = dying_write
"""

# More than the limit of its address space leaves; the second try finds what it needs.
_STARVES = """
    import os, pathlib, resource
    from swarm.store.postgres import PostgresStore
    mark = pathlib.Path({mark!r})
    write = PostgresStore.write_stage
    def starving_write(self, fence, stage, *rest, **named):
        if stage == "draft" and not mark.exists():
            mark.touch()
            used = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * 4096
            before = resource.getrlimit(resource.RLIMIT_AS)
            resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20), before[1]))
            try:
                bytearray(1 << 30)
            finally:
                resource.setrlimit(resource.RLIMIT_AS, before)
        return write(self, fence, stage, *rest, **named)
    PostgresStore.write_stage = starving_write
"""


def drive_to_its_end(lane: Lane, key: str) -> int:
    """What daemon, reaper and sensor do until the work order was handed over; returns the runs."""
    runs, deadline = 0, time.monotonic() + SECONDS
    while lane.job(key).state is not JobState.DONE:
        assert time.monotonic() < deadline, lane.job(key)
        lane.reap()
        if is_due(lane, key):
            lane.send_next()
            runs += 1
        time.sleep(0.2)
    return runs


def is_due(lane: Lane, key: str) -> bool:
    with lane.database.transaction() as connection:
        query = (
            "SELECT 1 FROM swarm_jobs WHERE work_order_key = %s AND state = 'queued'"
            " AND not_before <= now()"
        )
        return connection.execute(query, (key,)).fetchone() is not None


@pytest.mark.fault("T10")
def test_killed_at_every_stage_it_ends_once_and_no_answer_is_paid_twice(
    database: Database, tmp_path: Path
) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    with house(database, tmp_path, PACE) as (lane, sandbox):
        sandbox.answer_model({"acceptable": True, "findings": []}, contains="acceptable")
        reply = "We have received your question about your order."
        sandbox.answer_model(
            {"body": reply, "claims": [], "answered": [1], "decline": None}, contains="decline"
        )
        with pytest.MonkeyPatch.context() as patch:
            for name, value in model_environment(sandbox.port).items():
                patch.setenv(name, value)
            key = arrived(lane, sandbox)
            with lane.worker("only", IN_A_WORKER + _DIES.format(marks=str(marks))):
                runs = drive_to_its_end(lane, key)
        died = sorted(each.name for each in marks.iterdir())
        assert {name.split()[1] for name in died} == {str(stage) for stage in Stage}, died
        assert runs >= len(Stage), "one each; the last had handed over before it died"
        store = PostgresStore(lane.database)
        assert store.state(key) in {WorkOrderState.PUBLISHING, WorkOrderState.PUBLISHED}
        assert verify_chain(store.events(key)) == ()
        wait_for(sandbox.deliveries, SECONDS)
        assert len(sandbox.deliveries()) == 1, "one POST"
        asked = Counter(str(each["request"]) for each in sandbox.model_calls())
        assert asked, "a model did the thinking"
        assert max(asked.values()) == 1, "no finished answer was asked for again"


@pytest.mark.fault("T11")
def test_a_stage_without_memory_fails_its_run_frees_the_slot_and_is_tried_again(
    database: Database, tmp_path: Path
) -> None:
    with house(database, tmp_path, PACE) as (lane, sandbox):
        key = arrived(lane, sandbox)
        first = IN_A_WORKER + _STARVES.format(mark=str(tmp_path / "starved"))
        with lane.worker("only", first):
            run_id = lane.send_next()
            wait_for(lambda: lane.over(run_id), SECONDS)
            assert lane.status(run_id) is dg.DagsterRunStatus.FAILURE
            assert lane.job(key).state is JobState.QUEUED
            drive_to_its_end(lane, key)
        assert lane.job(key).failures == 1
        assert PostgresStore(lane.database).state(key) is not WorkOrderState.DEAD
