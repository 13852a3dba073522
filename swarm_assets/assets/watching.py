"""After a cutover: the watch over the rolling window and the nightly drill, as launchable jobs.

What lives elsewhere: when they run (``schedules.readiness``), the rules (``swarm.cutover.watch``,
``swarm.cutover.drill``).
"""

import dagster as dg

from swarm.cutover import drill
from swarm.errors import SwarmError
from swarm_assets.lanes import GATES_LANE, PROOF_LANE
from swarm_assets.resources.gates import Gates


@dg.op(description="Asks the gates over the rolling window; alerts, and gives back if asked to.")
def watch_cutover(context: dg.OpExecutionContext, gates: dg.ResourceParam[Gates]) -> None:
    """Look once."""
    try:
        found = gates.watch()
    except SwarmError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    if found is None:
        context.log.info("swarm does not publish: nothing to watch")
        return
    context.add_output_metadata({"found": found.model_dump(mode="json")})


@dg.op(description="Rehearses the rollback as a dry run, and keeps the record.")
def drill_rollback(context: dg.OpExecutionContext, gates: dg.ResourceParam[Gates]) -> None:
    """Do today's drill; the run fails with the reasons when it does not hold."""
    try:
        done = gates.drill()
    except SwarmError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    context.add_output_metadata({"drill": done.model_dump(mode="json")})
    if not done.holds:
        raise dg.Failure(drill.sentence(done), allow_retries=False)


@dg.job(
    name="cutover_watch",
    description="After a cutover: asks the gates over the rolling window.",
    executor_def=dg.in_process_executor,
    tags=GATES_LANE,
)
def cutover_watch_job() -> None:
    """Watch."""
    watch_cutover()


@dg.job(
    name="rollback_drill",
    description="Rehearses the rollback as a dry run.",
    executor_def=dg.in_process_executor,
    tags=PROOF_LANE,
)
def rollback_drill_job() -> None:
    """Drill."""
    drill_rollback()
