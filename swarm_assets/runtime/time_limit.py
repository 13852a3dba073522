"""How long a run may hold a worker process, and what happens when it holds on.

Celery's hard limit: the parent kills the child, also one whose only thread never gives the
interpreter's lock back (a heartbeat stops there, and so would any limit inside the process), and
forks a new one. Here the parent then tells the queue why, and Dagster that the run is over, so that
its slot is free. What follows for the work order is the queue's decision (``swarm.store.queue``).
What does not live here: how long that is, which goes with the task (``launcher``), and the end of a
run that lost its lease (``swarm_assets.sensors.reaper``).
"""

import logging
import threading
from typing import Final

from celery.worker.request import Request
from dagster import DagsterInstance
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import unpack_value

from swarm.errors import DatabaseUnavailableError
from swarm.settings import load_settings
from swarm.store.database import Database
from swarm.store.postgres_queue import PostgresQueue
from swarm_assets.runtime.launcher import end_what_did_not_end

_MOMENT: Final = 3.0  # seconds; telling takes a tenth of one

_log = logging.getLogger(__name__)


class LimitedRequest(Request):  # type: ignore[misc]
    """A run in a worker's hands, as the parent of the worker processes sees it."""

    def on_timeout(self, soft: bool, timeout: float) -> None:  # noqa: FBT001 - Celery's signature
        """Tell whoever waits for the run, besides what Celery does.

        Celery calls this, then asks the child to go, then kills it. The reason should be told
        before a child that can still be asked says that it merely ended; but the one thread that
        kills children must not hang on a database, so it waits for a moment only.
        """
        super().on_timeout(soft, timeout)
        if not soft:
            packed = self.kwargs["execute_job_args_packed"]
            run_id = unpack_value(packed, as_type=ExecuteRunArgs).run_id
            telling = threading.Thread(target=give_back, args=(run_id, timeout), daemon=True)
            telling.start()
            telling.join(_MOMENT)


def give_back(run_id: str, seconds: float) -> None:
    """Fail the run in the queue and in Dagster, with its reason.

    Postgres away: the lease runs out and says less, the reaper ends the run.
    """
    sentence = f"it held a worker for more than {seconds:g} s and was ended"
    try:
        _tell_queue(run_id, sentence)
    except DatabaseUnavailableError:
        _log.warning("run %s was ended; the queue could not be told", run_id)
    with DagsterInstance.get() as instance:
        end_what_did_not_end(instance, run_id, sentence)


def _tell_queue(run_id: str, sentence: str) -> None:
    settings = load_settings()
    database = Database(settings.core.database_url.get_secret_value(), max_connections=1)
    try:
        queue = PostgresQueue(database, settings.queue)
        fence = queue.held_by(run_id)
        if fence is not None:
            queue.fail(fence, sentence, retryable=True)
    finally:
        database.close()
