"""The IO manager: a stage output is a row of our tables, JSON with its hash, written under the
fence.

No pickle (whoever can write its directory runs code) and no files (torn after a kill). What lives
elsewhere: the table (``swarm.store``), the event beside it (``swarm.stages.stage_events``), the
fence (``swarm.stages.run_session``).
"""

from typing import Final

import dagster as dg

from swarm.models import Noun, Stage
from swarm.stages.run_session import RunSession
from swarm.stages.stage_events import NOUNS, Worked

DURATION: Final = "duration_ms"
COST: Final = "cost"


class StageOutputs(dg.IOManager):
    """Stores each stage's noun with its event, and hands it to the next stage, hash verified."""

    def __init__(self, session: RunSession) -> None:
        self._session = session

    def handle_output(self, context: dg.OutputContext, obj: Noun) -> None:
        """Write under the run's fence; the same bytes twice are one row."""
        stage = Stage(context.asset_key.path[-1])
        duration = context.output_metadata.get(DURATION)
        cost = context.output_metadata.get(COST)
        worked = Worked(
            obj,
            duration.value or 0 if isinstance(duration, dg.IntMetadataValue) else 0,
            cost.value or 0.0 if isinstance(cost, dg.FloatMetadataValue) else 0.0,
        )
        with self._session.stage():
            self._session.record(context.partition_key, stage, worked)

    def load_input(self, context: dg.InputContext) -> Noun:
        """Return the newest stored output of the stage for this work order."""
        stage = Stage(context.asset_key.path[-1])
        with self._session.stage():
            return self._session.read(context.asset_partition_key, stage, NOUNS[stage])


@dg.io_manager(required_resource_keys={"session"})
def stage_outputs(context: dg.InitResourceContext) -> StageOutputs:
    """Build the IO manager on the session that the run's assets use."""
    session = context.resources.session
    if not isinstance(session, RunSession):
        raise TypeError("the resource `session` must be a RunSession")
    return StageOutputs(session)
