"""The IO manager: a stage output is a row of our tables, JSON with its hash, written under the
fence.

No pickle (whoever can write its directory runs code) and no files (torn after a kill). What lives
elsewhere: the table (``swarm.store``) and the fence (``desk``).
"""

from collections.abc import Mapping
from typing import Final

import dagster as dg
from dagster._core.definitions.metadata import ArbitraryMetadataMapping

from swarm.models import (
    Context,
    Crm,
    Draft,
    Event,
    Noun,
    PolicyDecision,
    Publication,
    Received,
    Review,
    Stage,
    Thread,
    TierDecision,
)
from swarm.stages.reply.review import reviewer_of
from swarm.stages.stage_events import Worked, finished
from swarm_assets.resources.desk import Desk

NOUNS: Final[Mapping[Stage, type[Noun]]] = {
    Stage.RECEIVED: Received,
    Stage.THREAD: Thread,
    Stage.CRM: Crm,
    Stage.TIER: TierDecision,
    Stage.CONTEXT: Context,
    Stage.DRAFT: Draft,
    Stage.TONE: Review,
    Stage.FACT: Review,
    Stage.QA: Review,
    Stage.POLICY: PolicyDecision,
    Stage.PUBLISH: Publication,
}

# Whose hashes stand in a stage's event as its inputs.
_READS: Final[Mapping[Stage, tuple[Stage, ...]]] = {
    Stage.RECEIVED: (),
    Stage.THREAD: (Stage.RECEIVED,),
    Stage.CRM: (Stage.RECEIVED,),
    Stage.TIER: (Stage.RECEIVED,),
    Stage.CONTEXT: (Stage.RECEIVED, Stage.THREAD, Stage.CRM),
    Stage.DRAFT: (Stage.RECEIVED, Stage.CONTEXT, Stage.TIER),
    Stage.TONE: (Stage.DRAFT, Stage.CONTEXT),
    Stage.FACT: (Stage.DRAFT, Stage.CONTEXT),
    Stage.QA: (Stage.DRAFT, Stage.CONTEXT),
    Stage.POLICY: (Stage.DRAFT, Stage.CONTEXT, Stage.TONE, Stage.FACT, Stage.QA),
    Stage.PUBLISH: (Stage.POLICY,),
}

DURATION: Final = "duration_ms"
COST: Final = "cost"


class StageOutputs(dg.IOManager):
    """Stores each stage's noun with its event, and hands it to the next stage, hash verified."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def handle_output(self, context: dg.OutputContext, obj: Noun) -> None:
        """Write under the run's fence; the same bytes twice are one row."""
        stage = Stage(context.asset_key.path[-1])
        with self._desk.stage():
            fence = self._desk.fence(context.partition_key)
            event = self._finished(stage, obj, context.output_metadata)
            self._desk.services.store.write_stage(fence, stage, obj, event)
            self._desk.remember(stage, obj)

    def load_input(self, context: dg.InputContext) -> Noun:
        """Return the newest stored output of the stage for this work order."""
        stage = Stage(context.asset_key.path[-1])
        with self._desk.stage():
            self._desk.fence(context.asset_partition_key)
            return self._desk.read(context.asset_partition_key, stage, NOUNS[stage])

    def _finished(self, stage: Stage, noun: Noun, metadata: ArbitraryMetadataMapping) -> Event:
        """Return the event that goes with the output: inputs, who, how long, at what cost."""
        duration, cost = metadata.get(DURATION), metadata.get(COST)
        worked = Worked(
            noun,
            duration.value or 0 if isinstance(duration, dg.IntMetadataValue) else 0,
            cost.value or 0.0 if isinstance(cost, dg.FloatMetadataValue) else 0.0,
        )
        inputs, actor = self._desk.known(_READS[stage]), reviewer_of(self._desk.services)
        return finished(stage, inputs, worked, actor=actor)


@dg.io_manager(required_resource_keys={"desk"})
def stage_outputs(context: dg.InitResourceContext) -> StageOutputs:
    """Build the IO manager on the desk that the run's assets use."""
    desk = context.resources.desk
    if not isinstance(desk, Desk):
        raise TypeError("the resource `desk` must be a Desk")
    return StageOutputs(desk)
