"""The event each finished stage leaves (ES-23): who, how long, at what cost, from what.

The store adds the hash of what came out. No mail text and no address gets in: only hashes, counts,
enums and names of programs.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import JsonValue

from swarm.models import (
    Draft,
    Event,
    Fence,
    Noun,
    PolicyDecision,
    Publication,
    Review,
    Stage,
    TierDecision,
)
from swarm.stages.reply.review import reviewer_of
from swarm.stages.services import Services

NounT = TypeVar("NounT", bound=Noun)


@dataclass(frozen=True, slots=True)
class Worked(Generic[NounT]):
    """What a piece of work gave, how long it took and what it cost."""

    result: NounT
    duration_ms: int
    cost: float


def measured(key: str, work: Callable[[], NounT], services: Services) -> Worked[NounT]:
    """Do a piece of work and measure its time and its model cost."""
    paid_before, started = services.store.model_cost(key), time.monotonic()
    result = work()
    elapsed = int((time.monotonic() - started) * 1000)
    return Worked(result, elapsed, services.store.model_cost(key) - paid_before)


def run_stage(
    fence: Fence,
    stage: Stage,
    inputs: Sequence[Noun],
    work: Callable[[], NounT],
    services: Services,
) -> NounT:
    """Do the work of one stage and store its artifact with its event in one transaction.

    Raises what ``work`` raises, and ``FencedOutError`` when a newer run holds the work order.
    """
    worked = measured(fence.work_order_key, work, services)
    event = finished(stage, inputs, worked, actor=reviewer_of(services))
    services.store.write_stage(fence, stage, worked.result, event)
    return worked.result


def finished(stage: Stage, inputs: Sequence[Noun], worked: Worked[NounT], *, actor: str) -> Event:
    """Return the event of a finished stage."""
    return Event(
        kind="stage.finished",
        stage=stage,
        actor=actor,
        detail={"inputs": [noun.digest() for noun in inputs], **_outcome(worked.result)},
        duration_ms=worked.duration_ms,
        cost=worked.cost,
    )


def _outcome(artifact: Noun) -> Mapping[str, JsonValue]:
    """Return what a person wants to read of a stage at a glance, without opening its artifact."""
    match artifact:
        case TierDecision():
            return {"tier": artifact.tier.name, "classes": list(artifact.classes)}
        case Draft():
            return {"offered": artifact.offered, "revision": artifact.revision}
        case Review():
            return {"ruling": artifact.ruling.value, "applicable": artifact.applicable}
        case PolicyDecision():
            rules: list[JsonValue] = [*sorted({reason.rule for reason in artifact.reasons})]
            return {"publishable": artifact.publishable, "rules": rules}
        case Publication():
            return {"state": artifact.state.value}
        case _:
            return {}
