"""The preflight: the one last look before a publication leaves, at the mailbox as it is now.

Whoever publishes for the swarm asks exactly this (``wiring.swarm_publisher``). It compares the row
with the evidence its draft was judged on, and asks the rules of ``swarm.safety.preflight_rules``
about one fresh look at the conversation; outside any transaction, because it needs HTTP.

Of a rule that a person took on with a release (ES-20 alone can be both) it says nothing.

What lives elsewhere: confirming an earlier draft that the dispatcher found, what a reason does to
the row (``dispatcher``), and what today's sender asks instead (nothing: the ledger must not change
what it publishes).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from swarm.clients.lenient import whole
from swarm.clients.protocol import Outlook
from swarm.clock import utc_now
from swarm.errors import MalformedInputError
from swarm.knowledge import NO_SHELF, Shelf
from swarm.models import (
    Context,
    Draft,
    EvidenceKind,
    Noun,
    Reason,
    Received,
    Stage,
    Thread,
    ThreadMessage,
    in_conversation_order,
)
from swarm.publishing.ledger.claim import ClaimCandidate
from swarm.publishing.ledger.payload import draft_sha256
from swarm.safety.preflight_rules import PreflightFacts, preflight_reasons
from swarm.store.artifacts import noun_of
from swarm.store.protocol import RunStore

Stored = TypeVar("Stored", bound=Noun)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the draft was judged on, as its run stored it."""

    received: Received
    thread: Thread
    context: Context
    draft: Draft | None = None


class Preflight:
    """``deps.LastLook`` on the stored evidence and the real mailbox."""

    def __init__(
        self,
        store: RunStore,
        outlook: Outlook,
        *,
        link_allow_list: tuple[str, ...],
        auto_send: bool,
        approved_recipients: tuple[str, ...] = (),
        knowledge: Shelf = NO_SHELF,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._knowledge, self._clock = knowledge, clock
        self._store, self._outlook = store, outlook
        self._link_allow_list, self._auto_send = link_allow_list, auto_send
        self._approved_recipients = approved_recipients

    def __call__(self, candidate: ClaimCandidate) -> tuple[Reason, ...]:
        """Return why the publication may not leave; empty means it may.

        Raises ``TransientError`` when the mailbox cannot be read: the publication waits.
        """
        try:
            judged = self._judged(candidate.work_order_key)
        except MalformedInputError as error:
            detail = f"what the draft was judged on cannot be read: {error.message}"
            return (Reason(rule="ES-05", detail=detail),)
        if judged.context.digest() != candidate.evidence_sha256:
            # A later run has gathered anew: what this draft says was judged on something else.
            return (Reason(rule="ES-15", detail="the draft was judged on other evidence"),)
        reasons = preflight_reasons(self.facts(candidate, judged))
        release = self._store.release(candidate.work_order_key)
        return tuple(r for r in reasons if release is None or r.rule not in release.waived)

    def facts(self, candidate: ClaimCandidate, judged: Judged) -> PreflightFacts:
        """Set the publication beside its evidence and the conversation as it is now."""
        payload, order, context = candidate.payload, judged.received.work_order, judged.context
        now = self._conversation(order.ref.conversation_id)
        return PreflightFacts(
            work_order_key=candidate.work_order_key,
            auto_send=self._auto_send,
            approved_draft_sha256=candidate.draft_sha256,
            draft_sha256=draft_sha256(payload),
            to=_addresses(payload.to),
            cc=_addresses(payload.cc),
            participants=context.participants,
            approved_recipients=self._approved_recipients,
            subject=payload.subject,
            body_text=payload.body_text,
            body_html=payload.body_html,
            in_reply_to=payload.internet_message_id or None,
            inbound_internet_message_id=order.ref.internet_message_id,
            conversation_id=payload.conversation_id or None,
            inbound_conversation_id=order.ref.conversation_id,
            head_at_snapshot=context.head_message_id,
            head_now=now[-1].message_id if now else None,
            replied_by_us_since=replied_since(now, judged) if now else None,
            own_material=_own_material(judged),
            link_allow_list=self._link_allow_list,
            drafts_found=self._drafts_by_now(candidate),
            answers_withdrawn=self._withdrawn(candidate, judged),
        )

    def _withdrawn(self, candidate: ClaimCandidate, judged: Judged) -> int:
        """Count the approved answers the draft cites that are no longer in force, word for word.

        Of a draft that is not the one to leave, whatever it was judged beside counts as cited.
        """
        draft = judged.draft
        this_one = draft is not None and draft.content_sha256 == candidate.draft_sha256
        cited = {claim.evidence_id for claim in draft.claims} if draft and this_one else None
        library, now = self._knowledge.read(), self._clock()
        return sum(
            not library.in_force(each.source, each.text, now)
            for each in judged.context.evidence
            if each.kind is EvidenceKind.POLICY and (cited is None or each.id in cited)
        )

    def _conversation(self, conversation_id: str | None) -> Sequence[ThreadMessage]:
        if not conversation_id:
            return ()
        now = self._outlook.conversation(conversation_id)
        # A message nobody can read may be a colleague's answer: it cannot be told now.
        return in_conversation_order(whole(now, "the last look at the conversation"))

    def _drafts_by_now(self, candidate: ClaimCandidate) -> int:
        """Search as the dispatcher did a moment ago: reading the conversation took its time."""
        found = self._outlook.find_dispatched(
            key=candidate.work_order_key,
            conversation_id=candidate.payload.conversation_id or None,
            marker=candidate.payload.draft_marker,
            since=candidate.created_at,
        )
        return len(found)

    def _judged(self, key: str) -> Judged:
        return Judged(
            received=self._stored(key, Stage.RECEIVED, Received),
            thread=self._stored(key, Stage.THREAD, Thread),
            context=self._stored(key, Stage.CONTEXT, Context),
            draft=self._draft(key),
        )

    def _draft(self, key: str) -> Draft | None:
        artifact = self._store.artifact(key, Stage.DRAFT)
        return None if artifact is None else noun_of(artifact, Draft)

    def _stored(self, key: str, stage: Stage, kind: type[Stored]) -> Stored:
        artifact = self._store.artifact(key, stage)
        if artifact is None:
            raise MalformedInputError(f"the stage {stage} has no stored output", work_order=key)
        return noun_of(artifact, kind)


def replied_since(now: Sequence[ThreadMessage], judged: Judged) -> bool:
    """Whether one of us has written since: by message id, and by time, where a tie counts as after.

    Graph's times end at the second, so a reply within the second of the mail has its very time.
    """
    known = {message.message_id for message in judged.thread.messages}
    order = judged.received.work_order
    received_at = order.received_at.replace(microsecond=0)
    return any(
        message.from_us
        and message.message_id != order.ref.message_id  # our web form wrote it for the customer
        and (message.message_id not in known or message.sent_at >= received_at)
        for message in now
    )


def _addresses(joined: str) -> tuple[str, ...]:
    return tuple(part for part in joined.split(",") if part)


def _own_material(judged: Judged) -> tuple[str, ...]:
    """Return everything this customer may be told: what ES-09 compared the draft with."""
    received, context = judged.received, judged.context
    order = received.work_order
    people = (order.sender, *order.reply_to, *order.to, *order.cc)
    return (
        received.text,
        received.quoted,
        order.subject,
        order.ref.mailbox,
        context.customer,
        *(person.address for person in people),
        *(f"{evidence.text} {evidence.title}" for evidence in context.evidence),
    )
