"""What becomes of a message in a real Redis when the worker that has it is killed or stopped."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from worker_lane import IN_A_WORKER, arrived, children_of, house, wait_for

from swarm.models import WorkOrderState
from swarm.store.database import Database
from swarm.store.postgres import PostgresStore
from swarm.store.queue import JobState
from swarm.up.programs import any_free_port

REDIS = shutil.which("redis-server")
pytestmark = [
    pytest.mark.faults,
    pytest.mark.integration,
    pytest.mark.skipif(REDIS is None, reason="redis-server is not installed on this machine"),
    pytest.mark.filterwarnings("ignore::celery.exceptions.DuplicateTaskNameWarning"),
]

LATER = f"wo_{'b' * 24}"
PACE = {
    "QUEUE_LEASE_SECONDS": "4",
    "QUEUE_HEARTBEAT_SECONDS": "1",
    "QUEUE_BACKOFF_BASE_SECONDS": "0.1",
}
STANDS = (
    IN_A_WORKER
    + """
    import time
    from swarm.store.postgres import PostgresStore
    write = PostgresStore.write_stage
    def standing_write(self, fence, stage, *rest, **named):
        if stage == "context":
            time.sleep(600)
        return write(self, fence, stage, *rest, **named)
    PostgresStore.write_stage = standing_write
"""
)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    port = any_free_port()
    command = [
        str(REDIS),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(tmp_path),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait(20)


def made(folder: Path) -> Path:
    (folder / "house").mkdir()
    return folder / "house"


def test_a_message_that_was_begun_never_comes_again_and_the_queue_brings_the_work_back(
    database: Database, tmp_path: Path, broker: str
) -> None:
    store = PostgresStore(database)
    with (
        house(database, made(tmp_path), {**PACE, "CELERY_BROKER_URL": broker}) as (lane, sandbox),
        redis.Redis.from_url(broker) as wire,
    ):
        with lane.worker("first", STANDS) as first:
            key = arrived(lane, sandbox)
            lost = lane.send_next()
            wait_for(lambda: lane.job(key).state is JobState.RUNNING)
            assert wire.hlen("unacked") == 0, "acknowledged when it was taken"
            children = children_of(first.pid)
            first.kill()
            for child in children:
                os.kill(child, signal.SIGKILL)
        wait_for(lambda: lane.reap() or lane.job(key).state is JobState.QUEUED)
        with lane.worker("second"):
            wait_for(lambda: lane.queue.request_due(1))
            again = lane.send_next()
            wait_for(lambda: lane.over(again))
        assert again != lost
        assert store.state(key) in {WorkOrderState.PUBLISHING, WorkOrderState.PUBLISHED}
        assert len(sandbox.deliveries()) == 1


def test_a_message_that_was_fetched_and_not_begun_goes_back_when_the_worker_is_told_to_stop(
    database: Database, tmp_path: Path, broker: str
) -> None:
    slow = STANDS.replace("600", "6")
    with (
        house(database, made(tmp_path), {**PACE, "CELERY_BROKER_URL": broker}) as (lane, sandbox),
        redis.Redis.from_url(broker) as wire,
    ):
        with lane.worker("first", slow) as first:
            key = arrived(lane, sandbox)
            lane.send_next()
            wait_for(lambda: lane.job(key).state is JobState.RUNNING)
            lane.accept(LATER)
            later = lane.send_next()
            wait_for(lambda: wire.hlen("unacked") == 1)
            first.send_signal(signal.SIGTERM)
            first.wait(120)
        assert wire.hlen("unacked") == 0
        assert not lane.over(later)
        with lane.worker("second"):
            wait_for(lambda: lane.over(later))
