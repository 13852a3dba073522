"""Requests the daily proof that today's path could take over, as long as it must stand by.

Level-triggered: asked again every hour until the day is proven, so that neither a daemon that was
down at one hour nor a bad moment of legacy's costs the day. The proof itself and its alert are
``swarm.legacy.standby.proof``.
"""

from datetime import UTC, datetime

import dagster as dg

from swarm.errors import DatabaseUnavailableError
from swarm_assets.assets.cutover import legacy_proof_job
from swarm_assets.resources.legacy import Legacy


def request(now: datetime, *, due: bool) -> dg.RunRequest | dg.SkipReason:
    """Decide: one proof an hour at most, under a key that names day and hour (UTC)."""
    if not due:
        return dg.SkipReason("today is proven, or legacy need not stand by")
    return dg.RunRequest(run_key=f"legacy-proof:{now.astimezone(UTC):%Y-%m-%dT%H}")


@dg.sensor(
    name="legacy_proof",
    job=legacy_proof_job,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Requests the daily proof that legacy could take over, until it holds.",
)
def legacy_proof(
    context: dg.SensorEvaluationContext, legacy: dg.ResourceParam[Legacy]
) -> dg.RunRequest | dg.SkipReason:
    """Ask whether today's proof is due; decide."""
    now = datetime.now(UTC)
    try:
        return request(now, due=legacy.proof_due(now))
    except DatabaseUnavailableError as error:
        return dg.SkipReason(f"could not read: {error}")
