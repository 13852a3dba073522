"""A run whose only thread never gives the interpreter's lock back: no heartbeat, nobody to ask.

A real worker of Celery, given runs by the launcher of ``dagster.yaml``, on real Postgres. The mail
that holds on is put in by replacing one function in the worker's interpreter (``sitecustomize``):
no pattern of ours runs for ever, the next bug may. Postgres, Celery and Dagster are the real ones.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from worker_lane import IN_A_WORKER, Lane, lane_of, wait_for

from swarm.store.alerts import DEAD, open_alerts
from swarm.store.database import Database
from swarm.store.queue import JobState

pytestmark = [
    pytest.mark.integration,
    # Stock dagster-celery registers its task anew for each run it launches from one process.
    pytest.mark.filterwarnings("ignore::celery.exceptions.DuplicateTaskNameWarning"),
]

HOLDS = "wo_" + "h" * 24
HONEST = "wo_" + "b" * 24

HOLDS_ON = f"""{IN_A_WORKER}
    import re
    from swarm.intake.mail import clean
    honest = clean._visible
    def holding(order):
        if order.key == {HOLDS!r}:
            re.match("(a+)+b", "a" * 60)
        return honest(order)
    clean._visible = holding
"""


@pytest.fixture
def lane(database: Database, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lane]:
    with lane_of(database, tmp_path, request.param) as lane, lane.worker("only", HOLDS_ON):
        yield lane


BY_ITS_LIMIT = {
    "QUEUE_RUN_SECONDS": "30",  # more than a busy machine needs to begin the run
    "QUEUE_LEASE_SECONDS": "3000",  # so that it is the limit that ends it, not the lease
    "QUEUE_MAX_FAILURES": "2",
    "QUEUE_BACKOFF_BASE_SECONDS": "0.1",
}


@pytest.mark.fault("T18", "T19")
@pytest.mark.parametrize("lane", [BY_ITS_LIMIT], indirect=True)
def test_its_worker_is_replaced_the_queue_learns_why_and_a_dead_letter_alerts(lane: Lane) -> None:
    lane.accept(HOLDS)
    first = lane.send_next()
    wait_for(lambda: lane.over(first))
    after = wait_for(lambda: (job := lane.job(HOLDS)).failures and job)
    assert after.state is JobState.QUEUED
    assert after.last_error == "it held a worker for more than 30 s and was ended"
    assert after.run_id is None
    second = lane.send_next()  # the replaced child takes it
    wait_for(lambda: lane.over(second))
    wait_for(lambda: lane.job(HOLDS).state is JobState.DEAD)
    assert "held a worker for more than 30 s" in lane.job(HOLDS).dead_reason
    with lane.database.transaction() as connection:
        assert (DEAD, HOLDS) in {(a.kind, a.subject) for a in open_alerts(connection)}
    lane.accept(HONEST)
    lane.send_next()
    wait_for(lambda: lane.received(HONEST))


BY_ITS_LEASE = {
    "QUEUE_RUN_SECONDS": "3000",  # so that it is the lease that ends it, not the limit
    "QUEUE_LEASE_SECONDS": "4",
    "QUEUE_HEARTBEAT_SECONDS": "1",
    "QUEUE_MAX_FAILURES": "1",
}


@pytest.mark.fault("T18", "T19")
@pytest.mark.parametrize("lane", [BY_ITS_LEASE], indirect=True)
def test_a_worker_that_no_longer_beats_is_killed_when_the_reaper_takes_its_work(
    lane: Lane,
) -> None:
    lane.accept(HOLDS)
    run_id = lane.send_next()
    wait_for(lambda: lane.job(HOLDS).state is JobState.RUNNING)
    time.sleep(5)

    def reaped() -> bool:
        lane.reap()
        return lane.job(HOLDS).state is JobState.DEAD

    wait_for(reaped)
    assert lane.over(run_id)
    lane.accept(HONEST)
    lane.send_next()  # the only child was the one that hung
    wait_for(lambda: lane.received(HONEST))
