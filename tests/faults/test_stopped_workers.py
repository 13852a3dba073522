"""T12: a worker that only seemed dead goes on after another run has done its work.

SIGSTOP of the process that executes a run and of its parent, as a machine looks that nobody can
reach: no heartbeat, no end. The reaper takes the work order back, a second worker finishes it, then
the first goes on from the very instruction where it stood. What it still wants to write must be
refused, by our tables and not by luck.
"""

import os
import signal
from pathlib import Path

import dagster as dg
import pytest
from worker_lane import IN_A_WORKER, Lane, arrived, children_of, house, is_stopped, wait_for

from swarm.models import WorkOrderState
from swarm.sandbox.server import RunningSandbox
from swarm.store.database import Database, Row
from swarm.store.event_chain import verify_chain
from swarm.store.postgres import PostgresStore
from swarm.store.queue import JobState

pytestmark = [
    pytest.mark.faults,
    pytest.mark.integration,
    # Stock dagster-celery registers its task anew for each run it launches from one process.
    pytest.mark.filterwarnings("ignore::celery.exceptions.DuplicateTaskNameWarning"),
]

# A short lease, so that a silent worker is noticed within seconds; everything else as shipped.
PACE = {
    "QUEUE_LEASE_SECONDS": "4",
    "QUEUE_HEARTBEAT_SECONDS": "1",
    "QUEUE_BACKOFF_BASE_SECONDS": "0.1",
}
HAND_OVER = "the hand-over to the ledger"
POINTS = ("received", "context", "draft", "policy", HAND_OVER)

_STOPS = """
    import os, signal
    from swarm.publishing.dispatch.handover import LedgerPublisher
    from swarm.store.postgres import PostgresStore
    write, hand_over = PostgresStore.write_stage, LedgerPublisher.hand_over
    def stopping_write(self, fence, stage, *rest, **named):
        if stage == {point!r}:
            os.kill(os.getpid(), signal.SIGSTOP)
        return write(self, fence, stage, *rest, **named)
    def stopping_hand_over(self, *given):
        if {point!r} == {hand_over!r}:
            os.kill(os.getpid(), signal.SIGSTOP)
        return hand_over(self, *given)
    PostgresStore.write_stage = stopping_write
    LedgerPublisher.hand_over = stopping_hand_over
"""


def stops_at(point: str) -> str:
    """What makes a worker stop right before it writes what the point says."""
    return IN_A_WORKER + _STOPS.format(point=point, hand_over=HAND_OVER)


def rows(lane: Lane, sql: str) -> list[Row]:
    with lane.database.transaction() as connection:
        return connection.execute(sql.encode()).fetchall()


def taken_back(lane: Lane, key: str) -> bool:
    lane.reap()
    return lane.job(key).state is JobState.QUEUED


def refusals(lane: Lane, run_id: str) -> list[str]:
    """What the steps of a run that failed were told."""
    failures = lane.instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    return [str(each.dagster_event.event_specific_data) for each in failures if each.dagster_event]


def said_its_last_word(lane: Lane, run_id: str) -> bool:
    """Whether the run was called a failure twice: by the reaper, then by its own worker."""
    failures = lane.instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    return len(failures) == 2


def written_by(lane: Lane, token: int) -> list[str]:
    """Everything our tables hold of the run with this fence, in a form that can be compared."""
    artifacts = rows(lane, f"SELECT stage, sha256, at FROM artifacts WHERE token = {token}")
    return sorted(str(row) for row in artifacts)


def stopped_child(worker_pid: int) -> int:
    def found() -> list[int]:
        return [pid for pid in children_of(worker_pid) if is_stopped(pid)]

    return wait_for(found)[0]


@pytest.mark.fault("T12")
@pytest.mark.parametrize("point", POINTS)
def test_a_worker_that_goes_on_after_its_work_was_done_by_another_changes_nothing(
    database: Database, tmp_path: Path, point: str
) -> None:
    with (
        house(database, tmp_path, PACE) as (lane, sandbox),
        lane.worker("first", stops_at(point)) as first,
    ):
        key = arrived(lane, sandbox)
        stale_run = lane.send_next()
        orphan = stopped_child(first.pid)
        stale = lane.job(key)
        first.send_signal(signal.SIGSTOP)  # nobody there to end the child when asked to
        wait_for(lambda: taken_back(lane, key))
        assert lane.status(stale_run) is dg.DagsterRunStatus.FAILURE
        before = written_by(lane, stale.token)

        with lane.worker("second"):
            wait_for(lambda: rows(lane, "SELECT 1 FROM swarm_jobs WHERE not_before <= now()"))
            newer_run = lane.send_next()
            wait_for(lambda: lane.over(newer_run))
            assert lane.status(newer_run) is dg.DagsterRunStatus.SUCCESS
            after_retry = everything(lane)

            os.kill(orphan, signal.SIGCONT)
            wait_for(lambda: said_its_last_word(lane, stale_run))

        refused = refusals(lane, stale_run)
        assert refused, "it tried"
        assert all("newer run" in each for each in refused), refused
        assert written_by(lane, stale.token) == before, "the fence refused what came late"
        assert everything(lane) == after_retry
        assert lane.status(stale_run) is dg.DagsterRunStatus.FAILURE
        assert_drafted_once(lane, sandbox, key)


def everything(lane: Lane) -> list[str]:
    """All that our tables say of the work order, but what a beat of the clock moves."""
    tables = {
        "artifacts": "stage, token, sha256",
        "verdicts": "rule, draft_sha256, ruling",
        "workflow_events": "seq, kind, hash",
        "workflow_runs": "run_id, attempt, token, outcome",
        "swarm_jobs": "state, attempt, token, run_id",
        "publication_payload": "publisher, sha256",
        "publication_ledger": "fence, attempts",
    }
    return [
        f"{table}: {row}"
        for table, columns in tables.items()
        for row in rows(lane, f"SELECT {columns} FROM {table} ORDER BY {columns}")
    ]


def assert_drafted_once(lane: Lane, sandbox: RunningSandbox, key: str) -> None:
    store = PostgresStore(lane.database)
    assert store.state(key) in {WorkOrderState.PUBLISHING, WorkOrderState.PUBLISHED}
    assert verify_chain(store.events(key)) == ()
    assert len(sandbox.deliveries()) == 1, "one POST"
    newest = rows(lane, "SELECT DISTINCT token FROM artifacts WHERE stage = 'publish'")
    assert len(newest) == 1, "one version of what was published"
