"""Today's mail reader: new mail of the shared mailbox, one event each, into ``events.jsonl``.

At least once against Graph, exactly once by id in the file: the delta link is saved only after the
events are on disk. Our own mail becomes an event too: what needs no answer is decided, and written
down, by the next program. One bad message never keeps the others of its page. Sends and changes
nothing. Run: ``python -m swarm.legacy.email_work_order_service``.
"""

import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from swarm.clients.outlook import GraphOutlook
from swarm.clients.protocol import DeltaExpiredError, DeltaPage, InboundMessage
from swarm.legacy import daemon
from swarm.legacy.events import MailAttachment, MailEvent, encoded
from swarm.legacy.graph_events import (
    ATTACHMENTS_UNREAD,
    event_from_graph,
    truth,
    unreadable_event,
)
from swarm.legacy.home import IntakeFiles
from swarm.legacy.jsonl import LineLog, read_state, write_state
from swarm.legacy.turns import counted
from swarm.models import Attachment
from swarm.settings import Settings
from swarm.store.home_world import require_home
from swarm.store.world import Service

FIRST_LOOK_BACK = timedelta(hours=24)
OVERLAP = timedelta(
    hours=6
)  # read again after a lost delta link; clocks and queues of mail are late
POLL_SECONDS = 2.0

logger = logging.getLogger(__name__)


class Mailbox(Protocol):
    """What the service asks of Outlook."""

    def delta(self, link: str | None, *, since: datetime) -> DeltaPage:
        """Return the next page of new mail; raises ``DeltaExpiredError``."""
        ...

    def attachments(self, message_id: str) -> Sequence[Attachment]:
        """Return the labels of a message's attachments."""
        ...


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


@dataclass(slots=True)
class EmailWorkOrderService:
    """One reader of one mailbox. ``poll`` is one turn."""

    mailbox: Mailbox
    address: str
    files: IntakeFiles
    log: LineLog
    clock: Callable[[], datetime] = utc_now

    def poll(self) -> int:
        """Append an event for each new mail; returns how many. Raises what the client raises."""
        state = read_state(self.files.service_state)
        link = state.get("delta_link")
        try:
            return self._follow(link if isinstance(link, str) else None, self._since(state))
        except DeltaExpiredError:
            logger.warning("the delta link expired; reading again from the watermark")
            return self._follow(None, self._since(state) - OVERLAP)

    def _since(self, state: dict[str, object]) -> datetime:
        watermark = state.get("watermark")
        if isinstance(watermark, str):
            return datetime.fromisoformat(watermark)
        return self.clock() - FIRST_LOOK_BACK

    def _follow(self, link: str | None, since: datetime) -> int:
        count, watermark = 0, since
        while True:
            page = self.mailbox.delta(link, since=since)
            events = [event for m in page.messages if (event := self._event(m)) is not None]
            count += sum(self.log.append(encoded(event) for event in events))
            newest = [
                datetime.fromisoformat(event["received_at"])
                for event in events
                if not event["unread"]  # its date may be our own clock's
            ]
            watermark = max([watermark, *newest])
            link = page.next_link or page.delta_link
            write_state(
                self.files.service_state,
                {"delta_link": link, "watermark": watermark.isoformat()},
            )
            if page.next_link is None:
                return count

    def _event(self, message: InboundMessage) -> MailEvent | None:
        """Return the event of a mail; None for removals and drafts, which are no mail."""
        if message.removed or truth(message.raw.get("isDraft")):
            return None
        try:
            attachments, unread = self._attachments(message)
            return event_from_graph(
                message.raw,
                self.address,
                attachments,
                message=message.message_id,
                now=self.clock(),
                unread=unread,
            )
        except Exception:  # noqa: BLE001 - one message nobody foresaw must not keep all others out
            logger.warning("a message could not be read; it goes to a person")
            return unreadable_event(message.message_id, self.address, now=self.clock())

    def _attachments(self, message: InboundMessage) -> tuple[list[MailAttachment], list[str]]:
        """Return the labels, and what could not be read: a mail is not kept back for its files."""
        if self.log.knows(message.message_id) or not truth(message.raw.get("hasAttachments")):
            return [], []
        try:
            found = self.mailbox.attachments(message.message_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, the mail itself was read
            logger.warning("attachments could not be listed (%s)", type(error).__name__)
            return [], [ATTACHMENTS_UNREAD]
        return [
            MailAttachment(name=a.name, content_type=a.content_type, size=a.size, inline=a.inline)
            for a in found
        ], []


def build(settings: Settings) -> Callable[[], int]:
    """Return the turn of a service; raises ``RefusedError`` for another home's mailbox."""
    require_home(settings, Service.MAILBOX)
    files = IntakeFiles(settings.core.swarm_home)
    outlook = GraphOutlook(settings.graph)
    service = EmailWorkOrderService(outlook, settings.graph.mailbox, files, LineLog(files.events))
    return counted(service.poll, files.service_turns)


def main() -> int:
    """Run the service; returns its exit code."""
    return daemon.run("email_work_order_service", build, interval=POLL_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
