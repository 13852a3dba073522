"""What stages and specialists ask of a store. Two implementations stand behind one contract suite:
``postgres.PostgresStore`` (production) and ``memory.MemoryStore`` (``swarm run-once``, unit tests).

The queue has its own protocol in ``queue``; intake and publication ledger are Postgres only,
because their promises are promises about transactions.
"""

from collections.abc import Sequence
from typing import Protocol

from pydantic import Field, JsonValue

from swarm.models import (
    Contact,
    Event,
    Fence,
    ModelCall,
    Noun,
    PolicyDecision,
    Reason,
    Stage,
    StageArtifact,
    StoredEvent,
    Tier,
    Verdict,
    WorkOrder,
    WorkOrderState,
)
from swarm.store.releases import Release


class ModelEndpoint(Noun):
    """What is known of a model behind an endpoint: what it can do, and whether it answers."""

    name: str = Field(description="Provider, model and host; never a key")
    abilities: JsonValue = Field(default=None, description="None: not found yet")
    troubles: int = Field(default=0, description="Calls in a row that gave no answer")
    trouble: str = Field(default="", description="The last of them, in words")
    broken: bool = Field(default=False, description="No hiccup: an alert stands")


class ModelLedger(Protocol):
    """What is kept of a chat model: paid answers, abilities, troubles, and who waits for it."""

    def model_call(self, key: str, purpose: str, request_sha256: str) -> ModelCall | None:
        """Return a finished model call so that it is not paid again."""
        ...

    def record_model_call(self, call: ModelCall) -> ModelCall:
        """Store a finished model call; the first answer stays."""
        ...

    def model_cost(self, key: str) -> float:
        """Return what the work order's model calls cost so far (ES-25)."""
        ...

    def model_endpoint(self, name: str) -> ModelEndpoint:
        """Return what is known of the model behind an endpoint."""
        ...

    def remember_abilities(self, name: str, abilities: JsonValue) -> None:
        """Keep what the model was found to be able to do, for every later process."""
        ...

    def model_failed(self, name: str, trouble: str, *, for_good: bool) -> None:
        """Count a call without an answer; ``for_good``: a person must mend something."""
        ...

    def model_answered(self, name: str) -> None:
        """Note that the model answers; an alert about it is over."""
        ...

    def waited(self, key: str) -> float:
        """Return for how many seconds the work order has been waiting for the model; 0: never."""
        ...


class RunStore(ModelLedger, Protocol):
    """Work orders, artifacts, verdicts, model calls and the event chain."""

    def work_order(self, key: str) -> WorkOrder:
        """Return the accepted work order; raises ``MalformedInputError`` for an unknown key."""
        ...

    def state(self, key: str) -> WorkOrderState:
        """Return where the work order is now."""
        ...

    def contacts(self, key: str) -> Sequence[Contact]:
        """Return his earlier mails and the thread's, and the later ones that may have drafts."""
        ...

    def rejected_drafts(self, key: str) -> int:
        """Return how many drafts people threw away or rewrote in this conversation, and in the
        same customer's mails of the thread (ES-04).
        """
        ...

    def write_stage(
        self, fence: Fence, stage: Stage, artifact: Noun, event: Event
    ) -> StageArtifact:
        """Store a stage output and its event in one transaction, extending the lease.

        Writing the same bytes twice under one fence is a no-op. Raises ``FencedOutError`` when a
        newer run holds the work order.
        """
        ...

    def release(self, key: str) -> Release | None:
        """Return the release in force: the rules that a person took on; None when there is none."""
        ...

    def artifact(self, key: str, stage: Stage) -> StageArtifact | None:
        """Return the newest stored output of a stage, hash verified; None when there is none."""
        ...

    def append_event(self, key: str, event: Event, fence: Fence | None = None) -> StoredEvent:
        """Append to the chain; with a fence, only while it is current (``FencedOutError``)."""
        ...

    def events(self, key: str) -> Sequence[StoredEvent]:
        """Return the chain, oldest first."""
        ...

    def record_verdicts(self, key: str, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
        """Store verdicts; one that exists already is returned as stored (first writer wins)."""
        ...

    def verdicts(self, draft_sha256: str, evidence_sha256: str) -> tuple[Verdict, ...]:
        """Return every ruling about these exact bytes and this evidence."""
        ...

    def raise_tier(self, fence: Fence, tier: Tier) -> Tier:
        """Raise the tier floor of the work order; returns the floor in force, never lower."""
        ...

    def escalate(self, fence: Fence, reasons: Sequence[Reason]) -> bool:
        """Close as escalated with owner and timers (ES-22). False: it was final already."""
        ...

    def decline(self, fence: Fence, reasons: Sequence[Reason]) -> bool:
        """Close as declined, with an owner and a time of its own. False: it was final already."""
        ...

    def close(self, fence: Fence, state: WorkOrderState, reason: str) -> bool:
        """Move to ``publishing`` or a final state, settle the job and the run, append the event.

        False when the work order was final already ("not me"). Raises ``FencedOutError``.
        """
        ...


class Publisher(Protocol):
    """What the stage ``publish`` asks of the publication ledger."""

    def hand_over(self, fence: Fence, decision: PolicyDecision) -> WorkOrderState:
        """Store payload and ledger row if every required PASS is stored, and try to dispatch."""
        ...
