"""Putting mails into the intake: the samples on the first start, and what ``submit`` is given.

Where Graph is doubled a mail is put into the double's inbox first, so that its conversation can be
looked up like any other. A sample is left there for the polling service to find: it takes the whole
way. A submitted mail's event is written at once; the service meets it later and knows its ids.
With the real Graph, whose mailbox is not ours to write into, only the event is written.
"""

import base64
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx

from swarm.errors import RemoteUnavailableError
from swarm.legacy.events import MailAddress, MailEvent, event_from_eml
from swarm.legacy.home import tombstones_of
from swarm.legacy.mime import parse_mail
from swarm.legacy.mime_bodies import Part
from swarm.legacy.submit import SubmitResult
from swarm.legacy.submit import submit as hand_in
from swarm.samples import approved_answers, mails
from swarm.sandbox.remote import SandboxControl
from swarm.settings import Settings

STDIN = "-"


def submit(names: Sequence[str], settings: Settings, sandbox_url: str | None) -> SubmitResult:
    """Hand in the mails of files (``-``: standard input); bad ones are named in ``problems``.

    ``sandbox_url`` is the double's address, None where Graph is real. Raises
    ``RemoteUnavailableError`` when the double does not answer.
    """
    sources = [(name, sys.stdin.buffer.read()) if name == STDIN else Path(name) for name in names]
    place = InboxDouble(sandbox_url).place if sandbox_url else None
    return hand_in(
        sources,
        settings.core.swarm_home,
        settings.graph.mailbox,
        place=place,
        refuses=tombstones_of(settings).refuses,
    )


def feed_samples(settings: Settings, sandbox_url: str) -> int:
    """Put the sample mails into the double's inbox as if they arrived now; returns how many."""
    inbox, now = InboxDouble(sandbox_url), datetime.now(UTC)
    found = mails()
    for _, raw in found:
        event = event_from_eml(raw, settings.graph.mailbox, now=now)
        inbox.place({**event, "received_at": now.isoformat()}, raw)
    return len(found)


def lay_samples(folder: Path) -> int:
    """Lay the sample answers into a knowledge folder that is not there yet; returns how many."""
    if folder.exists():
        return 0
    folder.mkdir(parents=True)
    found = approved_answers()
    for name, data in found:
        (folder / name).write_bytes(data)
    return len(found)


class InboxDouble:
    """The inbox of the Graph double, filled through its control API."""

    def __init__(self, url: str) -> None:
        self._control = SandboxControl(url)

    def place(self, event: MailEvent, raw: bytes) -> MailEvent:
        """Put a mail into the inbox; returns its event with the ids Graph gave it."""
        sender = event["sender"] or MailAddress(address="", name="")
        try:
            seeded = self._control.seed_mail(
                sender["address"],
                sender_name=sender["name"],
                subject=event["subject"],
                body_text=event["body_text"],
                body_html=event["body_html"],
                received_at=datetime.fromisoformat(event["received_at"]),
                internet_message_id=event["internet_message_id"],
                conversation_id=event["conversation_id"],
                mailbox=event["mailbox"],
                reply_to=_addresses(event["reply_to"]),
                to=_addresses(event["to"]),
                cc=_addresses(event["cc"]),
                headers=event["headers"],
                attachments=[_attached(part) for part in parse_mail(raw).attachments],
            )
        except httpx.HTTPError as error:
            raise RemoteUnavailableError(
                "the sandbox does not answer", hint="is `swarm up` running?"
            ) from error
        return {
            **event,
            "message_id": str(seeded["id"]),
            "conversation_id": str(seeded["conversationId"]),
        }


def _addresses(found: Sequence[MailAddress]) -> list[str]:
    return [each["address"] for each in found]


def _attached(part: Part) -> dict[str, object]:
    """Return an attachment as Graph shows it."""
    return {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "name": part.name,
        "contentType": part.content_type,
        "size": part.size,
        "isInline": part.inline,
        "contentBytes": base64.b64encode(part.content).decode(),
    }
