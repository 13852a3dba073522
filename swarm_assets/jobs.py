"""The jobs that sensors request. Runs are short, so every step stays in the worker's process."""

import dagster as dg
from dagster_celery.tags import DAGSTER_CELERY_QUEUE_TAG

from swarm.errors import DatabaseError
from swarm.process_identity import this_process
from swarm_assets.partitions import LANE_TAG, PUBLISHING_QUEUE, WORKER_TAG
from swarm_assets.resources.publishing import Publishing

# One mechanism retries, and it is the queue: Dagster re-running a rejected draft would roll the
# model's dice again until it passes.
NO_RETRY = {"dagster/retry_on_asset_or_op_failure": "false", "dagster/max_retries": "0"}

# Two lanes with workers of their own (``dagster.yaml`` bounds the first): however slow the model
# is, no draft and no switch waits behind it.
WORK_ORDER_LANE = {LANE_TAG: "work_order"}
PUBLISHING_LANE = {DAGSTER_CELERY_QUEUE_TAG: PUBLISHING_QUEUE, "dagster/priority": "10"}

work_order_job = dg.define_asset_job(
    "work_order",
    selection=dg.AssetSelection.key_prefixes(["work_order"]),
    description="Takes one work order from the intake line to a draft, an escalation or a hold.",
    executor_def=dg.in_process_executor,
    tags={**NO_RETRY, **WORK_ORDER_LANE},
)


@dg.op(description="Dispatches what is due, settles what is unknown, takes over from dead senders.")
def publishing_tick(
    context: dg.OpExecutionContext, publishing: dg.ResourceParam[Publishing]
) -> None:
    """Move publications on for one round; its process is named, so that its death is noticed."""
    worker = this_process().model_dump_json()
    context.instance.add_run_tags(context.run_id, {WORKER_TAG: worker})
    try:
        report = publishing.run_round()
    except DatabaseError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    context.add_output_metadata({"report": report.model_dump(mode="json")})


@dg.job(
    name="publications",
    description="One round over the publication ledger.",
    executor_def=dg.in_process_executor,
    # No lease stands behind these runs. The launcher notices a worker of its own machine that died;
    # one that vanished elsewhere holds its slot until this time limit.
    tags={**NO_RETRY, **PUBLISHING_LANE, "dagster/max_runtime": "120"},
)
def publications_job() -> None:
    """Run one publishing tick."""
    publishing_tick()
