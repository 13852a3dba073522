"""Turns new lines of the intake stream into work orders, and due work orders into runs.

Dagster's part is small on purpose: the lines and their offset are committed by ``swarm.intake``
before anything is asked of Dagster. A lost tick, a swallowed launch error or a reset cursor
therefore loses nothing; the queue asks again, and the run key (work order and attempt) keeps it
from running twice.
"""

import json
import time
from collections.abc import Sequence
from typing import Final, Protocol

import dagster as dg

from swarm.errors import DatabaseUnavailableError
from swarm.intake.stream.tick import IngestReport
from swarm.store.queue import JobQueue, RunRequested
from swarm_assets.jobs import work_order_job
from swarm_assets.partitions import ATTEMPT_TAG, work_orders

# Dagster spends 16-22 ms on each request of a tick, serially; 50 keep a tick near one second.
REQUESTS_PER_TICK: Final = 50

# Dagster asks each sensor once in 5 s. A tick that finds nothing looks again for most of that time,
# so that a mail that comes alone is picked up in a moment (p50 of line to POST 3.99 -> 0.95 s). It
# keeps one of the daemon's four sensor threads; the others share three
# (`tests/faults/test_no_sensor_starves.py`).
LOOK_FOR: Final = 4.3
LOOK_EVERY: Final = 0.2


class Stream(Protocol):
    """What the sensor asks of the intake."""

    def ingest(self) -> IngestReport:
        """Store what is new in the stream."""
        ...


def run_requests(requested: Sequence[RunRequested]) -> list[dg.RunRequest]:
    """Return one run request per work order; nothing but opaque keys and numbers in it."""
    return [
        dg.RunRequest(
            run_key=request.run_key,
            partition_key=request.work_order_key,
            tags={ATTEMPT_TAG: str(request.attempt)},
        )
        for request in requested
    ]


def echo(report: IngestReport, requested: int) -> str:
    """Return the cursor: what the tick did, for people. Nothing is ever read back from it."""
    return json.dumps(
        {
            "not_read": report.not_read,
            "accepted": report.accepted,
            "duplicate": report.duplicate,
            "quarantined": report.quarantined,
            "backlog_bytes": report.backlog_bytes,
            "requested": requested,
        }
    )


def outcome(
    report: IngestReport, requested: Sequence[RunRequested]
) -> dg.SensorResult | dg.SkipReason:
    """Decide what the tick says: requests, or why there are none."""
    if requested:
        keys = [request.work_order_key for request in requested]
        return dg.SensorResult(
            run_requests=run_requests(requested),
            dynamic_partitions_requests=[work_orders.build_add_request(keys)],
            cursor=echo(report, len(requested)),
        )
    if report.not_read:
        return dg.SkipReason(f"could not read: {report.not_read}")
    return dg.SkipReason(f"nothing due; {report.lines} new lines")


@dg.sensor(
    name="intake",
    job=work_order_job,
    minimum_interval_seconds=1,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reads the intake stream and requests a run for each due work order.",
)
def intake(
    context: dg.SensorEvaluationContext,
    stream: dg.ResourceParam[Stream],
    queue: dg.ResourceParam[JobQueue],
) -> dg.SensorResult | dg.SkipReason:
    """Ingest and ask the queue what is due, until something is or the tick's time is over."""
    deadline = time.monotonic() + LOOK_FOR
    try:
        while True:
            report = stream.ingest()
            requested = queue.request_due(REQUESTS_PER_TICK)
            if requested or report.not_read or time.monotonic() >= deadline:
                return outcome(report, requested)
            time.sleep(LOOK_EVERY)
    except DatabaseUnavailableError as error:
        return dg.SkipReason(f"could not read: {error}")
