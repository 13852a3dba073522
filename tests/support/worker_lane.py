"""Real workers of Celery, given runs by the launcher of ``dagster.yaml``, on real Postgres.

No sensor and no daemon: a test decides when a run is launched and when the queue reaps, so that it
can look at any moment between the two. What a test changes in a worker's interpreter is a text that
the worker imports first (``sitecustomize``); production code carries no test hook.
"""

import json
import os
import signal
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import dagster as dg
import pytest
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.launcher import LaunchRunContext
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from replying import order
from sqlalchemy import Engine

from swarm.intake.stream.tick import ingest
from swarm.models import Stage
from swarm.publishing.control import PublisherName
from swarm.publishing.switch.commands import flip
from swarm.sandbox.server import RunningSandbox
from swarm.settings import QueueSettings
from swarm.store.database import Database
from swarm.store.postgres import PostgresStore
from swarm.store.postgres_queue import PostgresQueue
from swarm.store.queue import Job, RunRequested
from swarm.up.programs import worker_command
from swarm_assets.partitions import ATTEMPT_TAG, PARTITION_TAG, work_orders
from swarm_assets.sensors.reaper import reaper

ROOT = Path(__file__).parents[2]
SECONDS = 500
_SECRET = "a secret of the tests"

Found = TypeVar("Found")

SERVICES = {
    "GRAPH_TENANT_ID": "t", "GRAPH_CLIENT_ID": "c", "GRAPH_CLIENT_SECRET": "s",
    "GRAPH_MAILBOX": "service@example.com", "GRAPH_BASE_URL": "http://127.0.0.1:9",
    "GRAPH_AUTHORITY": "http://127.0.0.1:9", "MONDAY_API_URL": "http://127.0.0.1:9",
    "MONDAY_TOKEN": "t", "MONDAY_CONTACTS_BOARD": "1", "MONDAY_DEALS_BOARD": "2",
    "ZAPIER_HOOK_URL": "http://127.0.0.1:9/", "SWARM_KEY_SECRET": "k",
}  # fmt: skip
"""Services that do not answer: enough for the first stages of a run."""

# Importing Celery's application here would read settings; a text for workers asks for this first.
IN_A_WORKER = 'import sys\nif "runtime.worker" in " ".join(getattr(sys, "orig_argv", [])):\n'


def wait_for(what: Callable[[], Found], seconds: float = SECONDS) -> Found:
    """Look five times a second until there is something; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.2)
    return found


def children_of(pid: int) -> list[int]:
    """The processes a worker keeps; its runs are executed in them.

    Of all its threads: replacements are forked by another one than the first children were.
    """
    lists = [each.read_text() for each in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(each) for each in " ".join(lists).split()]


def is_stopped(pid: int) -> bool:
    """Whether a process was sent SIGSTOP and nothing since."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def engine_of(instance: dg.DagsterInstance) -> Engine:
    return instance.event_log_storage._engine  # type: ignore[attr-defined,no-any-return]


class Lane:
    """Workers behind the launcher, and the queue that learns from them."""

    def __init__(self, instance: dg.DagsterInstance, database: Database, home: Path) -> None:
        self.instance, self.database, self.home = instance, database, home
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
        return self.send(request)

    def send(self, request: RunRequested) -> str:
        """Launch a run that was asked for; returns its id."""
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

    def reap(self) -> None:
        """One beat of the reaper sensor."""
        reaper(dg.build_sensor_context(instance=self.instance, resources={"queue": self.queue}))

    def job(self, key: str) -> Job:
        found = self.queue.job(key)
        assert found is not None
        return found

    def received(self, key: str) -> bool:
        return PostgresStore(self.database).artifact(key, Stage.RECEIVED) is not None

    def status(self, run_id: str) -> dg.DagsterRunStatus:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run.status

    def over(self, run_id: str) -> bool:
        return self.status(run_id) in FINISHED_STATUSES

    @contextmanager
    def worker(self, name: str, first: str = "") -> Iterator["subprocess.Popen[bytes]"]:
        """A worker with one child, until the end of the block; ``first`` is what it imports."""
        folder = self.home / name
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(first)
        command = worker_command(name, "dagster", 1)
        environment = {**os.environ, "PYTHONPATH": str(folder)}
        with (
            (folder / "worker.log").open("wb") as log,
            subprocess.Popen(command, env=environment, stdout=log, stderr=log) as worker,
        ):
            try:
                yield worker
            finally:
                _stop(worker)


def _stop(worker: "subprocess.Popen[bytes]") -> None:
    children = children_of(worker.pid)
    worker.send_signal(signal.SIGCONT)
    worker.send_signal(signal.SIGQUIT)
    try:
        worker.wait(10)
    except subprocess.TimeoutExpired:
        worker.kill()
    for child in children:  # one that is stopped cannot see that its parent is gone
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            continue


@contextmanager
def lane_of(database: Database, home: Path, environment: Mapping[str, str]) -> Iterator[Lane]:
    """A lane without a worker yet, its Dagster the one that ``dagster.yaml`` describes."""
    (home / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    url = database.url
    given = {
        **SERVICES,
        "DAGSTER_HOME": str(home), "DATABASE_URL": url, "SWARM_HOME": str(home),
        "DAGSTER_POSTGRES_URL": url.replace("postgresql://", "postgresql+psycopg2://"),
        "CELERY_BROKER_URL": "filesystem://", "CELERY_BROKER_DIR": str(home / "broker"),
        **environment,
    }  # fmt: skip
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in given.items():
            patch.setenv(name, value)
        instance = stack.enter_context(dg.DagsterInstance.get())
        stack.callback(lambda: engine_of(instance).dispose())
        yield Lane(instance, database, home)


@contextmanager
def house(
    database: Database, folder: Path, environment: Mapping[str, str]
) -> Iterator[tuple[Lane, RunningSandbox]]:
    """A lane in front of services that answer, the swarm in office."""
    with (
        RunningSandbox(folder / "sandbox") as sandbox,
        lane_of(database, folder, {**sandbox.environment, **environment}) as lane,
    ):
        with database.transaction() as connection:
            flip(connection, PublisherName.SWARM, actor="test", reason="test")
        yield lane, sandbox


def arrived(lane: Lane, sandbox: RunningSandbox) -> str:
    """A harmless mail that stands in the mailbox, as a work order; returns its key."""
    sandbox.add_contact("Anna Keller", "anna@example.org")
    body = "Hello,\n\nwhat is the status of my order 10482?\n\nAnna Keller"
    mail = sandbox.seed_mail("anna@example.org", subject="Order 10482", body_text=body)
    line = {
        "schema_version": "1",
        "id": "mail-1",
        "mailbox": "service@example.com",
        "message_id": mail["id"],
        "internet_message_id": mail["internetMessageId"],
        "conversation_id": mail["conversationId"],
        "sender": {"address": "anna@example.org", "name": "Anna Keller"},
        "to": [{"address": "service@example.com", "name": "Customer Service"}],
        "subject": "Order 10482",
        "body_text": body,
        "received_at": mail["receivedDateTime"],
        "source": "test",
    }
    stream = lane.home / "work_orders.jsonl"
    stream.write_text(json.dumps(line) + "\n", "utf-8")
    (key,) = ingest(lane.database, stream, _SECRET).accepted_keys
    lane.instance.add_dynamic_partitions(str(work_orders.name), [key])
    return key
