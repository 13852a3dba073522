"""Outlook and monday.com as they were when a mail came, as far as that can be had today.

Messages after the mail are cut off, else the human's own answer would leak in; no draft is looked
for, because none was there. The CRM keeps no history: what it says is as of now, and says so. Only
for history that recorded neither, and only when asked for (``SHADOW_ASK_SOURCES``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from swarm.clients.lenient import Gaps, Listing, gaps_of, parts_of
from swarm.clients.monday import MondayClient
from swarm.clients.outlook import GraphOutlook
from swarm.clients.protocol import Enclosure, Monday, Outlook
from swarm.clients.read_only import ReadOnlyOutlook
from swarm.models import ThreadMessage, WorkOrder
from swarm.settings import GraphSettings, MondaySettings


@dataclass(frozen=True, slots=True)
class Sources:
    """The real clients, kept for the whole process."""

    outlook: Outlook
    monday: Monday

    def as_of(self, order: WorkOrder) -> tuple[Outlook, Monday]:
        """Return both as they were when this mail came."""
        return OutlookAsOf(self.outlook, order), self.monday


def sources() -> Sources:
    """Return the clients of the environment's settings."""
    return Sources(GraphOutlook(GraphSettings()), MondayClient(MondaySettings()))


class OutlookAsOf(ReadOnlyOutlook):
    """``Outlook`` at the moment a mail came; nothing can be written through it."""

    why = "a replay only reads"

    def __init__(self, outlook: Outlook, order: WorkOrder) -> None:
        self._outlook = outlook
        self._order = order

    def conversation(self, conversation_id: str) -> Sequence[ThreadMessage]:
        """Return the conversation up to the mail, itself included; what was unreadable stays so."""
        found = self._outlook.conversation(conversation_id)
        gaps = Gaps([*gaps_of(found)], [*parts_of(found)])
        return Listing((m for m in found if self._was_there(m)), gaps)

    def _was_there(self, message: ThreadMessage) -> bool:
        order = self._order
        own = message.message_id == order.ref.message_id
        return own or message.sent_at < order.received_at

    def enclosures(self, message_id: str) -> Sequence[Enclosure]:
        """Return the mail's attachments."""
        return self._outlook.enclosures(message_id)

    def attachment_bytes(self, message_id: str, attachment_id: str, *, most_bytes: int) -> bytes:
        """Return an attachment's content."""
        return self._outlook.attachment_bytes(message_id, attachment_id, most_bytes=most_bytes)
