"""The attachments of the mail at hand, fetched and read: a part of what the stage ``thread`` finds.

Every file that a person attached gets an entry: its text, or the reason why nobody read it. Nothing
is fetched for a mail without files, nor a file that is too large, of a kind nobody reads, or one
too many.
"""

from collections.abc import Sequence

from swarm.clients.bounded_http import AnswerTooLargeError
from swarm.clients.protocol import Enclosure, Outlook
from swarm.errors import DatabaseUnavailableError, SwarmError
from swarm.intake.documents.reading import NO_KIND, could_be_read, read_text
from swarm.models import Attachment, AttachmentText, WorkOrder
from swarm.safety.enclosures import files_of, is_file
from swarm.stages.enrichment.labels import plain_label
from swarm.stages.services import Services

_MOST_NAMED = 20  # files of one mail that are looked at; a twenty-first is one too many
_NAME_LIMIT = 120
_AWAY = "Outlook could not be asked for it"


def read_attachments(order: WorkOrder, services: Services) -> tuple[AttachmentText, ...]:
    """Return what was attached, each with its text or why it has none. Raises nothing of Graph."""
    labelled = files_of(order)
    if not labelled:
        return ()
    outlook, message = services.outlook, order.ref.message_id
    if outlook is None or message is None:
        return _unread(labelled, "the mail does not lie in the mailbox")
    try:
        listed = [each for each in outlook.enclosures(message) if is_file(each.label)]
    except DatabaseUnavailableError:
        raise
    except SwarmError:
        return _unread(labelled, _AWAY)
    entries: list[AttachmentText] = []
    read = 0
    for each in listed[:_MOST_NAMED]:
        why = _why_not(each.label, read, services)
        entries.append(
            _labelled(each.label, why) if why else _read(outlook, message, each, services)
        )
        read += not why
    missing = len(labelled) - len(listed)
    rest = len(listed) - len(entries)
    return (
        *entries,
        *_unread(labelled[:missing] if missing > 0 else (), "it is not among those of the mailbox"),
        *_unread([each.label for each in listed[-rest:]] if rest > 0 else (), "it is one too many"),
    )


def _why_not(label: Attachment, read: int, services: Services) -> str:
    if not could_be_read(label.name, label.content_type):
        return NO_KIND
    if label.size > services.attachment_bytes:
        return "it is too large"
    if read >= services.attachments_read:
        return "it is one too many"
    return ""


def _read(
    outlook: Outlook, message: str, enclosure: Enclosure, services: Services
) -> AttachmentText:
    label, most = enclosure.label, services.attachment_bytes
    try:
        data = outlook.attachment_bytes(message, enclosure.attachment_id, most_bytes=most)
    except AnswerTooLargeError:
        return _labelled(label, "it is too large")
    except DatabaseUnavailableError:
        raise
    except SwarmError:
        return _labelled(label, _AWAY)
    found = read_text(data, label.name, label.content_type)
    return _labelled(label, found.problem, found.text, truncated=found.truncated)


def _unread(labels: Sequence[Attachment], why: str) -> tuple[AttachmentText, ...]:
    return tuple(_labelled(label, why) for label in labels)


def _labelled(
    label: Attachment, problem: str, text: str = "", *, truncated: bool = False
) -> AttachmentText:
    return AttachmentText(
        name=plain_label(label.name, _NAME_LIMIT),
        content_type=plain_label(label.content_type, _NAME_LIMIT),
        size=label.size,
        text=text,
        truncated=truncated,
        problem=problem,
    )
