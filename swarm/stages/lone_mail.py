"""What Outlook and monday.com would know of a mail that nothing but its file tells of.

For ``swarm run-once``, which says aloud what is assumed here (``ASSUMED``), and for the invented
mail that a process reads before its first real one (``warm_up``).
"""

from collections.abc import Sequence

from swarm.clients.bounded_http import AnswerTooLargeError
from swarm.clients.protocol import Enclosure
from swarm.clients.read_only import ReadOnlyOutlook
from swarm.errors import RemoteUnavailableError
from swarm.models import CrmItem, CrmUpdate, ThreadMessage, WorkOrder, as_message

ASSUMED = (
    "the mail is its whole conversation unless it answers another",
    "monday.com knows nothing of the sender",
)


class LoneMail(ReadOnlyOutlook):
    """``Outlook`` with one mail in it. A mail that answers nothing is its whole conversation; what
    went before an answer is not in the file and counts as unavailable.
    """

    why = "a mail from a file has no mailbox"

    def __init__(self, order: WorkOrder, files: Sequence[bytes] = ()) -> None:
        """``files`` are the contents of the order's attachments, in their order."""
        self._order = order
        self._files = tuple(files)

    def conversation(self, _conversation_id: str) -> Sequence[ThreadMessage]:
        """Return the mail itself; raises ``RemoteUnavailableError`` when it answers another."""
        order = self._order
        if order.in_reply_to or order.references:
            raise RemoteUnavailableError("the mails this one answers are not in the file")
        return [as_message(order)]

    def enclosures(self, _message_id: str) -> Sequence[Enclosure]:
        """Return the attachments of the mail; their places are their ids."""
        return [
            Enclosure(attachment_id=str(place), label=label)
            for place, label in enumerate(self._order.attachments[: len(self._files)])
        ]

    def attachment_bytes(self, _message_id: str, attachment_id: str, *, most_bytes: int) -> bytes:
        """Return what the file holds; raises ``AnswerTooLargeError``."""
        data = self._files[int(attachment_id)]
        if len(data) > most_bytes:
            raise AnswerTooLargeError("the attachment is too large to be read")
        return data


class EmptyCrm:
    """``Monday`` without a single item."""

    def contacts_by_email(self, addresses: Sequence[str]) -> Sequence[CrmItem]:
        """Return nothing."""
        _ = addresses
        return ()

    def deals_of(self, contact_ids: Sequence[str]) -> Sequence[CrmItem]:
        """Return nothing."""
        _ = contact_ids
        return ()

    def updates_of(self, item_ids: Sequence[str]) -> Sequence[CrmUpdate]:
        """Return nothing."""
        _ = item_ids
        return ()
