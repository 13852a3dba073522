"""Dagster's sensor daemon over the shipped definitions, an iteration at a time.

The code server is a process of its own, Dagster's tables and ours are on real Postgres. What lives
elsewhere: a daemon that is a process and can be killed (``daemon_process``).
"""

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster._core.remote_representation.grpc_server_registry import GrpcServerRegistry
from dagster._core.scheduler.instigation import InstigatorTick
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget
from dagster._daemon.controller import create_daemon_grpc_server_registry
from dagster._daemon.sensor import execute_sensor_iteration

from swarm.sandbox import environment as sandbox_environment
from swarm_assets.partitions import PARTITION_TAG

ROOT = Path(__file__).parents[2]
ORDERS = 5
_NO_PORT = 9
_LOGGER = logging.getLogger("daemon under test")


class Killed(BaseException):
    """The daemon is no more."""


class Daemon:
    """The sensor daemon of one installation, an iteration at a time."""

    def __init__(self, context: WorkspaceProcessContext, stream: Path, database_url: str) -> None:
        self.context, self.instance, self.stream = context, context.instance, stream
        self.home = stream.parents[1]
        self.database_url = database_url

    def iterate(self) -> None:
        """One beat of every sensor; waits until the intake may tick again."""
        time.sleep(1.1)
        for _ in execute_sensor_iteration(self.context, _LOGGER, None, None):
            pass

    def mails(self, count: int) -> None:
        lines = (
            {
                "schema_version": "1",
                "id": f"mail-{number}",
                "mailbox": "service@example.com",
                "sender": {"address": "ada@example.org", "name": "Ada"},
                "subject": "Where is my parcel?",
                "body_text": "Hello,\nwhere is my parcel?\n",
                "received_at": "2026-03-01T10:00:00Z",
                "source": "graph",
            }
            for number in range(count)
        )
        self.stream.parent.mkdir(parents=True, exist_ok=True)
        self.stream.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")

    def runs(self) -> list[dg.DagsterRun]:
        return list(self.instance.get_runs(dg.RunsFilter(job_name="work_order")))

    def queued(self) -> Counter[str]:
        """How many runs wait or run, by work order."""
        return Counter(
            run.tags[PARTITION_TAG]
            for run in self.runs()
            if run.status is not dg.DagsterRunStatus.NOT_STARTED
        )

    def ticks(self) -> list[InstigatorTick]:
        """Every tick of the intake; none before its first one."""
        return [
            tick
            for state in self.instance.all_instigator_state()
            if state.name == "intake"
            for tick in self.instance.get_ticks(state.instigator_origin_id, state.selector_id)
        ]

    def count(self, table: str) -> int:
        with psycopg.connect(self.database_url) as connection:
            row = connection.execute(f"SELECT count(*) FROM swarm.{table}".encode()).fetchone()
        return int(row[0]) if row else 0


@contextmanager
def daemon_of(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Daemon]:
    """The installation in ``tmp_path``: shipped definitions, all tables on real Postgres."""
    (tmp_path / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    environment = {
        **sandbox_environment(_NO_PORT),
        "SWARM_HOME": str(tmp_path),
        "SWARM_KEY_SECRET": "a secret of tests",
        "DATABASE_URL": database_url,
        "DAGSTER_POSTGRES_URL": database_url.replace("postgresql://", "postgresql+psycopg2://"),
        "DAGSTER_HOME": str(tmp_path),
        "CELERY_BROKER_URL": "filesystem://",
        "CELERY_BROKER_DIR": str(tmp_path / "broker"),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    target = ModuleTarget(
        "swarm_assets.definitions", attribute=None, working_directory=None, location_name="swarm"
    )
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        with (
            create_daemon_grpc_server_registry(instance) as servers,
            WorkspaceProcessContext(instance, target, grpc_server_registry=servers) as context,
        ):
            yield Daemon(context, tmp_path / "intake" / "work_orders.jsonl", database_url)
        end(servers)


def end(servers: GrpcServerRegistry) -> None:
    """Leave no code server behind, also where it is too busy to end when asked."""
    for server in servers._all_processes:
        server.server_process.kill()
        server.server_process.wait()


def fails_at(
    call: Callable[..., object], number: int, error: type[BaseException]
) -> Callable[..., object]:
    """The call, whose n-th use ends with ``error`` instead."""
    uses = [0]

    def wrapped(*arguments: object, **named: object) -> object:
        uses[0] += 1
        if uses[0] == number:
            raise error("injected")
        return call(*arguments, **named)

    return wrapped


def assert_each_once(daemon: Daemon) -> None:
    assert daemon.count("work_orders") == ORDERS
    assert sorted(daemon.queued().values()) == [1] * ORDERS
    assert len(daemon.runs()) == ORDERS


def tick_that_ends_at(
    daemon: Daemon,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    number: int,
    error: type[BaseException],
) -> None:
    """One iteration in which the n-th call of an instance's method ends with ``error``."""
    with monkeypatch.context() as patch:
        call = getattr(daemon.instance, method)
        patch.setattr(daemon.instance, method, fails_at(call, number, error))
        if issubclass(error, Exception):
            daemon.iterate()
        else:
            with pytest.raises(error):
                daemon.iterate()


def only_intake(daemon: Daemon) -> None:
    """The other sensors stay off, so that counting calls counts the intake's."""
    (location,) = daemon.context.create_request_context().get_code_location_entries().values()
    assert location.code_location is not None, location.load_error
    for repository in location.code_location.get_repositories().values():
        for sensor in repository.get_sensors():
            if sensor.name != "intake":
                daemon.instance.stop_sensor(
                    sensor.get_remote_origin_id(), sensor.selector_id, sensor
                )
