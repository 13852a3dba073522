"""Storing a stage's output with the event that explains it (ES-23): who, how long, cost, from what.

Every driver of stages (``pipeline``, a Dagster run) writes through :class:`StageRecorder`, so the
chain names the same author and the same inputs whoever ran it. The store adds the hash of what came
out. No mail text and no address gets into an event: only hashes, counts, enums, names of programs.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from pydantic import JsonValue

from swarm.errors import PermanentError
from swarm.models import (
    Context,
    Crm,
    Draft,
    Event,
    Fence,
    Noun,
    PolicyDecision,
    Publication,
    Received,
    Review,
    Stage,
    Thread,
    TierDecision,
)
from swarm.stages.engine import engine_of
from swarm.stages.services import Services
from swarm.store.artifacts import noun_of

NounT = TypeVar("NounT", bound=Noun)

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
"""What each stage gives."""

_BRIEF = (Stage.RECEIVED, Stage.THREAD, Stage.CONTEXT, Stage.TIER)

READS: Final[Mapping[Stage, tuple[Stage, ...]]] = {
    Stage.RECEIVED: (),  # the mail itself, which its output carries
    Stage.THREAD: (Stage.RECEIVED,),
    Stage.CRM: (Stage.RECEIVED,),
    Stage.TIER: (Stage.RECEIVED, Stage.THREAD),
    Stage.CONTEXT: (Stage.RECEIVED, Stage.THREAD, Stage.CRM),
    Stage.DRAFT: _BRIEF,
    Stage.TONE: (*_BRIEF, Stage.DRAFT),
    Stage.FACT: (*_BRIEF, Stage.DRAFT),
    Stage.QA: (*_BRIEF, Stage.DRAFT),
    Stage.POLICY: (*_BRIEF, Stage.DRAFT, Stage.TONE, Stage.FACT, Stage.QA),
    Stage.PUBLISH: (Stage.POLICY,),
}
"""What each stage looks at: the hashes that stand in its event as its inputs."""


@dataclass(frozen=True, slots=True)
class Worked(Generic[NounT]):
    """What a piece of work gave, how long it took and what it cost."""

    result: NounT
    duration_ms: int
    cost: float = 0.0


class Stopwatch:
    """How long a stage took so far."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def milliseconds(self) -> int:
        """Whole milliseconds since the start."""
        return round((time.monotonic() - self._start) * 1000)


class StageRecorder:
    """The outputs of one work order as one run stores and reads them, under one fence."""

    def __init__(self, fence: Fence, services: Services) -> None:
        self.fence = fence
        self._services = services
        self._store = services.store
        self._known: dict[Stage, tuple[Noun, str]] = {}  # with its hash
        self._paid = self._store.model_cost(fence.work_order_key)

    def measured(self, work: Callable[[], NounT]) -> Worked[NounT]:
        """Do a piece of work and measure its time and its model cost."""
        watch = Stopwatch()
        result = work()
        return Worked(result, watch.milliseconds, self.spent())

    def spent(self) -> float:
        """Return what model calls cost since this run began or last asked (ES-25)."""
        total = self._store.model_cost(self.fence.work_order_key)
        since, self._paid = total - self._paid, total
        return since

    def record(self, stage: Stage, worked: Worked[NounT]) -> NounT:
        """Store an output with its event in one transaction; the same bytes twice are one row.

        Raises ``FencedOutError`` when a newer run holds the work order.
        """
        event = self._event(stage, worked)
        stored = self._store.write_stage(self.fence, stage, worked.result, event)
        self._known[stage] = (worked.result, stored.sha256)
        return worked.result

    def read(self, stage: Stage, kind: type[NounT]) -> NounT:
        """Return a stage's newest output; raises ``PermanentError`` when there is none."""
        known, _ = self._known.get(stage, (None, ""))
        if isinstance(known, kind):
            return known
        key = self.fence.work_order_key
        artifact = self._store.artifact(key, stage)
        if artifact is None:
            raise PermanentError(
                f"stage {stage} has no stored output",
                work_order=key,
                hint="materialize the upstream stages first, or the whole work order",
            )
        noun = noun_of(artifact, kind)
        self._known[stage] = (noun, artifact.sha256)
        return noun

    def _event(self, stage: Stage, worked: Worked[NounT]) -> Event:
        return Event(
            kind="stage.finished",
            stage=stage,
            actor=author_of(worked.result),
            detail={
                "inputs": self._inputs(stage, worked.result),
                **_outcome(worked.result),
                **self._judge(stage),
            },
            duration_ms=worked.duration_ms,
            cost=worked.cost,
        )

    def _judge(self, stage: Stage) -> Mapping[str, JsonValue]:
        """Say which engine decided: a proof about one says nothing about another (ES-25)."""
        return {"engine": engine_of(self._services).version} if stage is Stage.POLICY else {}

    def _inputs(self, stage: Stage, output: Noun) -> list[JsonValue]:
        if isinstance(output, Received):
            return [output.work_order.digest()]
        for read in READS[stage]:
            self.read(read, NOUNS[read])
        return [self._known[read][1] for read in READS[stage]]


_PROGRAMS: Final[Mapping[type[Noun], str]] = {
    Received: "intake",
    Thread: "enrichment",
    Crm: "enrichment",
    Context: "enrichment",
    Publication: "publishing",
}


def author_of(artifact: Noun) -> str:
    """Name who made an output, with version where there is one: it says so itself."""
    match artifact:
        case TierDecision():
            return artifact.detectors.get("specialist", "detectors")
        case Draft():
            return artifact.author
        case Review():
            return artifact.reviewer
        case PolicyDecision():
            return f"ruleset {artifact.ruleset}"
        case _:
            return _PROGRAMS[type(artifact)]


def _outcome(artifact: Noun) -> Mapping[str, JsonValue]:
    """Return what a person wants to read of a stage at a glance, without opening its artifact."""
    match artifact:
        case TierDecision():
            return {"tier": artifact.tier.name, "classes": list(artifact.classes)}
        case Draft():
            return {
                "offered": artifact.offered,
                "declined": artifact.declined is not None,
                "revision": artifact.revision,
            }
        case Review():
            return {"ruling": artifact.ruling.value, "applicable": artifact.applicable}
        case PolicyDecision():
            rules: list[JsonValue] = [*sorted({reason.rule for reason in artifact.reasons})]
            return {
                "publishable": artifact.publishable,
                "declined": artifact.declined,
                "rules": rules,
            }
        case Publication():
            return {"state": artifact.state.value}
        case _:
            return {}
