"""The end of a run whose end could not be written, because Postgres was away just then.

Its process lives, so nobody would call it dead; left alone it would look alive and hold its slot
until its time limit. Runs whose process died are the launcher's and the reaper's business.
"""

import stamina
from dagster import DagsterInstance
from sqlalchemy.exc import OperationalError

_LONGEST_OUTAGE = 300.0  # seconds; a worker that waits longer is of no use to anybody


def end_what_did_not_end(instance: DagsterInstance, run_id: str) -> None:
    """Mark the run failed unless it is finished, as soon as the storage answers again.

    Raises SQLAlchemy's ``OperationalError`` when it does not within five minutes.
    """
    for attempt in stamina.retry_context(
        on=OperationalError, attempts=None, timeout=_LONGEST_OUTAGE, wait_max=2.0
    ):
        with attempt:
            run = instance.get_run_by_id(run_id)
            if run is not None and not run.is_finished:
                instance.report_run_failed(run, "its end could not be recorded")
