"""``MemoryStore``: the store of ``swarm run-once`` and of unit tests, behind one contract suite.

It keeps the same promises by one lock instead of row locks, and asks the same pure decisions
(``transitions``, ``event_chain``, ``escalation_policy``). Nothing survives the process.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from swarm.clock import utc_now
from swarm.errors import MalformedInputError
from swarm.models import (
    Contact,
    EscalationClass,
    Event,
    Fence,
    ModelCall,
    Noun,
    Reason,
    Stage,
    StageArtifact,
    StoredEvent,
    Tier,
    Verdict,
    WorkOrder,
    WorkOrderState,
    canonical_sha256,
)
from swarm.store.artifacts import verified
from swarm.store.contacts import MAYBE_DRAFTED, MOST, answered_address, references_of
from swarm.store.escalation_policy import DESKED, EscalationPolicy, rules_of
from swarm.store.event_chain import GENESIS, link
from swarm.store.events import moved, stage_event, tier_raised, verdicts_recorded
from swarm.store.memory_models import MemoryModelLedger
from swarm.store.queue import Job
from swarm.store.releases import Release
from swarm.store.reply_outcomes import REJECTED
from swarm.store.transitions import require_hold, run_may_move, settled, written

VerdictName = tuple[str, str, str, str]


class Escalation(Noun):
    """What waits for a person, as its owner sees it: an escalation, or what was declined."""

    classes: tuple[EscalationClass, ...]
    reasons: tuple[Reason, ...]
    owner: str
    received_at: datetime
    acknowledge_by: datetime


@dataclass(slots=True)
class Record:
    """Everything kept about one work order: one row of each table."""

    order: WorkOrder
    state: WorkOrderState = WorkOrderState.ACCEPTED
    reason: str = ""
    tier: Tier = Tier.ROUTINE
    job: Job | None = None
    events: list[StoredEvent] = field(default_factory=list)
    artifacts: dict[Stage, dict[int, StageArtifact]] = field(default_factory=dict)
    escalation: Escalation | None = None
    act: str = ""
    """What a person did with its draft; '' while nobody knows."""


class MemoryStore(MemoryModelLedger):
    """``RunStore`` in this process's memory; thread-safe. Share it with a ``MemoryQueue``."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = utc_now,
        policy: EscalationPolicy | None = None,
    ) -> None:
        super().__init__()
        self.clock = clock
        self.run_ids: set[str] = set()
        self._policy = policy or EscalationPolicy()
        self._records: dict[str, Record] = {}
        self._verdicts: dict[VerdictName, Verdict] = {}

    def accept(self, order: WorkOrder) -> bool:
        """Take a work order in, as intake does in production; False when it is known."""
        with self.lock:
            if order.key in self._records:
                return False
            self._records[order.key] = Record(order)
            return True

    def record(self, key: str) -> Record:
        """Return all that is kept about a work order; ``MalformedInputError`` when unknown."""
        try:
            return self._records[key]
        except KeyError as error:
            raise MalformedInputError("no such work order", work_order=key) from error

    def records(self) -> Sequence[Record]:
        """Return all records in the order they were accepted."""
        return list(self._records.values())

    def work_order(self, key: str) -> WorkOrder:
        """Return the accepted work order; raises ``MalformedInputError`` for an unknown key."""
        return self.record(key).order

    def state(self, key: str) -> WorkOrderState:
        """Return where the work order is now."""
        return self.record(key).state

    def escalation(self, key: str) -> Escalation | None:
        """Return the escalation of a work order, if there is one."""
        return self.record(key).escalation

    def contacts(self, key: str) -> Sequence[Contact]:
        """Return his earlier mails and the thread's, and the later ones that may have drafts."""
        if key not in self._records:
            return ()
        order = self.record(key).order
        when = {
            each: (self._records[each].order.received_at, n) for n, each in enumerate(self._records)
        }
        found = [
            _contact(record, later=when[each] > when[key])
            for each, record in self._records.items()
            if each != key and _related(record.order, order)
        ]
        found.sort(key=lambda contact: when[contact.key], reverse=True)
        earlier = [contact for contact in found if not contact.later][:MOST]
        later = [contact for contact in found if contact.later and contact.state in MAYBE_DRAFTED]
        return (*later[:MOST], *earlier)

    def rejected_drafts(self, key: str) -> int:
        """Return how many drafts people rejected in this conversation and thread (ES-04)."""
        mine = self.record(key).order if key in self._records else None
        rejected = [each.order for each in self._records.values() if each.act in REJECTED]
        return sum(mine is not None and _one_thread(order, mine) for order in rejected)

    def write_stage(
        self, fence: Fence, stage: Stage, artifact: Noun, event: Event
    ) -> StageArtifact:
        """Store output and event; see the protocol."""
        with self.lock:
            record = self._fenced(fence)
            record.job = written(record.job, stage, self.clock()) if record.job else None
            versions = record.artifacts.setdefault(stage, {})
            present = versions.get(fence.token)
            body = artifact.model_dump(mode="json")
            sha256 = canonical_sha256(body)
            if present and present.sha256 == sha256:
                return present
            stored = StageArtifact(
                work_order_key=fence.work_order_key,
                stage=stage,
                attempt=fence.attempt,
                run_id=fence.run_id,
                body=body,
                sha256=sha256,
                at=self.clock(),
            )
            versions[fence.token] = stored
            self.append(record, stage_event(event, stage, sha256), fence)
            return stored

    def release(self, key: str) -> Release | None:
        """Return None: what lives in memory ends with its program, and nobody releases it."""
        return None

    def artifact(self, key: str, stage: Stage) -> StageArtifact | None:
        """Return the newest stored output of a stage, hash verified; None when there is none."""
        with self.lock:
            known = self._records.get(key)
            versions = known.artifacts.get(stage) if known else None
            return verified(versions[max(versions)]) if versions else None

    def append_event(self, key: str, event: Event, fence: Fence | None = None) -> StoredEvent:
        """Append to the chain; with a fence, only while it is current (``FencedOutError``)."""
        with self.lock:
            record = self._fenced(fence) if fence else self.record(key)
            return self.append(record, event, fence)

    def events(self, key: str) -> Sequence[StoredEvent]:
        """Return the chain, oldest first."""
        return tuple(self._records[key].events) if key in self._records else ()

    def record_verdicts(self, key: str, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
        """Store verdicts; one that exists already is returned as stored (first writer wins)."""
        with self.lock:
            record = self.record(key)
            new = [v for v in verdicts if v.name not in self._verdicts]
            self._verdicts = {**{v.name: v for v in reversed(new)}, **self._verdicts}
            if new:
                self.append(record, verdicts_recorded(new))
            return tuple(self._verdicts[verdict.name] for verdict in verdicts)

    def verdicts(self, draft_sha256: str, evidence_sha256: str) -> tuple[Verdict, ...]:
        """Return every ruling about these exact bytes and this evidence."""
        with self.lock:
            named = sorted(self._verdicts.items())
        return tuple(v for name, v in named if name[2:] == (draft_sha256, evidence_sha256))

    def raise_tier(self, fence: Fence, tier: Tier) -> Tier:
        """Raise the tier floor; returns the floor in force, never lower than before (ES-02)."""
        with self.lock:
            record = self._fenced(fence)
            if tier > record.tier:
                self.append(record, tier_raised(record.tier, tier), fence)
                record.tier = tier
            return record.tier

    def record_model_call(self, call: ModelCall) -> ModelCall:
        """Store a finished model call of a known work order; the first answer stays."""
        self.record(call.work_order_key)
        return super().record_model_call(call)

    def waited(self, key: str) -> float:
        """Return for how many seconds the work order has been waiting for the model."""
        job = self._records[key].job if key in self._records else None
        since = job.waiting_since if job else None
        return (self.clock() - since).total_seconds() if since else 0.0

    def escalate(self, fence: Fence, reasons: Sequence[Reason]) -> bool:
        """Close as escalated with owner and timers (ES-22). False: it was decided already."""
        return self._to_a_desk(fence, WorkOrderState.ESCALATED, reasons, rules_of(reasons))

    def decline(self, fence: Fence, reasons: Sequence[Reason]) -> bool:
        """Close as declined, with an owner and a time of its own. False: decided already."""
        return self._to_a_desk(fence, WorkOrderState.DECLINED, reasons, rules_of(reasons))

    def close(self, fence: Fence, state: WorkOrderState, reason: str) -> bool:
        """Move to ``publishing`` or a final state and settle the job; see the protocol."""
        if state in DESKED:
            return self._to_a_desk(fence, state, (), reason)
        with self.lock:
            record = self._fenced(fence)
            mine = run_may_move(record.state)
            if mine:
                self.move(record, state, reason, fence=fence)
            _settle(record)
            return mine or record.state is state is WorkOrderState.PUBLISHING

    def append(self, record: Record, event: Event, fence: Fence | None = None) -> StoredEvent:
        """Append to a record's chain; the caller holds the lock."""
        stored = link(
            event,
            key=record.order.key,
            previous_seq=len(record.events),
            previous_hash=record.events[-1].hash if record.events else GENESIS,
            run_id=fence.run_id if fence else "",
            attempt=fence.attempt if fence else 0,
            at=self.clock(),
        )
        record.events.append(stored)
        return stored

    def move(
        self,
        record: Record,
        state: WorkOrderState,
        reason: str,
        *,
        fence: Fence | None = None,
        actor: str = "run",
    ) -> None:
        """Move a record with its event; the caller holds the lock and has asked ``transitions``."""
        self.append(record, moved(record.state, state, reason, actor), fence)
        record.state, record.reason = state, reason

    def _to_a_desk(
        self, fence: Fence, state: WorkOrderState, reasons: Sequence[Reason], why: str
    ) -> bool:
        with self.lock:
            record = self._fenced(fence)
            mine = run_may_move(record.state)
            if mine:
                classes, owner, due = self._policy.desk(state, reasons)
                record.escalation = Escalation(
                    classes=classes,
                    reasons=tuple(reasons),
                    owner=owner,
                    received_at=record.order.received_at,
                    acknowledge_by=self.clock() + due,
                )
                self.move(record, state, why, fence=fence)
            _settle(record)
            return mine

    def _fenced(self, fence: Fence) -> Record:
        record = self.record(fence.work_order_key)
        require_hold(record.job, fence)
        return record


def _settle(record: Record) -> None:
    if record.job is not None:
        record.job = settled(record.job, record.state)


def _contact(record: Record, *, later: bool) -> Contact:
    order = record.order
    return Contact(
        key=order.key,
        state=record.state,
        conversation_id=order.ref.conversation_id,
        message_id=order.ref.message_id,
        received_at=order.received_at,
        later=later,
    )


def _one_thread(one: WorkOrder, other: WorkOrder) -> bool:
    """Whether two mails are one conversation, or the same customer's and name each other."""
    conversation = one.ref.conversation_id
    named = one.ref.internet_message_id in references_of(
        other
    ) or other.ref.internet_message_id in references_of(one)
    return one.ref.mailbox.lower() == other.ref.mailbox.lower() and (
        one.key == other.key
        or (conversation is not None and conversation == other.ref.conversation_id)
        or (named and answered_address(one) == answered_address(other))
    )


def _related(one: WorkOrder, other: WorkOrder) -> bool:
    """Whether two mails are of one customer, or one names the other as what it follows."""
    return one.ref.mailbox.lower() == other.ref.mailbox.lower() and (
        answered_address(one) == answered_address(other)
        or one.ref.internet_message_id in references_of(other)
        or other.ref.internet_message_id in references_of(one)
    )
