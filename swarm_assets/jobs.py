"""The jobs that sensors request. Runs are short, so every step stays in the worker's process."""

import dagster as dg

from swarm.errors import DatabaseError
from swarm_assets.lanes import ROUND_LANE, WORK_ORDER_LANE
from swarm_assets.resources.publishing import Publishing

work_order_job = dg.define_asset_job(
    "work_order",
    selection=dg.AssetSelection.key_prefixes(["work_order"]),
    description="Takes one work order from the intake line to a draft, an escalation or a hold.",
    executor_def=dg.in_process_executor,
    tags=WORK_ORDER_LANE,
)


@dg.op(description="Dispatches what is due, settles what is unknown, takes over from dead senders.")
def publishing_tick(
    context: dg.OpExecutionContext, publishing: dg.ResourceParam[Publishing]
) -> None:
    """Move publications on for one round."""
    try:
        report = publishing.run_round()
    except DatabaseError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    context.add_output_metadata({"report": report.model_dump(mode="json")})


@dg.job(
    name="publications",
    description="One round over the publication ledger.",
    executor_def=dg.in_process_executor,
    tags=ROUND_LANE,
)
def publications_job() -> None:
    """Run one publishing tick."""
    publishing_tick()
