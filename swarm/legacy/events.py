"""Mail events: one dictionary per mail seen, as it stands in ``events.jsonl``.

The published form is ``event.schema.json``. An event's id follows from the mail alone, so that the
same mail seen twice, or on two ways (submitted and found in the mailbox), is one event.
"""

import hashlib
import json
import mailbox as mailboxes
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypedDict, cast

from swarm.errors import MalformedInputError
from swarm.legacy.mime import ParsedMail, clean, parse_mail

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
    """One mail. ``message_id`` is Graph's immutable id; ``headers`` tell machines from people."""

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


# The headers by which a machine's mail is known (RFC 3834 and its older relatives).
MACHINE_HEADERS = (
    "auto-submitted", "precedence", "list-id", "list-unsubscribe", "x-autoreply", "x-autorespond",
    "x-auto-response-suppress", "x-failed-recipients", "return-path", "feedback-id",
)  # fmt: skip


def event_id(mailbox: str, identity: str, sender: str, subject: str) -> str:
    """Return the id of a mail: its Message-ID in this mailbox, told apart from a reused Message-ID.

    Broken senders reuse Message-IDs; sender and subject keep their mails two events.
    """
    heading = " ".join(subject.split())[:200]
    said = json.dumps([mailbox.lower(), identity, sender.lower(), heading])
    return "mail-" + hashlib.sha256(said.encode()).hexdigest()[:40]


def encoded(event: MailEvent) -> bytes:
    """Return the event as one line, its bodies cut until the line fits."""
    event = _cut(event, MAX_BODY)
    limit = MAX_BODY
    while len(line := _line(event)) > MAX_LINE_BYTES:
        limit //= 2
        event = _cut(event, limit)
        if limit < 1000:  # noqa: PLR2004 - then it is not the bodies
            event = {**event, "to": event["to"][:50], "cc": [], "references": [], "headers": {}}
            event["attachments"] = event["attachments"][:50]
    return line


def _line(event: MailEvent) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _cut(event: MailEvent, limit: int) -> MailEvent:
    text, page = event["body_text"], event["body_html"]
    if len(text) <= limit and len(page) <= limit:
        return event
    return {**event, "body_text": text[:limit], "body_html": page[:limit], "truncated": True}


# --- from Graph -----------------------------------------------------------------------------------


def event_from_graph(
    raw: Mapping[str, object], mailbox: str, attachments: Sequence[MailAttachment] = ()
) -> MailEvent:
    """Turn a Graph message into an event. Raises ``MalformedInputError`` without id or date."""
    message = cast("Mapping[str, Any]", raw)
    message_id, received = message.get("id"), message.get("receivedDateTime")
    if not isinstance(message_id, str) or not isinstance(received, str):
        raise MalformedInputError("a Graph message without id or receivedDateTime")
    sender = _graph_address(message.get("from") or message.get("sender"))
    headers = _graph_headers(message.get("internetMessageHeaders"))
    internet_id = clean(str(message.get("internetMessageId") or "")).strip() or None
    subject = clean(str(message.get("subject") or ""))
    body = message.get("body") or {}
    content = clean(str(body.get("content") or ""))
    is_html = str(body.get("contentType", "")).lower() == "html"
    return MailEvent(
        schema_version="1",
        id=event_id(
            mailbox, internet_id or message_id, sender["address"] if sender else "", subject
        ),
        message_id=message_id,
        source="graph",
        mailbox=mailbox,
        internet_message_id=internet_id,
        conversation_id=message.get("conversationId"),
        in_reply_to=headers.get("in-reply-to"),
        references=re.findall(r"<[^<>\s]{1,900}>", headers.get("references", ""))[-100:],
        sender=sender,
        reply_to=_graph_addresses(message.get("replyTo")),
        to=_graph_addresses(message.get("toRecipients")),
        cc=_graph_addresses(message.get("ccRecipients")),
        subject=subject,
        body_text="" if is_html else content,
        body_html=content if is_html else "",
        attachments=list(attachments),
        headers={name: headers[name] for name in MACHINE_HEADERS if name in headers},
        content_type=headers.get("content-type", "").split(";")[0].strip().lower(),
        received_at=_graph_time(received),
        truncated=False,
    )


def _graph_address(value: object) -> MailAddress | None:
    inner = value.get("emailAddress") if isinstance(value, Mapping) else None
    if not isinstance(inner, Mapping) or not str(inner.get("address") or "").strip():
        return None
    address = clean(str(inner["address"])).strip()[:320]
    return MailAddress(address=address, name=clean(str(inner.get("name") or "")))


def _graph_addresses(values: object) -> list[MailAddress]:
    found = [_graph_address(value) for value in values] if isinstance(values, Sequence) else []
    return [address for address in found if address is not None]


def _graph_headers(values: object) -> dict[str, str]:
    headers: dict[str, str] = {}
    for item in values if isinstance(values, Sequence) else ():
        if isinstance(item, Mapping):
            headers.setdefault(str(item.get("name", "")).lower(), clean(str(item.get("value", ""))))
    return headers


def _graph_time(value: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise MalformedInputError("a Graph message with an unreadable receivedDateTime") from None
    return _zulu(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _zulu(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


# --- from files -----------------------------------------------------------------------------------


def event_from_eml(data: bytes, mailbox: str, *, now: datetime) -> MailEvent:
    """Turn one raw mail into an event. Raises ``MalformedInputError``.

    A missing Message-ID is made from the content, a conversation id from the oldest mail it
    answers; a date that is missing or ahead of ``now`` becomes ``now``.
    """
    mail = parse_mail(data)
    internet_id = mail.message_id or f"<{hashlib.sha256(data).hexdigest()[:40]}@submitted.invalid>"
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
        headers={name: mail.headers[name] for name in MACHINE_HEADERS if name in mail.headers},
        content_type=mail.content_type,
        received_at=_zulu(received),
        truncated=False,
    )


def _address(pair: tuple[str, str]) -> MailAddress:
    return MailAddress(address=pair[1], name=pair[0])


def _attachments(mail: ParsedMail) -> list[MailAttachment]:
    return [
        MailAttachment(name=p.name, content_type=p.content_type, size=p.size, inline=p.inline)
        for p in mail.attachments
    ]


def mails_of_mbox(data: bytes) -> list[bytes]:
    """Split an mbox into raw mails."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mbox"
        path.write_bytes(data)
        box = mailboxes.mbox(path, create=False)
        try:
            return [box.get_bytes(key) for key in box.iterkeys()]
        finally:
            box.close()
