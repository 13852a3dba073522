"""One work order through the stages again, in memory, to a value: also what failed is one.

The stages are those of the live path (``run_chain``) without a publisher: a draft that may be
offered ends as held. Time is the moment the facts were recorded. Nothing here reads or writes
outside this process, but for the sources when they are asked for.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from swarm.errors import ModelUnavailableError, SwarmError
from swarm.knowledge import Shelf
from swarm.models import (
    Fence,
    WorkOrder,
    WorkOrderState,
    canonical_sha256,
)
from swarm.settings import QueueSettings
from swarm.shadow.models import Decision, Replayed
from swarm.shadow.replay.answers import RecordedAnswers, ReplayStore, WouldCostError
from swarm.shadow.replay.as_of import Sources
from swarm.shadow.replay.before import Unknown
from swarm.shadow.replay.inputs import Given
from swarm.specialists.protocol import Specialist
from swarm.stages.engine import engine_of
from swarm.stages.house import HouseSettings
from swarm.stages.pipeline import ChainResult, run_chain
from swarm.stages.recorded import Recorded
from swarm.stages.services import Services
from swarm.store.memory_queue import MemoryQueue

_RUN = "replay"
_DECISIONS = {
    WorkOrderState.HELD: Decision.DRAFT,
    WorkOrderState.ESCALATED: Decision.ESCALATED,
    WorkOrderState.DECLINED: Decision.DECLINED,
}


@dataclass(frozen=True, slots=True)
class Again:
    """What a replay needs once a process. ``sources`` None: nobody outside is asked."""

    house: HouseSettings
    answers: RecordedAnswers
    specialist: Specialist
    shelf: Shelf
    sources: Sources | None = None

    @property
    def engine(self) -> str:
        """The engine that replays here."""
        return engine_of(self._services(ReplayStore(self.answers))).version

    def replayed(self, given: Given, engine: str) -> tuple[Replayed, Recorded | None]:
        """Return what the new path makes of a work order, and what the sources said if asked.

        Raises nothing that a mail could cause, and ``DatabaseError`` when our tables are away.
        """
        started = time.monotonic()
        blank = Replayed(
            work_order_key=given.order.key,
            engine=engine,
            decision=Decision.FAILED,
            input_sha256=_inputs(given.order, given.facts),
        )
        if isinstance(given.facts, Unknown) and self.sources is None:
            why = {"decision": Decision.NOT_REPLAYABLE, "detail": given.facts.why}
            return blank.model_copy(update=why), None
        try:
            result = self._driven(given)
        except (WouldCostError, ModelUnavailableError) as error:
            why = {"decision": Decision.NOT_REPLAYABLE, "detail": error.message}
            return blank.model_copy(update=why), None
        except SwarmError as error:
            return blank.model_copy(update={"detail": error.message}), None
        # A bug of ours or a library's on this one mail: its name alone, a message may quote mail.
        except Exception as error:  # noqa: BLE001
            return blank.model_copy(update={"detail": f"a fault: {type(error).__name__}"}), None
        spent = round((time.monotonic() - started) * 1000)
        found = Recorded(thread=result.thread, crm=result.crm)
        told = _told(blank, result, spent, self.answers.model_cost(given.order.key))
        if not isinstance(given.facts, Unknown):
            return told, None
        return told.model_copy(update={"input_sha256": _inputs(given.order, found)}), found

    def _driven(self, given: Given) -> ChainResult:
        order, facts = given.order, given.facts
        store = ReplayStore(self.answers)
        store.accept(order)
        services = self._services(store)
        if isinstance(facts, Recorded):
            services = replace(services, recorded=facts, clock=_standing(facts.thread.taken_at))
        elif self.sources is not None:
            outlook, monday = self.sources.as_of(order)
            clock = _standing(order.received_at)
            services = replace(services, outlook=outlook, monday=monday, clock=clock)
        return run_chain(order, services, _held(store, order))

    def _services(self, store: ReplayStore) -> Services:
        return self.house.services(store, self.specialist, shelf=self.shelf)


def _standing(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def _held(store: ReplayStore, order: WorkOrder) -> Fence:
    queue = MemoryQueue(store, QueueSettings.model_construct())
    queue.enqueue(order.key)
    (request,) = queue.request_due(1)
    return queue.open(order.key, _RUN, request.attempt)


def _told(blank: Replayed, result: ChainResult, spent: int, cost: float) -> Replayed:
    context, draft = result.context, result.draft
    named = {c for reason in result.policy.reasons for c in reason.classes}
    return blank.model_copy(
        update={
            "decision": _DECISIONS[result.publication.state],
            "tier": result.tier.tier,
            "classes": tuple(sorted({*result.tier.classes, *named})),
            "reasons": result.policy.reasons,
            "draft": draft if draft.offered else None,
            "language": result.received.language,
            "thread": context.thread,
            "contact": context.contact,
            "duration_ms": spent,
            "cost": cost,
            "evidence": context.evidence,
        }
    )


def _inputs(order: WorkOrder, facts: Recorded | Unknown) -> str:
    recorded = facts.model_dump(mode="json") if isinstance(facts, Recorded) else None
    return canonical_sha256({"order": order.model_dump(mode="json"), "facts": recorded})
