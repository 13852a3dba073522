"""To whom an answer goes and under which subject: decided by code from the mail's own headers.

No specialist is asked (ES-10): a text that says "answer to someone else" changes nothing here.
"""

import re

from swarm.models import Address, Context, Thread, WorkOrder
from swarm.patterns import linear

# Reply prefixes of the mail programs our customers use; with and without a counter ("RE[2]:").
_REPLY_PREFIX = linear(
    r"\s{0,40}(?:re|aw|antw|antwort|antwoord|rép|rep|réf|ref|rif|r|sv|vs|odp|res|betr)\s{0,40}(?:\[\d{1,9}\])?\s{0,40}:\s{0,40}",
    re.IGNORECASE,
)
_CONTROL = linear(r"[\x00-\x1f\x7f\u2028\u2029]+")
_SUBJECT_LIMIT = 250  # Outlook shows 255


def answer_to(order: WorkOrder) -> Address:
    """Return who is answered: the first Reply-To, else the sender, as Outlook's own reply does."""
    return order.reply_to[0] if order.reply_to else order.sender


def participants(order: WorkOrder, thread: Thread, mailbox: str) -> tuple[str, ...]:
    """Return every lower-cased address seen in the mail and its conversation, but our mailbox."""
    seen = {a.address for a in (order.sender, *order.reply_to, *order.to, *order.cc)}
    for message in thread.messages:
        seen.update(a.address for a in (message.sender, *message.recipients))
    return tuple(sorted({a.lower() for a in seen} - {mailbox.lower(), ""}))


def recipients(order: WorkOrder, context: Context) -> tuple[Address, ...]:
    """Return the recipients of the reply: one address, and only if the context knows it (ES-10)."""
    target = answer_to(order)
    return (target,) if target.address.lower() in context.participants else ()


def reply_subject(subject: str) -> str:
    """Return the subject with exactly one ``Re:``, whatever language the older prefixes are in."""
    bare = _CONTROL.sub(" ", subject).strip()
    start = 0  # by position: cutting each of 100,000 prefixes off would copy the rest each time
    while found := _REPLY_PREFIX.match(bare, start):
        start = found.end()
    return f"Re: {bare[start:]}".strip()[:_SUBJECT_LIMIT]
