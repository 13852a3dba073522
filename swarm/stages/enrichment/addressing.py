"""To whom an answer goes and under which subject: decided by code from the mail's own headers.

No specialist is asked (ES-10): a text that says "answer to someone else" changes nothing here.
"""

import re

from swarm.models import Address, Context, Received, Thread, WorkOrder
from swarm.ourselves import Ourselves
from swarm.patterns import linear
from swarm.safety.copies import asks_to_keep_copies
from swarm.stages.enrichment.labels import plain_label

# Reply prefixes of the mail programs our customers use; with and without a counter ("RE[2]:").
_REPLY_PREFIX = linear(
    r"\s{0,40}(?:re|aw|antw|antwort|antwoord|rép|rep|réf|ref|rif|r|sv|vs|odp|res|betr)\s{0,40}(?:\[\d{1,9}\])?\s{0,40}:\s{0,40}",
    re.IGNORECASE,
)
_SUBJECT_LIMIT = 250  # Outlook shows 255
_LONGEST_SUBJECT = 1_000_000  # characters, with all its prefixes
_MOST_COPIES = 10


def answer_to(order: WorkOrder) -> Address:
    """Return who is answered: the first Reply-To, else the sender, as Outlook's own reply does."""
    return order.reply_to[0] if order.reply_to else order.sender


def participants(order: WorkOrder, thread: Thread, ours: Ourselves) -> tuple[str, ...]:
    """Return every lower-cased address seen in the mail and its conversation that can be answered.

    Ours cannot, nor what nobody reads: what is not in here gets no draft (ES-10).
    """
    seen = {a.address for a in (order.sender, *order.reply_to, *order.to, *order.cc)}
    for message in thread.messages:
        seen.update(a.address for a in (message.sender, *message.recipients))
    people = {address.lower() for address in seen} - {""}
    return tuple(sorted(a for a in people if not (ours.wrote(a) or ours.never_reads(a))))


def recipients(order: WorkOrder, context: Context) -> tuple[Address, ...]:
    """Return the recipients of the reply: one address, and only if the context knows it (ES-10)."""
    target = answer_to(order)
    return (target,) if target.address.lower() in context.participants else ()


def copied(received: Received, context: Context) -> tuple[Address, ...]:
    """Return who stays in copy when the mail asks to keep its copies: all of them, or nobody.

    The draft is a reply to all then, so this is everybody the mail went to beside its writer and
    us. Only who took part already, never whom a text merely names; who reads nothing, or more than
    a few, make it a reply to one.
    """
    order = received.work_order
    ours, target = Ourselves(mailbox=order.ref.mailbox), answer_to(order).address.lower()
    others = {a.address.lower(): a for a in (*order.to, *order.cc)}
    others = {name: a for name, a in others.items() if name != target and not ours.wrote(name)}
    kept = tuple(a for name, a in others.items() if name in context.participants)
    fits = all(a.plain for a in kept) and not any(ours.never_reads(name) for name in others)
    if not fits or len(kept) > _MOST_COPIES:
        return ()
    return kept if asks_to_keep_copies(received.text, others.keys()) else ()


def reply_subject(subject: str) -> str:
    """Return the subject with exactly one ``Re:``, whatever language the older prefixes are in."""
    bare = plain_label(subject, _LONGEST_SUBJECT)
    start = 0  # by position: cutting each of 100,000 prefixes off would copy the rest each time
    while found := _REPLY_PREFIX.match(bare, start):
        start = found.end()
    return f"Re: {bare[start:]}".strip()[:_SUBJECT_LIMIT]
