"""Raw mail (.eml bytes) to its parts: headers decoded, bodies as text, attachments by label.

Built on the standard library's tolerant ``compat32`` parser with our own header and charset
decoding; ``README.md`` has the measurements behind that choice. Every failure is a
``MalformedInputError``. The one reader of mail files: what programs put around a mail is in
``mime_files``, headers in ``mime_headers`` and ``mime_addresses``, parts in ``mime_bodies``.
"""

import email.message
import email.parser
from dataclasses import dataclass
from datetime import datetime

from swarm.errors import MalformedInputError
from swarm.legacy.mime_addresses import addresses
from swarm.legacy.mime_bodies import Bodies, Part, bodies_of
from swarm.legacy.mime_files import without_wrapping
from swarm.legacy.mime_headers import (
    MAX_HEADER,
    date_of,
    decode_header,
    message_id,
    message_ids,
)

MAX_MAIL_BYTES = 64 << 20  # Exchange Online stops at 150 MB, with attachments
NO_TEXT = "its text, of which nothing is there"
SEVERAL_SENDERS = "who of several senders wrote it"

_PROOF = ("from", "to", "subject", "date", "message-id", "received", "content-type", "sender")


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """A mail's parts. Addresses are (name, address); ``headers``: the first of each name.

    ``unread`` says, in fixed words, what could not be read.
    """

    headers: dict[str, str]
    sender: tuple[str, str] | None
    reply_to: tuple[tuple[str, str], ...]
    to: tuple[tuple[str, str], ...]
    cc: tuple[tuple[str, str], ...]
    subject: str
    date: datetime | None
    message_id: str | None
    in_reply_to: str | None
    references: tuple[str, ...]
    content_type: str
    body_text: str
    body_html: str
    attachments: tuple[Part, ...] = ()
    part_types: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def parse_mail(data: bytes) -> ParsedMail:
    """Parse one mail. Raises ``MalformedInputError`` when it has no mail header or is too large."""
    if len(data) > MAX_MAIL_BYTES:
        raise MalformedInputError(f"mail of {len(data)} bytes is too large")
    try:
        return _parsed(without_wrapping(data, MAX_HEADER))
    except MalformedInputError:
        raise
    except (
        Exception
    ) as error:  # the library raises what it meets: IndexError, LookupError, RecursionError
        raise MalformedInputError(f"mail cannot be parsed ({type(error).__name__})") from error


def _parsed(data: bytes) -> ParsedMail:
    message = email.parser.BytesParser().parsebytes(data)
    raw: dict[str, str] = {}
    for name, value in message.raw_items():
        raw.setdefault(name.lower(), str(value))
    if not any(name in raw for name in _PROOF):
        raise MalformedInputError("not a mail: none of the usual headers is there")
    charset = _charset(message)
    headers = {name: decode_header(value, charset) for name, value in raw.items()}
    bodies = bodies_of(message, charset)
    people = {name: addresses(raw.get(name, ""), charset) for name in _PEOPLE}
    senders = people["from"] or people["sender"]
    subject = _subject(message, charset)
    return ParsedMail(
        headers=headers,
        sender=senders[0] if senders else None,
        reply_to=people["reply-to"],
        to=people["to"],
        cc=people["cc"],
        subject=subject,
        date=date_of(headers.get("date", "")),
        message_id=message_id(headers.get("message-id", "")),
        in_reply_to=message_id(headers.get("in-reply-to", "")),
        references=message_ids(headers.get("references", "")),
        content_type=message.get_content_type(),
        body_text=bodies.text(),
        body_html=bodies.html(),
        attachments=tuple(bodies.attachments),
        part_types=tuple(bodies.kinds),
        unread=tuple(_unread(bodies, subject, senders, len(message.get_all("from", [])))),
    )


_PEOPLE = ("from", "sender", "reply-to", "to", "cc")


def _subject(message: email.message.Message, charset: str | None) -> str:
    """Return all that subjects say: one is allowed, a second one is shown by some programs.

    Each is decoded by itself, or the blank between two would be one between encoded words.
    """
    said = (str(value) for name, value in message.raw_items() if name.lower() == "subject")
    words = " ".join(decode_header(each, charset) for each in said).split()
    return " ".join(words)[:MAX_HEADER]


def _charset(message: email.message.Message) -> str | None:
    """Return the first charset that the mail names for a text of its own."""
    for part, _ in zip(message.walk(), range(20), strict=False):
        said = part.get_param("charset")
        if isinstance(said, str):
            return said
    return None


def _unread(
    bodies: Bodies, subject: str, senders: tuple[tuple[str, str], ...], headers: int
) -> list[str]:
    """What a person must look at. A mail with nothing at all in it is only empty. ``headers``: how
    many of them name a sender.
    """
    empty = not (bodies.attachments or bodies.text().strip() or bodies.html().strip())
    several = headers > 1 or len({address.lower() for _, address in senders}) > 1
    return [
        *bodies.unread,
        *([NO_TEXT] if empty and subject else []),
        *([SEVERAL_SENDERS] if several else []),
    ]
