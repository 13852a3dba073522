"""Puts a run's desk together from the other resources.

Function style, because what one resource requires of another by name is the same object for both,
and a test may replace any of them with a plain fake.
"""

from collections.abc import Iterator

import dagster as dg

from swarm.stages.services import Services
from swarm_assets.partitions import ATTEMPT_TAG
from swarm_assets.resources import process
from swarm_assets.resources.desk import Desk


@dg.resource(
    required_resource_keys={"store", "specialist", "outlook", "monday"},
    description="What stages may reach: store, sources, specialist, and the house's settings.",
)
def services(context: dg.InitResourceContext) -> Services:
    """Bundle what the run was given."""
    known, given = process.settings(), context.resources
    return Services(
        store=given.store,
        specialist=given.specialist,
        outlook=given.outlook,
        monday=given.monday,
        mailbox=known.graph.mailbox,
        approved_columns=known.monday.approved_columns,
        link_allow_list=known.core.link_allow_list,
        signature=known.core.reply_signature,
        model_budget=known.model.budget_per_work_order,
        checkpointer=process.checkpointer(),
    )


@dg.resource(
    required_resource_keys={"services", "queue", "publisher", "leases"},
    description="The run's hold on its work order: fence, heartbeat, and what a failure means.",
)
def desk(context: dg.InitResourceContext) -> Iterator[Desk]:
    """Yield the run's desk; what it still holds at the end goes back to the queue."""
    run = context.run
    if run is None:
        raise dg.DagsterInvariantViolationError("a desk belongs to a run")
    attempt = run.tags.get(ATTEMPT_TAG)
    mine = Desk(
        context.resources.services,
        context.resources.queue,
        context.resources.publisher,
        run_id=run.run_id,
        attempt=int(attempt) if attempt is not None else None,
        heartbeat_seconds=context.resources.leases.heartbeat_seconds,
    )
    try:
        yield mine
    finally:
        mine.leave()
