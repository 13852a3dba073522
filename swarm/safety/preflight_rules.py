"""The rules asked at the last moment before the outside world, about the world as it is now.

``PreflightFacts`` is what the publisher must have looked up; None means "could not be told", and
that is a reason too. Who looks it up: ``swarm.publishing.dispatch.preflight``; who may claim
(ES-16, ES-18) and that a work order has one row for ever (ES-19) are the ledger's transactions and
keys. Two promises hold by absence and have no rule here: the payload has no field for a hidden
recipient (ES-10), and no client deletes a message or changes more of one than the mark of its work
order, so nothing a person edited is ever written over (ES-21).
"""

from collections.abc import Iterator

from swarm.models import Noun, Reason
from swarm.safety.identifiers import foreign_identifiers
from swarm.safety.links import link_findings
from swarm.safety.visible import same_words, without_reference


class PreflightFacts(Noun):
    """A publication as it is about to leave, and the mailbox as it is now. Addresses any case."""

    work_order_key: str
    auto_send: bool | None
    approved_draft_sha256: str
    draft_sha256: str
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    participants: tuple[str, ...]
    approved_recipients: tuple[str, ...] = ()
    subject: str
    body_text: str
    body_html: str
    in_reply_to: str | None
    inbound_internet_message_id: str | None
    conversation_id: str | None
    inbound_conversation_id: str | None
    head_at_snapshot: str | None
    head_now: str | None
    replied_by_us_since: bool | None
    own_material: tuple[str, ...] | None
    link_allow_list: tuple[str, ...] = ()
    drafts_found: int | None
    answers_withdrawn: int | None


def preflight_reasons(facts: PreflightFacts) -> tuple[Reason, ...]:
    """Say why this publication may not leave now, under each rule's id; empty: it may."""
    found = {
        "ES-06": _never_sends(facts),
        "ES-08": _withdrawn(facts),
        "ES-09": _foreign(facts),
        "ES-10": recipient_problems(facts),
        "ES-11": _links(facts),
        "ES-17": _bytes(facts),
        "ES-19": _one_draft(facts),
        "ES-20": staleness(facts),
    }
    return tuple(Reason(rule=rule, detail=why) for rule, whys in found.items() for why in whys)


def _never_sends(facts: PreflightFacts) -> Iterator[str]:
    if facts.auto_send is not False:
        yield "AUTO_SEND_ENABLED is not known to be false"


def _withdrawn(facts: PreflightFacts) -> Iterator[str]:
    if facts.answers_withdrawn is None:
        yield "whether the approved answers it cites still hold could not be told"
    elif facts.answers_withdrawn:
        yield f"{facts.answers_withdrawn} approved answers it cites expired or changed since"


def _foreign(facts: PreflightFacts) -> Iterator[str]:
    if facts.own_material is None:
        yield "the customer's own material is not known"
        return
    said = f"{facts.subject}\n{without_reference(facts.body_text, facts.work_order_key)}"
    own = (*facts.own_material, *facts.participants, *facts.to, *facts.cc)
    foreign = foreign_identifiers(said, own)
    if foreign:
        yield f"{len(foreign)} identifiers are unknown to this customer's material"


def recipient_problems(facts: PreflightFacts) -> Iterator[str]:
    """ES-10: recipients took part, and it answers the inbound in its thread."""
    known = {a.lower() for a in (*facts.participants, *facts.approved_recipients)}
    outside = {a.lower() for a in (*facts.to, *facts.cc)} - known
    if outside or not facts.to:
        yield f"{len(outside)} of {len(facts.to) + len(facts.cc)} recipients took no part"
    if not facts.in_reply_to or facts.in_reply_to != facts.inbound_internet_message_id:
        yield "it does not answer the inbound message"
    if not facts.conversation_id or facts.conversation_id != facts.inbound_conversation_id:
        yield "it is not in the inbound's conversation"


def _links(facts: PreflightFacts) -> Iterator[str]:
    texts = (facts.subject, facts.body_text, facts.body_html)
    yield from dict.fromkeys(
        what for text in texts for what in link_findings(text, facts.link_allow_list)
    )


def _bytes(facts: PreflightFacts) -> Iterator[str]:
    if facts.draft_sha256 != facts.approved_draft_sha256:
        yield "the bytes are not the approved ones"
    if facts.body_html and not same_words(facts.body_html, facts.body_text):
        yield "HTML and plain text do not say the same"


def _one_draft(facts: PreflightFacts) -> Iterator[str]:
    if facts.drafts_found is None:
        yield "whether a draft exists already could not be told"
    elif facts.drafts_found:
        yield f"{facts.drafts_found} drafts for this work order exist already"


def staleness(facts: PreflightFacts) -> Iterator[str]:
    """ES-20: the conversation is where the snapshot left it, and nobody of us has replied."""
    if facts.head_now is None or facts.head_at_snapshot is None:
        yield "whether the conversation went on could not be told"
    elif facts.head_now != facts.head_at_snapshot:
        yield "the conversation went on since the context was taken"
    if facts.replied_by_us_since is not False:
        yield "a human has replied since, or it could not be told"
