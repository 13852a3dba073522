"""Today's mail reader: new mail of the shared mailbox, one event each, into ``events.jsonl``.

At least once against Graph, exactly once by id in the file: the delta link is saved only after the
events are on disk. The watermark, from which reading starts anew when a link is lost, moves only at
the end of a sweep: within one, Graph may list the newest mail first. Our own mail becomes an event
too: what needs no answer is decided, and written down, by the next program. One bad message never
keeps the others of its page. Sends and changes nothing.
Run: ``python -m swarm.legacy.email_work_order_service``.
"""

import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from swarm.clients.lenient import moment
from swarm.clients.outlook import outlook_of
from swarm.clients.outlook_inbound import WITHOUT_ID
from swarm.clients.protocol import DeltaExpiredError, DeltaPage, InboundMessage
from swarm.errors import RemoteUnavailableError
from swarm.legacy import daemon
from swarm.legacy.events import MailAttachment, MailEvent, encoded
from swarm.legacy.graph_events import (
    ATTACHMENTS_UNREAD,
    event_from_graph,
    truth,
    unreadable_event,
)
from swarm.legacy.home import IntakeFiles, tombstones_of
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
_BEFORE_ANY_MAIL = datetime(1990, 1, 1, tzinfo=UTC)
POLL_SECONDS = 2.0
MOST_PAGES = 200  # of one turn, 10,000 mails; the next turn goes on from there

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
        if not isinstance(link, str):
            return self._follow(None, self._anew(state))
        try:
            return self._follow(link, self._since(state))
        except DeltaExpiredError as error:
            logger.warning("the delta link is of no use; reading from the watermark: %s", error)
            return self._follow(None, self._anew(state))

    def _since(self, state: dict[str, object]) -> datetime:
        return self._watermark(state) or self.clock() - FIRST_LOOK_BACK

    def _anew(self, state: dict[str, object]) -> datetime:
        """Return where to start without a link; a time of our own choice needs no overlap."""
        watermark = self._watermark(state)
        return watermark - OVERLAP if watermark else self._since(state)

    def _watermark(self, state: dict[str, object]) -> datetime | None:
        reached = moment(state.get("watermark"))
        return min(reached, self.clock()) if reached and reached > _BEFORE_ANY_MAIL else None

    def _follow(self, link: str | None, since: datetime) -> int:
        count, newest, followed = 0, since, set[str]()
        for _ in range(MOST_PAGES):
            page = self.mailbox.delta(link, since=since)
            events = [event for m in page.messages if (event := self._event(m)) is not None]
            count += sum(self.log.append(encoded(event) for event in events))
            newest = max(
                [
                    newest,
                    *(
                        datetime.fromisoformat(event["received_at"])
                        for event in events
                        if not event["unread"]  # its date may be our own clock's
                    ),
                ]
            )
            link = page.next_link or page.delta_link
            endless = page.next_link is not None and page.next_link in followed
            self._save(None if endless else link, since if page.next_link else newest, since)
            if endless:
                raise RemoteUnavailableError("reading new mail: the pages go round in a circle")
            if page.next_link is None:
                return count
            followed.add(page.next_link)
        return count

    def _save(self, link: str | None, watermark: datetime, since: datetime) -> None:
        # A date ahead of us, of a wrong clock or a joke, must not hide the mail until then.
        reached = min(watermark, self.clock()).isoformat()
        began = read_state(self.files.service_state).get("began") or since.isoformat()
        state = {"delta_link": link, "watermark": reached, "began": began}
        write_state(self.files.service_state, state)

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
                unread=[*unread, *message.unread],  # what is missing is never judged
            )
        except Exception:  # noqa: BLE001 - one message nobody foresaw must not keep all others out
            logger.warning("a message could not be read; it goes to a person")
            return unreadable_event(message.message_id, self.address, now=self.clock())

    def _attachments(self, message: InboundMessage) -> tuple[list[MailAttachment], list[str]]:
        """Return the labels, and what could not be read: a mail is not kept back for its files."""
        if self.log.knows(message.message_id) or not truth(message.raw.get("hasAttachments")):
            return [], []
        if WITHOUT_ID in message.unread:
            return [], [ATTACHMENTS_UNREAD]
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
    outlook = outlook_of(settings)
    log = LineLog(files.events, tombstones_of(settings).refuses)
    service = EmailWorkOrderService(outlook, settings.graph.mailbox, files, log)
    return counted(service.poll, files.service_turns)


def main() -> int:
    """Run the service; returns its exit code."""
    return daemon.run("email_work_order_service", build, interval=POLL_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
