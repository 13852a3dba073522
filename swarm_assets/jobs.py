"""The jobs that sensors request. Runs are short, so every step stays in the worker's process."""

import dagster as dg

from swarm.errors import DatabaseError
from swarm.models import Stage
from swarm.shadow.outcomes.looking import Lookout, Seen
from swarm_assets.assets.stages import asset_key
from swarm_assets.lanes import LOOK_LANE, ROUND_LANE, WORK_ORDER_LANE
from swarm_assets.partitions import work_orders
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


@dg.op(description="Looks into the mailbox for what people did with drafts, or instead of one.")
def look_for_replies(context: dg.OpExecutionContext, lookout: dg.ResourceParam[Lookout]) -> None:
    """Do one round; what became known is shown on the asset ``publish`` of each work order."""
    try:
        report = lookout.look()
    except DatabaseError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    context.log.info(report.sentence)
    live = set(work_orders.get_partition_keys(dynamic_partitions_store=context.instance))
    for seen in report.learnt:
        if seen.work_order_key in live:  # a retired partition's story is in our tables
            context.log_event(observed(seen))
    context.add_output_metadata({"report": report.model_dump(mode="json", exclude={"learnt"})})


def observed(seen: Seen) -> dg.AssetObservation:
    """Return what a person did, as the UI shows it beside the publication: a name and numbers."""
    numbers = {"similarity": seen.similarity, "minutes_to_act": seen.minutes}
    return dg.AssetObservation(
        asset_key=asset_key(Stage.PUBLISH),
        partition=seen.work_order_key,
        description=f"a person's act: {seen.act}",
        metadata={
            "act": str(seen.act),
            **{name: value for name, value in numbers.items() if value is not None},
        },
    )


@dg.job(
    name="reply_outcomes",
    description="One round of looking what people did with drafts.",
    executor_def=dg.in_process_executor,
    tags=LOOK_LANE,
)
def reply_outcomes_job() -> None:
    """Look once."""
    look_for_replies()
