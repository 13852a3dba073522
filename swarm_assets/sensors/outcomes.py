"""What is compared later: today's outbox is read, and looks into the mailbox are asked for.

Reading the outbox is a transaction of ours and happens here; looking over Graph takes minutes and
happens in a run (``reply_outcomes``). Both ask what is due, again and again.
"""

from datetime import UTC, datetime

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from swarm.errors import DatabaseError
from swarm.shadow.outcomes.legacy_stream import LegacyOutcomes
from swarm.shadow.outcomes.looking import Lookout
from swarm_assets.jobs import reply_outcomes_job


@dg.sensor(
    name="legacy_outcomes",
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reads what today's path decided from its outbox, escalations too.",
)
def legacy_outcomes(
    context: dg.SensorEvaluationContext, legacy_outcomes: dg.ResourceParam[LegacyOutcomes]
) -> dg.SkipReason:
    """Store what is new in the outbox, one transaction a tick."""
    try:
        report = legacy_outcomes.ingest()
    except DatabaseError as error:
        return dg.SkipReason(f"could not read: {error}")
    if report.not_read:
        return dg.SkipReason(f"could not read: {report.not_read}")
    return dg.SkipReason(
        f"{report.accepted} outcomes, {report.duplicate} known, {report.quarantined} unreadable,"
        f" {report.backlog_bytes} bytes left"
    )


def request(due: int, *, in_flight: bool, tick: str) -> dg.RunRequest | dg.SkipReason:
    """Decide: one run at a time, under a key that never repeats, only while something is due."""
    if due == 0:
        return dg.SkipReason("nothing to look at")
    if in_flight:
        return dg.SkipReason(f"{due} to look at; a run is at it already")
    return dg.RunRequest(run_key=f"reply-outcomes:{tick}")


@dg.sensor(
    name="reply_outcomes",
    job=reply_outcomes_job,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Requests a look at what people did when one is due; ends clocks of what they"
    " answered.",
)
def reply_outcomes(
    context: dg.SensorEvaluationContext, lookout: dg.ResourceParam[Lookout]
) -> dg.RunRequest | dg.SkipReason:
    """Ask what is due and whether a run is at it; decide."""
    filters = dg.RunsFilter(job_name=reply_outcomes_job.name, statuses=list(NOT_FINISHED_STATUSES))
    try:
        due = lookout.due()
    except DatabaseError as error:
        return dg.SkipReason(f"could not read: {error}")
    in_flight = due > 0 and bool(context.instance.get_runs(filters, limit=1))
    return request(due, in_flight=in_flight, tick=datetime.now(UTC).isoformat())
