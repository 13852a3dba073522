"""Delivers the outbox of alerts; they were raised in the transactions that found the trouble."""

from datetime import UTC, datetime

import dagster as dg

from swarm.errors import DatabaseUnavailableError
from swarm.store.alerts import (
    deliver,
    raise_overdue_escalations,
    watch_backlog,
    watch_connections,
)
from swarm.store.database import Database
from swarm.store.model_ledger import settle_forgotten_models
from swarm_assets.resources.legacy import Legacy
from swarm_assets.resources.pager import Pager


@dg.sensor(
    name="alerts",
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Pages for overdue escalations, a silent legacy, a full database server and a long"
    " queue; delivers waiting alerts.",
)
def alerts(
    context: dg.SensorEvaluationContext,
    database: dg.ResourceParam[Database],
    pager: dg.ResourceParam[Pager],
    legacy: dg.ResourceParam[Legacy],
) -> dg.SkipReason:
    """Raise what is overdue, deliver what waits; an alert stays until the pager took it."""
    try:
        with database.transaction() as connection:
            watch_connections(connection)
            watch_backlog(connection)
            settle_forgotten_models(connection)
            overdue = raise_overdue_escalations(connection)
            silent = legacy.watch(connection, datetime.now(UTC))
        delivered = deliver(database, pager)
    except DatabaseUnavailableError as error:
        return dg.SkipReason(f"could not read: {error}")
    return dg.SkipReason(
        f"{overdue} escalations newly overdue, {silent} programs of legacy silent,"
        f" {delivered} alerts delivered"
    )
