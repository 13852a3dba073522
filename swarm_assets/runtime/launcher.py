"""Launches runs as Celery tasks and judges their workers by our lease.

Closes three holes of ``CeleryRunLauncher``: its task-id tag is written after the task is sent (a
kill in between makes every later look at the run raise ``KeyError``); it believes Celery about
health, which calls a killed worker RUNNING for ever; and it offers to resume runs, which would
start a second writer. Retrying is the queue's business (``swarm.store.queue``).
"""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import stamina
from celery import Task
from dagster import DagsterInstance, DagsterRun, Field, StringSource
from dagster._config import UserConfigSchema
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._serdes import ConfigurableClassData
from dagster_celery.launcher import CeleryRunLauncher, _get_run_priority
from dagster_celery.tags import DAGSTER_CELERY_QUEUE_TAG, DAGSTER_CELERY_TASK_ID_TAG
from sqlalchemy.exc import OperationalError

from swarm.errors import DatabaseError
from swarm.settings import QueueSettings
from swarm.store.database import Database, Row
from swarm_assets.lanes import requested_attempt, worker_is_gone
from swarm_assets.partitions import PARTITION_TAG, WORK_QUEUE, WORKER_TAG
from swarm_assets.runtime.broker import BrokerSettings, celery_application

_LONGEST_OUTAGE = 300.0  # seconds; a worker that waits longer is of no use to anybody
# Longer than Dagster's own limit (max_runtime_seconds 900), which asks such a run to stop.
_OTHER_RUNS_SECONDS = 1000.0

_JOB = """
SELECT run_id, attempt, lease_until > now() AS alive
  FROM swarm_jobs WHERE work_order_key = %(key)s
"""


class WarmRunLauncher(CeleryRunLauncher):
    """``CeleryRunLauncher`` for workers that share :func:`celery_application` with it."""

    def __init__(
        self,
        broker: str,
        broker_directory: str,
        database_url: str,
        inst_data: ConfigurableClassData | None,
    ) -> None:
        super().__init__(default_queue=WORK_QUEUE, broker=broker, inst_data=inst_data)
        self.celery = celery_application(
            BrokerSettings(broker_url=broker, broker_dir=Path(broker_directory))
        )
        self._database = Database(database_url, max_connections=2)
        self._run_seconds = QueueSettings().run_seconds

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """Return the keys ``dagster.yaml`` may set; all of them come from the environment."""
        return {
            "broker": Field(StringSource, description="Broker URL, CELERY_BROKER_URL"),
            "broker_directory": Field(StringSource, description="CELERY_BROKER_DIR"),
            "database_url": Field(StringSource, description="Our tables, DATABASE_URL"),
        }

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, str]
    ) -> Self:
        """Build from ``dagster.yaml``."""
        return cls(
            broker=config_value["broker"],
            broker_directory=config_value["broker_directory"],
            database_url=config_value["database_url"],
            inst_data=inst_data,
        )

    def _launch_celery_task_run(
        self, run: DagsterRun, task_signature: Task, routing_key: str
    ) -> None:
        """Write the tag, then send: a run that is marked but never sent is found by its lease."""
        task_id = str(uuid.uuid4())
        queue = run.tags.get(DAGSTER_CELERY_QUEUE_TAG, self.default_queue)
        of_work_order = PARTITION_TAG in run.tags
        self._instance.add_run_tags(run.run_id, {DAGSTER_CELERY_TASK_ID_TAG: task_id})
        task_signature.apply_async(
            task_id=task_id,
            priority=_get_run_priority(run),
            queue=queue,
            routing_key=f"{queue}.{routing_key}",
            time_limit=self._run_seconds if of_work_order else _OTHER_RUNS_SECONDS,
        )

    @property
    def supports_resume_run(self) -> bool:
        """Never: a resumed run would be a second writer for the same work order."""
        return False

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Judge by the lease; a run that holds no work order, by the process that executes it."""
        key = run.tags.get(PARTITION_TAG)
        if key is None:
            return process_health(run.tags.get(WORKER_TAG))
        try:
            with self._database.transaction() as connection:
                job = connection.execute(_JOB, {"key": key}).fetchone()
        except DatabaseError as error:  # not knowing is no proof of death
            return CheckRunHealthResult(WorkerStatus.RUNNING, str(error))
        attempt = requested_attempt(run.tags)
        return health(job, run.run_id, None if attempt is None else str(attempt))

    def terminate(self, run_id: str) -> bool:
        """Ask the worker to stop; False when the run was never sent to one.

        A run that is over already (the queue took it back) is no longer asked: a child that works
        on for it, or hangs, is killed, and Celery forks another.
        """
        run = self._instance.get_run_by_id(run_id)
        task_id = run.tags.get(DAGSTER_CELERY_TASK_ID_TAG) if run else None
        if run is None or task_id is None:
            return False
        if not run.is_finished:
            self._instance.report_run_canceling(run)
        signal = "SIGKILL" if run.is_finished else "SIGTERM"
        self.celery.control.revoke(task_id, terminate=True, signal=signal)
        return True

    def get_run_worker_debug_info(
        self,
        run: DagsterRun,
        include_container_logs: bool | None = True,  # noqa: FBT001, FBT002 - Dagster's signature
    ) -> str | None:
        """Name the task; there is no result backend to ask."""
        return f"celery task {run.tags.get(DAGSTER_CELERY_TASK_ID_TAG, 'never sent')}"

    def dispose(self) -> None:
        """Give the connections back."""
        self._database.close()


def process_health(worker: str | None) -> CheckRunHealthResult:
    """Decide from the process a run named as its own; one that named none has not begun."""
    if worker_is_gone(worker):
        return CheckRunHealthResult(WorkerStatus.FAILED, "its worker process is gone")
    return CheckRunHealthResult(WorkerStatus.RUNNING)


def health(job: Row | None, run_id: str, attempt: str | None) -> CheckRunHealthResult:
    """Decide whether a started run still has a worker, from its job's row.

    A run that nobody superseded and that has not opened its work order yet is taken for alive.
    """
    if job is None or (job["run_id"] == run_id and job["alive"] is not False):
        return CheckRunHealthResult(WorkerStatus.RUNNING)
    if job["run_id"] == run_id:
        return CheckRunHealthResult(WorkerStatus.FAILED, "its lease on the work order ran out")
    if attempt is not None and job["attempt"] > int(attempt):
        return CheckRunHealthResult(WorkerStatus.FAILED, "a newer attempt took the work order")
    return CheckRunHealthResult(WorkerStatus.RUNNING)


def end_what_did_not_end(
    instance: DagsterInstance, run_id: str, why: str = "its end could not be recorded"
) -> None:
    """Mark the run failed unless it is finished, as soon as the storage answers again.

    Its end may not have been written because Postgres was away just then. The process lives, so
    nobody would call the run dead, and it would hold its slot until its time limit. Raises
    SQLAlchemy's ``OperationalError`` when the storage does not answer within five minutes.
    """
    for attempt in stamina.retry_context(
        on=OperationalError, attempts=None, timeout=_LONGEST_OUTAGE, wait_max=2.0
    ):
        with attempt:
            run = instance.get_run_by_id(run_id)
            if run is not None and not run.is_finished:
                instance.report_run_failed(run, why)
