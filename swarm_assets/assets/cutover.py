"""The publisher switch as launchable jobs, and the daily proof of the way back.

The rules are ``swarm.publishing.switch.commands`` (a cutover needs a certificate, a rollback never
waits) and ``swarm.legacy.standby.proof``. These jobs go ahead of every other run in Dagster's
queue; whoever cannot wait even for a free worker uses ``swarm publisher rollback``.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import dagster as dg
from pydantic import Field

from swarm.cutover import certificate
from swarm.errors import DatabaseError, RefusedError
from swarm.publishing.switch import commands
from swarm.publishing.switch.commands import Flip
from swarm.store.database import Database
from swarm_assets.lanes import PROOF_LANE, SWITCH_LANE
from swarm_assets.resources.legacy import Legacy


class SwitchConfig(dg.Config):
    """Who asks for a switch, and why; both are kept in the history for ever."""

    actor: str = Field(description="Who you are")
    reason: str = Field(description="Why the publisher changes")
    dry_run: bool = Field(
        default=False, description="Only say what would change; acting is what makes a way back"
    )


class CutoverConfig(SwitchConfig):
    """The same, for the one switch that is not safe by itself."""

    dry_run: bool = Field(default=True, description="Only say what would change; the safe choice")


@dg.op(description="Gives publishing to swarm; refused without a valid certificate.")
def cut_over(
    context: dg.OpExecutionContext, config: CutoverConfig, database: dg.ResourceParam[Database]
) -> None:
    """Make the swarm the publisher, or fail with the reason against it."""
    act = partial(commands.cutover, certificate=certificate.refusal)
    _switch(context, config, database, act)


@dg.op(description="Gives publishing back to legacy, at once and without conditions.")
def roll_back(
    context: dg.OpExecutionContext, config: SwitchConfig, database: dg.ResourceParam[Database]
) -> None:
    """Make legacy the publisher."""
    _switch(context, config, database, commands.rollback)


@dg.op(description="Lets nobody publish until the next switch.")
def stop_publishing(
    context: dg.OpExecutionContext, config: SwitchConfig, database: dg.ResourceParam[Database]
) -> None:
    """Appoint nobody."""
    _switch(context, config, database, commands.stop)


@dg.op(description="Proves that legacy could take over now, and keeps the proof.")
def prove_legacy(context: dg.OpExecutionContext, legacy: dg.ResourceParam[Legacy]) -> None:
    """Take today's proof; the run fails with the reasons when it does not hold."""
    try:
        proof = legacy.prove(datetime.now(UTC))
    except DatabaseError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    context.add_output_metadata({"proof": proof.model_dump(mode="json")})
    if not proof.holds:
        raise dg.Failure("not proven: " + "; ".join(proof.reasons), allow_retries=False)


def _switch(
    context: dg.OpExecutionContext,
    config: SwitchConfig,
    database: Database,
    act: Callable[..., Flip],
) -> None:
    try:
        flip = act(database, actor=config.actor, reason=config.reason, dry_run=config.dry_run)
    except (RefusedError, DatabaseError) as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    context.log.info(commands.describe(flip))
    context.add_output_metadata(
        {"what": commands.describe(flip), "flip": flip.model_dump(mode="json")}
    )


@dg.job(
    name="publisher_cutover",
    description="Gives publishing to swarm; refused without a valid certificate. Dry run unless"
    " told otherwise.",
    executor_def=dg.in_process_executor,
    tags=SWITCH_LANE,
)
def publisher_cutover() -> None:
    """Cut over."""
    cut_over()


@dg.job(
    name="publisher_rollback",
    description="Gives publishing back to legacy, at once and without conditions.",
    executor_def=dg.in_process_executor,
    tags=SWITCH_LANE,
)
def publisher_rollback() -> None:
    """Roll back."""
    roll_back()


@dg.job(
    name="publisher_stop",
    description="Lets nobody publish until the next switch.",
    executor_def=dg.in_process_executor,
    tags=SWITCH_LANE,
)
def publisher_stop() -> None:
    """Stop."""
    stop_publishing()


@dg.job(
    name="legacy_proof",
    description="Proves that legacy could take over now, and keeps the proof.",
    executor_def=dg.in_process_executor,
    tags=PROOF_LANE,
)
def legacy_proof_job() -> None:
    """Take today's proof."""
    prove_legacy()


SWITCHES = (publisher_cutover, publisher_rollback, publisher_stop)
