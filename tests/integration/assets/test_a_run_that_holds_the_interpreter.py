"""A run whose only thread never gives the interpreter's lock back: no heartbeat, nobody to ask.

A real worker of Celery, given runs by the launcher of ``dagster.yaml``, on real Postgres. The mail
that holds on is put in by replacing one function in the worker's interpreter (``sitecustomize``):
no pattern of ours runs for ever, the next bug may. Postgres, Celery and Dagster are the real ones.
"""

import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import dagster as dg
import pytest
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.launcher import LaunchRunContext
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from replying import order
from sqlalchemy import Engine

from swarm.models import Stage
from swarm.settings import QueueSettings
from swarm.store.alerts import DEAD, open_alerts
from swarm.store.database import Database
from swarm.store.postgres import PostgresStore
from swarm.store.postgres_queue import PostgresQueue
from swarm.store.queue import Job, JobState
from swarm_assets.partitions import ATTEMPT_TAG, PARTITION_TAG, work_orders
from swarm_assets.sensors.reaper import reaper

pytestmark = [
    pytest.mark.integration,
    # Stock dagster-celery registers its task anew for each run it launches from one process.
    pytest.mark.filterwarnings("ignore::celery.exceptions.DuplicateTaskNameWarning"),
]

ROOT = Path(__file__).parents[3]
HOLDS = "wo_" + "h" * 24
HONEST = "wo_" + "b" * 24
SECONDS = 500

Found = TypeVar("Found")

HOLDS_ON = f"""
import sys
if "celery" in " ".join(getattr(sys, "orig_argv", [])):
    import re
    from swarm.intake.mail import clean
    honest = clean._visible
    def holding(order):
        if order.key == {HOLDS!r}:
            re.match("(a+)+b", "a" * 60)
        return honest(order)
    clean._visible = holding
"""

SERVICES = {
    "GRAPH_TENANT_ID": "t", "GRAPH_CLIENT_ID": "c", "GRAPH_CLIENT_SECRET": "s",
    "GRAPH_MAILBOX": "service@example.com", "GRAPH_BASE_URL": "http://127.0.0.1:9",
    "GRAPH_AUTHORITY": "http://127.0.0.1:9", "MONDAY_API_URL": "http://127.0.0.1:9",
    "MONDAY_TOKEN": "t", "MONDAY_CONTACTS_BOARD": "1", "MONDAY_DEALS_BOARD": "2",
    "ZAPIER_HOOK_URL": "http://127.0.0.1:9/", "SWARM_KEY_SECRET": "k",
}  # fmt: skip


def engine_of(instance: dg.DagsterInstance) -> Engine:
    return instance.event_log_storage._engine  # type: ignore[attr-defined,no-any-return]


class Lane:
    """One worker process behind the launcher, and the queue that learns from it."""

    def __init__(self, instance: dg.DagsterInstance, database: Database) -> None:
        self.instance, self.database = instance, database
        self.queue = PostgresQueue(database, QueueSettings())

    def accept(self, key: str) -> None:
        mail = order().model_copy(update={"key": key, "original_id": key})
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT INTO work_orders (key, original_id, body) VALUES (%s, %s, %s)",
                (key, key, mail.model_dump_json()),
            )
        self.queue.enqueue(key)
        self.instance.add_dynamic_partitions(str(work_orders.name), [key])

    def send_next(self) -> str:
        """Launch what is due, as sensor and daemon do; returns the run's id."""
        (request,) = wait_for(lambda: self.queue.request_due(1))
        location = ReconstructableRepository.for_module("swarm_assets.definitions", "defs")
        job = location.get_reconstructable_job("work_order")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)
            definition = job.get_definition()
        run = self.instance.create_run_for_job(
            definition,
            tags={PARTITION_TAG: request.work_order_key, ATTEMPT_TAG: str(request.attempt)},
            job_code_origin=job.get_python_origin(),
        )
        self.instance.run_launcher.launch_run(LaunchRunContext(dagster_run=run, workspace=None))
        return run.run_id

    def job(self, key: str) -> Job:
        found = self.queue.job(key)
        assert found is not None
        return found

    def received(self, key: str) -> bool:
        return PostgresStore(self.database).artifact(key, Stage.RECEIVED) is not None

    def over(self, run_id: str) -> bool:
        run = self.instance.get_run_by_id(run_id)
        return run is not None and run.status in FINISHED_STATUSES


def wait_for(what: Callable[[], Found]) -> Found:
    deadline = time.monotonic() + SECONDS
    while not (found := what()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.2)
    return found


@pytest.fixture
def lane(
    database_url: str,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Lane]:
    limits: dict[str, str] = request.param
    (tmp_path / "sitecustomize.py").write_text(HOLDS_ON)
    (tmp_path / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    given = {
        **SERVICES, **limits,
        "DAGSTER_HOME": str(tmp_path), "DATABASE_URL": database_url,
        "DAGSTER_POSTGRES_URL": database_url.replace("postgresql://", "postgresql+psycopg2://"),
        "CELERY_BROKER_URL": "filesystem://", "CELERY_BROKER_DIR": str(tmp_path / "broker"),
        "SWARM_HOME": str(tmp_path),
    }  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    command = [
        sys.executable, "-m", "celery", "-A", "swarm_assets.runtime.celery_app", "worker",
        "--pool", "prefork", "--concurrency", "1", "-Q", "dagster", "--without-gossip",
        "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING",
    ]  # fmt: skip
    with (
        dg.DagsterInstance.get() as instance,
        (tmp_path / "worker.log").open("wb") as log,
        subprocess.Popen(
            command, env={**os.environ, "PYTHONPATH": str(tmp_path)}, stdout=log, stderr=log
        ) as worker,
    ):
        try:
            yield Lane(instance, database)
        finally:
            worker.send_signal(signal.SIGQUIT)
            try:
                worker.wait(10)
            except subprocess.TimeoutExpired:
                worker.kill()
            engine_of(instance).dispose()


BY_ITS_LIMIT = {
    "QUEUE_RUN_SECONDS": "30",  # more than a busy machine needs to begin the run
    "QUEUE_LEASE_SECONDS": "3000",  # so that it is the limit that ends it, not the lease
    "QUEUE_MAX_FAILURES": "2",
    "QUEUE_BACKOFF_BASE_SECONDS": "0.1",
}


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


@pytest.mark.parametrize("lane", [BY_ITS_LEASE], indirect=True)
def test_a_worker_that_no_longer_beats_is_killed_when_the_reaper_takes_its_work(
    lane: Lane,
) -> None:
    lane.accept(HOLDS)
    run_id = lane.send_next()
    wait_for(lambda: lane.job(HOLDS).state is JobState.RUNNING)
    time.sleep(5)

    def reaped() -> bool:
        context = dg.build_sensor_context(instance=lane.instance, resources={"queue": lane.queue})
        reaper(context)
        return lane.job(HOLDS).state is JobState.DEAD

    wait_for(reaped)
    assert lane.over(run_id)
    lane.accept(HONEST)
    lane.send_next()  # the only child was the one that hung
    wait_for(lambda: lane.received(HONEST))
