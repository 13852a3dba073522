"""What a mail brings beside its text, and what follows when nobody could read it (ES-01).

A mail that leans on its attachment ("the number is on the attached confirmation") cannot be
answered without it: the class is unknown. One that merely brings a file nobody read is looked at
by a person. What an attachment *says* is judged like the mail itself; here is only what is missing.
"""

from collections.abc import Iterator
from functools import cache
from typing import Final

from swarm.models import Attachment, EscalationClass, Reason, Thread, WorkOrder
from swarm.safety.lexicon import load
from swarm.safety.matching import Matcher
from swarm.safety.words import words_of
from swarm.sorting.page import shows_picture

# Sources of evidence: what an attachment says, and what we wrote in the conversation.
ATTACHED: Final = "graph:attachment:text"
OURS: Final = "graph:message:ours"

_SIGNATURES = frozenset(
    {"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"}
)


def leans_on_attachment(text: str) -> bool:
    """Whether the text points to something attached; phrases are in ``enclosures.txt``."""
    return bool(_matcher().hits(words_of(text)))


def attachment_texts(thread: Thread | None) -> tuple[str, ...]:
    """Return what the attachments of the mail say, as far as they could be read."""
    return tuple(each.text for each in thread.attachments if each.text) if thread else ()


def unread_enclosures(order: WorkOrder, thread: Thread | None, text: str) -> tuple[Reason, ...]:
    """Say why the mail cannot be judged for want of what it brings; empty: nothing is wanted."""
    if not leans_on_attachment(f"{order.subject}\n\n{text}"):
        return ()
    return tuple(
        Reason(rule="ES-01", detail=f"cannot be judged: {why}", classes=(EscalationClass.UNKNOWN,))
        for why in _wanting(order, thread)
    )


def _wanting(order: WorkOrder, thread: Thread | None) -> Iterator[str]:
    if unread := unread_files(order, thread):
        yield f"it points to what is attached, and {unread} of it could not be read"
    elif not files_of(order) and not (thread and thread.attachments):
        pictured = any(each.inline for each in order.attachments) or shows_picture(order.body_html)
        yield (
            "it points to what is attached, and that is a picture, which nobody read"
            if pictured
            else "it points to an attachment, and there is none"
        )


def files_of(order: WorkOrder) -> tuple[Attachment, ...]:
    """Return what a person attached: no picture within the text, no program's signature."""
    return tuple(each for each in order.attachments if is_file(each))


def is_file(attachment: Attachment) -> bool:
    """Whether a person attached it. Some programs show every file in the text, documents too."""
    kind = attachment.content_type.lower()
    pictured = attachment.inline and kind.startswith("image/")
    return not pictured and kind not in _SIGNATURES


def unread_files(order: WorkOrder, thread: Thread | None) -> int:
    """Count the attached files that nobody read, or not to their end."""
    known = thread.attachments if thread else ()
    return sum(bool(each.problem) for each in known) + max(0, len(files_of(order)) - len(known))


@cache
def _matcher() -> Matcher:
    return Matcher(load("enclosures"))
