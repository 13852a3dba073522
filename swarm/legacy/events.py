"""Mail events: one dictionary per mail seen, as it stands in ``events.jsonl``.

The published form is ``event.schema.json``. An event's id follows from the mail alone, so that the
same mail seen twice, or on two ways (submitted and found in the mailbox), is one event.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, TypedDict

from swarm.legacy.mime import ParsedMail, parse_mail
from swarm.sorting.classifier import tells

MAX_LINE_BYTES = 1 << 20
MAX_BODY = 400_000  # characters of HTML or text; the longest honest mail in our corpora has 190,000


class MailAddress(TypedDict):
    """A mailbox with its display name."""

    address: str
    name: str


class MailAttachment(TypedDict):
    """An attachment's label."""

    name: str
    content_type: str
    size: int
    inline: bool


class MailEvent(TypedDict):
    """One mail. ``message_id`` is Graph's immutable id; ``headers`` tell machines from people.

    ``unread`` names, in fixed words, what of the mail could not be read; ``kind`` is Graph's type
    of the message. Lines of older versions end at ``truncated``.
    """

    schema_version: Literal["1"]
    id: str
    message_id: str | None
    source: str
    mailbox: str
    internet_message_id: str | None
    conversation_id: str | None
    in_reply_to: str | None
    references: list[str]
    sender: MailAddress | None
    reply_to: list[MailAddress]
    to: list[MailAddress]
    cc: list[MailAddress]
    subject: str
    body_text: str
    body_html: str
    attachments: list[MailAttachment]
    headers: dict[str, str]
    content_type: str
    received_at: str
    truncated: bool
    unread: list[str]
    part_types: list[str]
    kind: str


def event_id(mailbox: str, identity: str, sender: str, subject: str) -> str:
    """Return the id of a mail: its Message-ID in this mailbox, told apart from a reused Message-ID.

    Broken senders reuse Message-IDs; sender and subject keep their mails two events.
    """
    heading = " ".join(subject.split())[:200]
    said = json.dumps([mailbox.lower(), identity, sender.lower(), heading])
    return "mail-" + hashlib.sha256(said.encode()).hexdigest()[:40]


def telling(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers (names lower-cased) by which machines are told from people."""
    return {name: value for name, value in headers.items() if tells(name)}


def zulu(moment: datetime) -> str:
    """Return a moment as our lines write it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def encoded(event: MailEvent) -> bytes:
    """Return the event as one line, its bodies cut until the line fits; then the lists as well."""
    event = _cut(event, MAX_BODY)
    limit = MAX_BODY
    while len(line := _line(event)) > MAX_LINE_BYTES and limit >= _SHORTEST:
        limit //= 2
        event = _cut(event, limit)
    return line if len(line) <= MAX_LINE_BYTES else _line(_bare(event))


_SHORTEST = 1000  # characters; when such bodies do not fit, it is not the bodies


def _bare(event: MailEvent) -> MailEvent:
    few = 50
    return {
        **event,
        "to": event["to"][:few],
        "cc": [],
        "reply_to": event["reply_to"][:few],
        "references": [],
        "headers": {},
        "attachments": event["attachments"][:few],
        "part_types": event["part_types"][:few],
        "truncated": True,
    }


def _line(event: MailEvent) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _cut(event: MailEvent, limit: int) -> MailEvent:
    text, page = event["body_text"], event["body_html"]
    if len(text) <= limit and len(page) <= limit:
        return event
    return {**event, "body_text": text[:limit], "body_html": page[:limit], "truncated": True}


# --- from files -----------------------------------------------------------------------------------


def event_from_eml(data: bytes, mailbox: str, *, now: datetime) -> MailEvent:
    """Turn one raw mail into an event. Raises ``MalformedInputError``.

    A missing Message-ID is made from the content, a conversation id from the oldest mail it
    answers; a date that is missing or ahead of ``now`` becomes ``now``.
    """
    mail = parse_mail(data)
    internet_id = mail.message_id or _made_id(mail)
    root = next(iter(mail.references), mail.in_reply_to or internet_id)
    sender = _address(mail.sender) if mail.sender else None
    received = mail.date if mail.date and mail.date <= now else now
    return MailEvent(
        schema_version="1",
        id=event_id(mailbox, internet_id, sender["address"] if sender else "", mail.subject),
        message_id=None,
        source="submit",
        mailbox=mailbox,
        internet_message_id=internet_id,
        conversation_id="sub-" + hashlib.sha256(root.encode()).hexdigest()[:40],
        in_reply_to=mail.in_reply_to,
        references=list(mail.references),
        sender=sender,
        reply_to=[_address(pair) for pair in mail.reply_to],
        to=[_address(pair) for pair in mail.to],
        cc=[_address(pair) for pair in mail.cc],
        subject=mail.subject,
        body_text=mail.body_text,
        body_html=mail.body_html,
        attachments=_attachments(mail),
        headers=telling(mail.headers),
        content_type=mail.content_type,
        received_at=zulu(received),
        truncated=False,
        unread=list(mail.unread),
        part_types=list(mail.part_types),
        kind="",
    )


def _made_id(mail: ParsedMail) -> str:
    """Name a mail without Message-ID by what no hop changes: not by its trace headers."""
    sender = mail.sender[1].lower() if mail.sender else ""
    files = [[part.name, part.size] for part in mail.attachments]
    texts = (mail.subject, mail.body_text, mail.body_html)
    said = [sender, mail.headers.get("date", ""), *(" ".join(t.split()) for t in texts), files]
    return f"<{hashlib.sha256(json.dumps(said).encode()).hexdigest()[:40]}@submitted.invalid>"


def _address(pair: tuple[str, str]) -> MailAddress:
    return MailAddress(address=pair[1], name=pair[0])


def _attachments(mail: ParsedMail) -> list[MailAttachment]:
    return [
        MailAttachment(name=p.name, content_type=p.content_type, size=p.size, inline=p.inline)
        for p in mail.attachments
    ]
