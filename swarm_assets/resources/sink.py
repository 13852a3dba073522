"""Looks up, right before a publication leaves, what the sink rules ask (ES-06, 09, 10, 11, 17, 20).

Plain Python, no Dagster. What lives elsewhere: the rules (``swarm.safety.sink``), the search for an
earlier draft, which the dispatcher has just done (ES-19, ES-21), and what a reason does to the row.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from swarm.clients.protocol import Outlook
from swarm.errors import RefusedError
from swarm.models import Context, Reason, Received, Stage, Thread, ThreadMessage
from swarm.publishing.claim import ClaimCandidate
from swarm.publishing.payload import draft_sha256
from swarm.safety.sink import SinkFacts, sink_reasons
from swarm.store.protocol import RunStore
from swarm_assets.resources.desk import Model, stored_noun


@dataclass(frozen=True, slots=True)
class Sink:
    """``swarm.publishing.claim.Recheck`` over the store and the mailbox as they are now."""

    store: RunStore
    outlook: Outlook
    link_allow_list: tuple[str, ...]
    auto_send: bool

    def __call__(self, candidate: ClaimCandidate) -> tuple[Reason, ...]:
        """Return why the publication may not leave; empty means it may.

        Raises ``TransientError`` when the mailbox cannot be read: the publication waits.
        """
        key = candidate.work_order_key
        try:
            context = self._stored(key, Stage.CONTEXT, Context)
            received = self._stored(key, Stage.RECEIVED, Received)
            snapshot = self._stored(key, Stage.THREAD, Thread)
        except RefusedError as error:
            return (Reason(rule="ES-05", detail=error.message),)
        return sink_reasons(self._facts(candidate, context, received, snapshot))

    def _stored(self, key: str, stage: Stage, kind: type[Model]) -> Model:
        artifact = self.store.artifact(key, stage)
        if artifact is None:
            raise RefusedError(f"the stage {stage} left nothing to compare with", work_order=key)
        return stored_noun(artifact, kind)

    def _facts(
        self, candidate: ClaimCandidate, context: Context, received: Received, snapshot: Thread
    ) -> SinkFacts:
        payload, inbound = candidate.payload, received.work_order.ref
        conversation = inbound.conversation_id
        now = _without_drafts(self.outlook.conversation(conversation)) if conversation else []
        return SinkFacts(
            work_order_key=candidate.work_order_key,
            auto_send=self.auto_send,
            approved_draft_sha256=candidate.draft_sha256,
            draft_sha256=draft_sha256(payload),
            to=_addresses(payload.to),
            cc=_addresses(payload.cc),
            participants=context.participants,
            subject=payload.subject,
            body_text=payload.body_text,
            body_html=payload.body_html,
            in_reply_to=payload.internet_message_id or None,
            inbound_internet_message_id=inbound.internet_message_id,
            conversation_id=payload.conversation_id or None,
            inbound_conversation_id=conversation,
            head_at_snapshot=context.head_message_id,
            head_now=now[-1].message_id if now else None,
            replied_by_us_since=_replied(now, snapshot) if now else None,
            own_material=_own_material(context, received),
            link_allow_list=self.link_allow_list,
            drafts_found=0,  # the dispatcher asks only after it has looked and found none
        )


def _addresses(joined: str) -> tuple[str, ...]:
    return tuple(part for part in joined.split(",") if part)


def _without_drafts(messages: Sequence[ThreadMessage]) -> list[ThreadMessage]:
    return sorted((m for m in messages if not m.is_draft), key=lambda m: m.sent_at)


def _replied(now: Sequence[ThreadMessage], snapshot: Thread) -> bool:
    known = {message.message_id for message in snapshot.messages}
    return any(message.from_us and message.message_id not in known for message in now)


def _own_material(context: Context, received: Received) -> tuple[str, ...]:
    """Return everything this customer may be told: what ES-09 compared the draft with."""
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
