"""What the sink rules must know: a publication about to leave, and the mailbox as it is now.

Gathers ``swarm.safety.SinkFacts`` from what the run stored and from one fresh look at the
conversation, outside any transaction. What lives elsewhere: the rules (``swarm.safety.sink``), and
what today's sender asks instead (nothing: the join must not change what it publishes).
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError

from swarm.clients.protocol import Outlook
from swarm.errors import MalformedInputError
from swarm.models import Context, Noun, Reason, Received, Stage, ThreadMessage, WorkOrder
from swarm.publishing.claim import ClaimCandidate
from swarm.publishing.payload import draft_sha256
from swarm.safety.sink import SinkFacts, sink_reasons
from swarm.store.protocol import RunStore


class Evidence(Noun):
    """What the draft was judged against, as its run stored it."""

    work_order: WorkOrder
    received: Received
    context: Context


class SinkCheck:
    """``claim.Recheck`` on the stored evidence and the real mailbox."""

    def __init__(
        self,
        store: RunStore,
        outlook: Outlook,
        *,
        link_allow_list: tuple[str, ...],
        auto_send: bool,
    ) -> None:
        self._store, self._outlook = store, outlook
        self._link_allow_list, self._auto_send = link_allow_list, auto_send

    def __call__(self, candidate: ClaimCandidate) -> tuple[Reason, ...]:
        """Return why the publication may not leave now; raises ``TransientError``."""
        try:
            evidence = self._evidence(candidate.work_order_key)
        except (MalformedInputError, ValidationError):
            return (Reason(rule="ES-05", detail="what the draft was judged on is unreadable"),)
        if evidence.context.digest() != candidate.evidence_sha256:
            return (Reason(rule="ES-15", detail="the draft was judged on other evidence"),)
        conversation_id = candidate.payload.conversation_id
        messages = self._outlook.conversation(conversation_id) if conversation_id else ()
        facts = sink_facts(
            candidate,
            evidence,
            messages,
            link_allow_list=self._link_allow_list,
            auto_send=self._auto_send,
        )
        return sink_reasons(facts)

    def _evidence(self, key: str) -> Evidence:
        received = self._store.artifact(key, Stage.RECEIVED)
        context = self._store.artifact(key, Stage.CONTEXT)
        if received is None or context is None:
            raise MalformedInputError("a stage has no stored output", work_order=key)
        return Evidence(
            work_order=self._store.work_order(key),
            received=Received.model_validate(received.body),
            context=Context.model_validate(context.body),
        )


def sink_facts(
    candidate: ClaimCandidate,
    evidence: Evidence,
    messages: Sequence[ThreadMessage],
    *,
    link_allow_list: tuple[str, ...],
    auto_send: bool,
) -> SinkFacts:
    """Set a publication beside its evidence and the conversation as it is now. Pure.

    ``drafts_found`` is 0: the dispatcher asks the sink only after the mailbox showed none.
    """
    payload, order, context = candidate.payload, evidence.work_order, evidence.context
    people = (order.sender, *order.reply_to, *order.to, *order.cc)
    return SinkFacts(
        work_order_key=candidate.work_order_key,
        auto_send=auto_send,
        approved_draft_sha256=candidate.draft_sha256,
        draft_sha256=draft_sha256(payload),
        to=_addresses(payload.to),
        cc=_addresses(payload.cc),
        participants=(*context.participants, *(person.address for person in people)),
        subject=payload.subject,
        body_text=payload.body_text,
        body_html=payload.body_html,
        in_reply_to=payload.internet_message_id,
        inbound_internet_message_id=order.ref.internet_message_id,
        conversation_id=payload.conversation_id,
        inbound_conversation_id=order.ref.conversation_id,
        head_at_snapshot=context.head_message_id,
        head_now=messages[-1].message_id if messages else None,
        replied_by_us_since=_replied_since(messages, order.received_at),
        own_material=_own_material(evidence),
        link_allow_list=link_allow_list,
        drafts_found=0,
    )


def _addresses(joined: str) -> tuple[str, ...]:
    return tuple(part for part in joined.split(",") if part)


def _replied_since(messages: Sequence[ThreadMessage], received_at: datetime) -> bool:
    return any(message.from_us and message.sent_at > received_at for message in messages)


def _own_material(evidence: Evidence) -> tuple[str, ...]:
    order, context = evidence.work_order, evidence.context
    said = (evidence.received.text, evidence.received.quoted, order.subject, order.ref.mailbox)
    known = (f"{piece.text} {piece.title}" for piece in context.evidence)
    return (*said, context.customer, *known)
