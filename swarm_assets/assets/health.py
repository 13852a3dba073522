"""``operations/health``: numbers of the whole installation every five minutes, plotted by the UI.

Each look is a materialization whose metadata are plain numbers, and a check for each thing that
should be so. Nobody is woken by it (alerts and Prometheus do that, and neither needs Dagster); it
shows a day at a glance where there is no Grafana. A look leaves about forty rows in Dagster's
tables, 288 looks a day: ``sensors/retire.py`` takes away what is older than three days.
"""

from collections.abc import Iterator

import dagster as dg

from swarm.errors import DatabaseError
from swarm.observe.health import LOOKS, MEANING, HealthCheck
from swarm_assets.assets.owners import NUMBERS, PLATFORM
from swarm_assets.lanes import LOOK_LANE
from swarm_assets.resources.operations import Operations

HEALTH = dg.AssetKey(["operations", "health"])


def _specs() -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(name, asset=HEALTH, description=MEANING[name], blocking=False)
        for name in LOOKS
    ]


@dg.asset(
    key=HEALTH,
    group_name="operations",
    owners=PLATFORM,
    tags=NUMBERS,
    kinds={"postgres"},
    check_specs=_specs(),
    op_tags=dict(LOOK_LANE),
    description="Queue, streams, publications, escalations, alerts and life signs in numbers.",
)
def health(
    context: dg.AssetExecutionContext, operations: dg.ResourceParam[Operations]
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Look once; tell the numbers, and of each thing whether it is so."""
    try:
        found = operations.look()
    except DatabaseError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    bad = [check for check in found.checks if not check.ok]
    context.log.info("%s of %s checks are well", len(found.checks) - len(bad), len(found.checks))
    yield dg.MaterializeResult(
        metadata={
            name: dg.MetadataValue.float(float(value)) for name, value in found.numbers.items()
        }
    )
    yield from map(_told, found.checks)


def _told(check: HealthCheck) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=check.name,
        asset_key=HEALTH,
        passed=check.ok,
        severity=dg.AssetCheckSeverity.ERROR,
        description=check.why or MEANING[check.name],
    )


health_job = dg.define_asset_job(
    "health",
    selection=dg.AssetSelection.assets(HEALTH),
    description="Looks at the whole installation once.",
    executor_def=dg.in_process_executor,
    tags=LOOK_LANE,
)
