"""A Graph message as a mail event. Whatever Graph answers becomes an event: none is left out.

Graph's answers have nulls, missing fields and odd types in them. A field that is not what it should
be counts as missing; a date that is missing is replaced; what cannot be read at all is said in
``unread``, so that the mail goes to a person. What lives elsewhere: the event (``events``), asking
Graph (``clients.outlook``), sorting out (``sorting``).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from swarm.charsets import clean
from swarm.legacy.events import MailAddress, MailAttachment, MailEvent, event_id, telling, zulu
from swarm.legacy.mime import REPLY_UNREAD
from swarm.legacy.mime_addresses import one_address
from swarm.legacy.mime_headers import MAX_HEADER, message_id, message_ids

ATTACHMENTS_UNREAD = "its attachments could not be listed"
DATE_UNREAD = "when it was received"
MESSAGE_UNREAD = "the whole message"

_DATES = ("receivedDateTime", "sentDateTime", "createdDateTime")


def event_from_graph(
    raw: Mapping[str, object],
    mailbox: str,
    attachments: Sequence[MailAttachment] = (),
    *,
    message: str,
    now: datetime,
    unread: Sequence[str] = (),
) -> MailEvent:
    """Turn a Graph message into an event; ``message`` is its immutable id. Raises nothing."""
    # A from that is there and cannot be told is nobody's: the sender only carried it here.
    sender = _address(raw.get("from") if _names(raw.get("from")) else raw.get("sender"))
    headers = _headers(raw.get("internetMessageHeaders"))
    internet_id = message_id(_text(raw.get("internetMessageId")))
    subject = _text(raw.get("subject"))[:MAX_HEADER]
    content, is_html = _body(raw.get("body"))
    received = _received(raw)
    identity = internet_id or message
    return MailEvent(
        schema_version="1",
        id=event_id(mailbox, identity, sender["address"] if sender else "", subject),
        message_id=message,
        source="graph",
        mailbox=mailbox,
        internet_message_id=internet_id,
        conversation_id=_text(raw.get("conversationId")) or None,
        in_reply_to=message_id(headers.get("in-reply-to", "")),
        references=list(message_ids(headers.get("references", ""))),
        sender=sender,
        reply_to=_addresses(raw.get("replyTo")),
        to=_addresses(raw.get("toRecipients")),
        cc=_addresses(raw.get("ccRecipients")),
        subject=subject,
        body_text="" if is_html else content,
        body_html=content if is_html else "",
        attachments=list(attachments),
        headers=telling(headers),
        content_type=headers.get("content-type", "").split(";")[0].strip().lower(),
        received_at=zulu(received or now),
        truncated=False,
        unread=[
            *unread,
            *([] if received else [DATE_UNREAD]),
            *([REPLY_UNREAD] if _doubtful(raw.get("replyTo")) else []),
        ],
        part_types=[],
        kind=" ".join(filter(None, (_text(raw.get(n)) for n in ("@odata.type", _MEETING)))),
    )


_MEETING = "meetingMessageType"


def unreadable_event(message: str, mailbox: str, *, now: datetime) -> MailEvent:
    """Return the event of a message nobody could make sense of: only its id is known."""
    return event_from_graph({}, mailbox, message=message, now=now, unread=[MESSAGE_UNREAD])


def truth(value: object) -> bool:
    """Graph's own samples show booleans as strings."""
    return value is True or str(value).lower() == "true"


def _text(value: object) -> str:
    return clean(value).strip() if isinstance(value, str) else ""


def _body(value: object) -> tuple[str, bool]:
    body = value if isinstance(value, Mapping) else {}
    content = body.get("content")
    is_html = _text(body.get("contentType")).lower() == "html"
    return (clean(content) if isinstance(content, str) else ""), is_html


def _items(values: object) -> Iterator[Mapping[str, object]]:
    if isinstance(values, Sequence) and not isinstance(values, str | bytes):
        yield from (value for value in values if isinstance(value, Mapping))


def _mailbox(value: object) -> Mapping[str, object]:
    inner = value.get("emailAddress") if isinstance(value, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def _names(value: object) -> bool:
    """Whether somebody stands there, whether or not it can be told who."""
    inner = _mailbox(value)
    return any(_text(inner.get(name)) for name in ("address", "name"))


def _address(value: object) -> MailAddress | None:
    inner = _mailbox(value)
    address = one_address(_text(inner.get("address")))
    if address is None:  # of a part, or of several, nobody knows whose it is
        return None
    return MailAddress(address=address, name=_text(inner.get("name"))[:1000])


def _doubtful(values: object) -> bool:
    return any(_names(value) and _address(value) is None for value in _items(values))


def _addresses(values: object) -> list[MailAddress]:
    found = (_address(value) for value in _items(values))
    return [address for address in found if address is not None]


def _headers(values: object) -> dict[str, str]:
    headers: dict[str, str] = {}
    for item in _items(values):
        headers.setdefault(_text(item.get("name")).lower(), _text(item.get("value"))[:MAX_HEADER])
    return headers


def _received(raw: Mapping[str, object]) -> datetime | None:
    """Return when it came, was sent or was made, whichever can be read first."""
    return next((moment for name in _DATES if (moment := _moment(raw.get(name)))), None)


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_text(value))
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if 1970 <= moment.year < 9999 else None  # noqa: PLR2004 - what a line may carry
