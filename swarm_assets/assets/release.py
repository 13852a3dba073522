"""``swarm release`` as a launchable job: a final work order may be drafted after all.

The rules are ``swarm.publishing.release``. It goes ahead of every other run, as switches do.
"""

import dagster as dg
from pydantic import Field

from swarm.errors import DatabaseUnavailableError, MalformedInputError, RefusedError
from swarm.publishing.release import ReleaseRequest, describe, release
from swarm.store.database import Database
from swarm_assets.lanes import SWITCH_LANE
from swarm_assets.resources import process


class ReleaseConfig(dg.Config):
    """Who releases what, and why; all of it is kept in the work order's history for ever."""

    key: str = Field(description="Key of the work order, wo_ and 24 letters")
    actor: str = Field(description="Who you are")
    reason: str = Field(description="Why it may be drafted after all; shown at the draft")
    waive: list[str] = Field(
        default=[],
        description="Rules you take on, e.g. ES-01. Never ES-06, 09, 10, 11, 14, 16 and 17",
    )
    revision: int | None = Field(
        default=None, description="Which text of the mail; 0 as accepted. Left out: the newest"
    )
    no_draft_in_mailbox: bool = Field(
        default=False,
        description="You have looked, in Sent and Deleted too: no draft of it is in the mailbox",
    )


@dg.op(description="Opens a final work order for a new attempt, under all rules not taken on.")
def release_final(
    context: dg.OpExecutionContext, config: ReleaseConfig, database: dg.ResourceParam[Database]
) -> None:
    """Release it, or fail with the reason against it."""
    settle_seconds = process.settings().publishing.settle_seconds
    try:
        request = ReleaseRequest.model_validate(config.model_dump())
        done = release(database, request, settle_seconds=settle_seconds)
    except (RefusedError, MalformedInputError, DatabaseUnavailableError) as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    context.log.info(describe(done))
    context.add_output_metadata({"what": describe(done), "release": done.model_dump(mode="json")})


@dg.job(
    name="release_work_order",
    description="Lets an escalated, declined, held or dead work order be drafted after all; by"
    " name, with a reason, under all rules but those you take on.",
    executor_def=dg.in_process_executor,
    tags=SWITCH_LANE,
)
def release_job() -> None:
    """Release one work order."""
    release_final()
