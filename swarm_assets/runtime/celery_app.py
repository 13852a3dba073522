"""The Celery application of the run workers, which ``worker`` starts.

Code, definitions and the Dagster instance are loaded once per worker process and kept; that is what
makes a run cost tenths of a second. What a run does is in ``swarm_assets.assets``; that a killed
worker's run is taken up again is the queue's promise, not Celery's.
"""

import os
from functools import cache

from celery.signals import (
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
)
from celery.worker import WorkController
from celery.worker.consumer import Consumer
from dagster import DagsterInstance
from dagster._cli.api import _execute_run_command_body
from dagster._core.events import DagsterEvent
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import unpack_value
from dagster_celery.config import TASK_EXECUTE_JOB_NAME
from dagster_shared.serdes.serdes import JsonSerializableValue
from sqlalchemy.exc import OperationalError

from swarm.process_identity import end_with, this_process
from swarm.up.shared_pages import keep_shared
from swarm_assets.partitions import SHADOW_QUEUE, WORKER_TAG
from swarm_assets.resources import process
from swarm_assets.runtime import pulse, rest, stopped_children, storage
from swarm_assets.runtime.broker import BrokerSettings, celery_application
from swarm_assets.runtime.launcher import end_what_did_not_end
from swarm_assets.runtime.preload import load_definitions, load_judging
from swarm_assets.runtime.time_limit import LimitedRequest
from swarm_assets.runtime.worker_pool import use_sturdy_pool

# The comparison judges in processes of its own; a publishing round weighs no words.
_JUDGE_NOTHING = (SHADOW_QUEUE, "publisher")
_role: list[str] = []  # this program's name, as `-n NAME@%h` says it; told to its heartbeat

app = celery_application(BrokerSettings())
use_sturdy_pool()


@cache
def warm_instance() -> DagsterInstance:
    """Return this process's Dagster instance; stock dagster-celery builds one for every run."""
    return DagsterInstance.get()


@app.task(name=TASK_EXECUTE_JOB_NAME, Request=LimitedRequest)  # type: ignore[untyped-decorator]
def execute_job(execute_job_args_packed: JsonSerializableValue) -> int:
    """Execute one Dagster run in this process; 0 unless it failed. Dagster records the outcome.

    The run names its process before anything else: whoever finds that process dead ends the run,
    which would hold its slot until a time limit if it was killed before it had opened its order.
    """
    args = unpack_value(execute_job_args_packed, as_type=ExecuteRunArgs)
    rest.stay_awake()
    try:
        worker = this_process().model_dump_json()
        warm_instance().add_run_tags(args.run_id, {WORKER_TAG: worker})
        return _execute_run_command_body(
            run_id=args.run_id,
            instance=warm_instance(),
            write_stream_fn=_discard,
            set_exit_code_on_failure=True,
        )
    finally:
        _leave(args.run_id)


def _leave(run_id: str) -> None:
    """See that the run is over for Dagster too, and hold no connection for long.

    When even that cannot be recorded, the end of this process is the only word left: whoever asks
    whether the run's process lives frees its slot, and Celery forks another child.
    """
    try:
        end_what_did_not_end(warm_instance(), run_id)
    except OperationalError:
        os._exit(1)
    rest.rest_soon()


def _discard(_event: DagsterEvent) -> None:
    """Events are in Dagster's storage already; nobody reads this process's stream."""


@worker_init.connect  # type: ignore[untyped-decorator]
def _load_what_children_share(sender: WorkController, **_signal: object) -> None:
    """In the parent, so that its processes have one copy together, replaced ones too."""
    _role.append(str(sender.hostname).partition("@")[0])
    load_definitions()
    if _role[-1] not in _JUDGE_NOTHING:
        load_judging()
    keep_shared()


@worker_ready.connect  # type: ignore[untyped-decorator]
def _look_after_children(sender: Consumer, **_signal: object) -> None:
    stopped_children.watch(sender.pool)


@worker_process_init.connect  # type: ignore[untyped-decorator]
def _prepare_child(**_signal: object) -> None:
    storage.hold_one_connection()
    process.hold_one_connection()
    warm_instance()
    end_with(os.getppid())
    if _role[-1:] != [SHADOW_QUEUE]:
        pulse.start(_role[-1] if _role else "workers")


@worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def _end_child(**_signal: object) -> None:
    pulse.stop()
