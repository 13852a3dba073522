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
from itertools import accumulate

from swarm.errors import MalformedInputError
from swarm.legacy.mime_addresses import (
    ReadAddresses,
    addresses,
    addresses_and_doubt,
    one_address,
)
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
SENDERS_UNREAD = "who else wrote it"
REPLY_UNREAD = "where its answer should go"
MORE_SUBJECTS = "all of its subjects"

_MOST_SUBJECTS = 10

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
    # A From that is there and cannot be told is nobody's: the Sender only carried it here.
    said = "from" if raw.get("from", "").strip() else "sender"
    senders = addresses_and_doubt(raw.get(said, ""), charset)
    reply_to = addresses_and_doubt(raw.get("reply-to", ""), charset)
    subject, more = _subject(message, charset)
    return ParsedMail(
        headers=headers,
        sender=senders.pairs[0] if senders.pairs else None,
        reply_to=reply_to.pairs,
        to=addresses(raw.get("to", ""), charset),
        cc=addresses(raw.get("cc", ""), charset),
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
        unread=(
            *_unread(bodies, subject),
            *_people_unread(senders, reply_to, len(message.get_all("from", []))),
            *([MORE_SUBJECTS] if more else []),
        ),
    )


def _subject(message: email.message.Message, charset: str | None) -> tuple[str, bool]:
    """Return all that subjects say, and whether there is more than is read.

    One is allowed, a second one is shown by some programs. Each is decoded by itself, or the blank
    between two would be one between encoded words.
    """
    said = [str(value) for name, value in message.raw_items() if name.lower() == "subject"]
    ends = accumulate(len(each) for each in said[1:_MOST_SUBJECTS])
    read = [
        *said[:1],
        *(each for each, end in zip(said[1:], ends, strict=False) if end <= MAX_HEADER),
    ]
    words = " ".join(decode_header(each, charset) for each in read).split()
    return " ".join(words)[:MAX_HEADER], len(read) < len(said)


def _charset(message: email.message.Message) -> str | None:
    """Return the first charset that the mail names for a text of its own."""
    for part, _ in zip(message.walk(), range(20), strict=False):
        said = part.get_param("charset")
        if isinstance(said, str):
            return said
    return None


def _unread(bodies: Bodies, subject: str) -> list[str]:
    """What a person must look at. A mail with nothing at all in it is only empty."""
    empty = not (bodies.attachments or bodies.text().strip() or bodies.html().strip())
    return [*bodies.unread, *([NO_TEXT] if empty and subject else [])]


def _names_another(name: str, address: str) -> bool:
    """Whether a name is an address of another house: who reads that sees no other."""
    shown = one_address(name)
    return shown is not None and _house(shown) != _house(address)


def _house(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _people_unread(senders: ReadAddresses, reply_to: ReadAddresses, headers: int) -> list[str]:
    """Whom a person must look at; ``headers``: how many of them name a sender."""
    several = (
        headers > 1
        or len({address.lower() for _, address in senders.pairs}) > 1
        or any(_names_another(name, address) for name, address in senders.pairs)
    )
    return [
        *([SEVERAL_SENDERS] if several else []),
        *([SENDERS_UNREAD] if senders.doubtful else []),
        *([REPLY_UNREAD] if reply_to.doubtful else []),
    ]
