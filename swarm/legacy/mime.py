"""Raw mail (.eml bytes) to its parts: headers decoded, bodies as text, attachments by label only.

Built on the standard library's tolerant ``compat32`` parser with our own header and charset
decoding; ``README.md`` has the measurements behind that choice. Every failure is a
``MalformedInputError``.
"""

import binascii
import email.message
import email.parser
import html
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import getaddresses, parsedate_to_datetime

from charset_normalizer import from_bytes

from swarm.errors import MalformedInputError
from swarm.patterns import linear

MAX_MAIL_BYTES = 64 << 20  # Exchange Online stops at 150 MB, with attachments we never read
MAX_HEADER = 32_768  # characters of one header; a recipient list beyond that is cut
MAX_PARTS = 500
FEWEST = 48  # bytes; below, the detector finds EBCDIC in "Größe"
SAMPLE = 16_384  # bytes shown to the charset detector, which takes about 1 s per MB

_PROOF = ("from", "to", "subject", "date", "message-id", "received", "content-type", "sender")
_FOLD = linear(r"[\r\n]{1,400}[ \t]?")
_BARE_ADDRESS = linear(r"[\w.+%-]{1,64}@[\w.-]{1,255}")
# "From  : ada@example.org" is obsolete syntax (RFC 5322, 4.5), which the library takes for a body.
_SPACED_NAME = linear(rb"^([A-Za-z][A-Za-z-]{0,60})[ \t]{1,8}:", re.MULTILINE)
_MESSAGE_ID = linear(r"<[^<>\s]{1,900}>")
_BARE_ID = linear(r"[^<>\s@]{1,450}@[^<>\s@]{1,450}")


@dataclass(frozen=True, slots=True)
class Part:
    """An attachment's label."""

    name: str
    content_type: str
    size: int
    inline: bool


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """A mail's parts. Addresses are (name, address); ``headers``: the first of each name."""

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


def parse_mail(data: bytes) -> ParsedMail:
    """Parse one mail. Raises ``MalformedInputError`` when it has no mail header or is too large."""
    if len(data) > MAX_MAIL_BYTES:
        raise MalformedInputError(f"mail of {len(data)} bytes is too large")
    data = _without_preamble(data)
    try:
        return _parsed(data)
    except MalformedInputError:
        raise
    except (
        Exception
    ) as error:  # the library raises what it meets: IndexError, LookupError, RecursionError
        raise MalformedInputError(f"mail cannot be parsed ({type(error).__name__})") from error


def _without_preamble(data: bytes) -> bytes:
    """Drop what mail stores put before the first header, and blanks before its colons."""
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n \t")
    if data[:5] in (b"From ", b">From"):
        data = data.partition(b"\n")[2]
    head, blank, body = data[:MAX_HEADER].partition(b"\n\r\n" if b"\n\r\n" in data else b"\n\n")
    return _SPACED_NAME.sub(rb"\1:", head) + blank + body + data[MAX_HEADER:]


def _parsed(data: bytes) -> ParsedMail:
    message = email.parser.BytesParser().parsebytes(data)
    headers: dict[str, str] = {}
    for name, value in message.raw_items():
        headers.setdefault(name.lower(), decode_header(str(value)))
    if not any(name in headers for name in _PROOF):
        raise MalformedInputError("not a mail: none of the usual headers is there")
    bodies = _bodies(message)
    senders = _addresses(headers, "from") or _addresses(headers, "sender")
    return ParsedMail(
        headers=headers,
        sender=senders[0] if senders else None,
        reply_to=_addresses(headers, "reply-to"),
        to=_addresses(headers, "to"),
        cc=_addresses(headers, "cc"),
        subject=" ".join(headers.get("subject", "").split()),
        date=_date(headers.get("date", "")),
        message_id=message_id(headers.get("message-id", "")),
        in_reply_to=message_id(headers.get("in-reply-to", "")),
        references=message_ids(headers.get("references", "")),
        content_type=message.get_content_type(),
        body_text=bodies.text(),
        body_html=bodies.html(),
        attachments=tuple(bodies.attachments),
        part_types=tuple(bodies.kinds),
    )


# --- headers --------------------------------------------------------------------------------------

_ENCODED = linear(r"=\?([\w.:*'-]{1,60})\?([bBqQ])\?([^?]{0,4000})\?=")
_BETWEEN = linear(r"(=\?[\w.:*'-]{1,60}\?[bBqQ]\?[^?]{0,4000}\?=)[ \t\r\n]{1,20}(?==\?)")


def decode_header(value: str) -> str:
    """Decode a raw header: 8-bit bytes, RFC 2047 words (joined when adjacent), folded lines."""
    value = value[:MAX_HEADER]
    raw = value.encode("utf-8", "surrogateescape")
    text = value if value.isascii() else decode_bytes(raw, None)
    if "=?" in text:
        text = _decode_words(_BETWEEN.sub(r"\1", text))
    return clean(_FOLD.sub(" ", text)).strip()


def _decode_words(text: str) -> str:
    """Decode runs of touching words of one charset as one, for characters split between words."""
    pieces: list[str] = []
    pending, charset, position = b"", "", 0
    for word in _ENCODED.finditer(text):
        name = word[1].split("*")[0].lower()
        if pending and (word.start() != position or name != charset):
            pieces.append(decode_bytes(pending, charset))
            pending = b""
        pieces.append(text[position : word.start()])
        pending, charset, position = pending + _word_bytes(word[2], word[3]), name, word.end()
    pieces += [decode_bytes(pending, charset), text[position:]]
    return "".join(pieces)


def _word_bytes(encoding: str, text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return quopri.decodestring(raw, header=True)
    try:
        return binascii.a2b_base64(raw + b"=" * (-len(raw) % 4))
    except binascii.Error:
        return raw


def _addresses(headers: dict[str, str], name: str) -> tuple[tuple[str, str], ...]:
    value = headers.get(name, "")
    found = getaddresses([value]) if value else []
    pairs = [(person.strip(), address.strip()) for person, address in found if "@" in address]
    if not pairs:  # what the grammar refuses often still holds an address
        pairs = [("", a) for a in _BARE_ADDRESS.findall(value)]
    return tuple(pair for pair in pairs if len(pair[1]) <= 320)[:500]  # noqa: PLR2004 - RFC 5321


def _date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        moment = moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return moment if 1970 <= moment.year < 9999 else None  # noqa: PLR2004 - what a line may carry


def message_ids(value: str) -> tuple[str, ...]:
    """Return the message ids of a header, each in brackets, whether the sender wrote them or not.

    A bare token counts only with an ``@``: what else stands there without brackets ("1", a date) is
    no name of a mail.
    """
    found = _MESSAGE_ID.findall(value)
    if not found:
        bare = (token.strip("<>,;") for token in value.split())
        found = [f"<{token}>" for token in bare if _BARE_ID.fullmatch(token)]
    return tuple(found)[-100:]


def message_id(value: str) -> str | None:
    """Return the first message id of a header."""
    return next(iter(message_ids(value)), None)


# --- bodies ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Bodies:
    """Text parts in order, with whether an alternative stands beside them."""

    parts: list[tuple[str, str, bool]] = field(default_factory=list)
    attachments: list[Part] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)

    def text(self) -> str:
        return "\n\n".join(text for kind, text, _ in self.parts if kind == "plain")

    def html(self) -> str:
        if not any(kind == "html" for kind, _, _ in self.parts):
            return ""
        return "\n".join(
            text if kind == "html" else f"<pre>{html.escape(text)}</pre>"
            for kind, text, alternative in self.parts
            if kind == "html" or not alternative
        )


def _bodies(message: email.message.Message) -> _Bodies:
    bodies = _Bodies()
    for part, alternative in _leaves(message):
        kind = part.get_content_type()
        if kind in ("text/plain", "text/html") and not _is_attachment(part):
            bodies.parts.append((kind[5:], _text(part), alternative))
        else:
            bodies.attachments.append(_label(part))
            bodies.kinds.append(_kind(part))
    return bodies


def _kind(part: email.message.Message) -> str:
    method = part.get_param("method")
    said = f"; method={method.lower()[:20]}" if isinstance(method, str) else ""
    return part.get_content_type()[:127] + said


def _leaves(message: email.message.Message) -> Iterator[tuple[email.message.Message, bool]]:
    """Yield leaf parts in order; an attached mail is a leaf, its content is not this sender's."""
    waiting = [(message, False)]
    for _ in range(MAX_PARTS):
        if not waiting:
            return
        part, alternative = waiting.pop()
        below = part.get_payload() if part.is_multipart() else None
        if not isinstance(below, list) or part.get_content_maintype() == "message":
            yield part, alternative
            continue
        inside = alternative or part.get_content_subtype() == "alternative"
        waiting.extend((child, inside) for child in reversed(below) if not isinstance(child, str))


def _is_attachment(part: email.message.Message) -> bool:
    disposition = str(part.get("content-disposition", "")).strip().lower()
    return disposition.startswith("attachment") or bool(part.get_filename())


def _text(part: email.message.Message) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    charset = part.get_param("charset")
    declared = charset if isinstance(charset, str) else None
    return clean(decode_bytes(data, declared).replace("\r\n", "\n").replace("\r", "\n"))


def _label(part: email.message.Message) -> Part:
    if part.get_content_maintype() == "message" and part.is_multipart():
        size = len(part.as_bytes())
        inner = part.get_payload()
        first = inner[0] if isinstance(inner, list) and inner else None
        subject = "" if first is None or isinstance(first, str) else str(first.get("subject", ""))
        name = part.get_filename() or (decode_header(subject)[:100] or "message") + ".eml"
    else:
        payload = part.get_payload(decode=True)
        size = len(payload) if isinstance(payload, bytes) else 0
        name = part.get_filename() or ""
    disposition = str(part.get("content-disposition", "")).strip().lower()
    inline = not disposition.startswith("attachment") and (
        disposition.startswith("inline") or part.get("content-id") is not None
    )
    return Part(decode_header(name)[:255], part.get_content_type()[:127], size, inline)


# --- characters -----------------------------------------------------------------------------------

# Browsers and mail programs read these as their Windows supersets (WHATWG encoding standard).
_WIDER = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252",
          "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "ks_c_5601-1987": "cp949",
          "euc-kr": "cp949", "iso-8859-8-i": "iso-8859-8", "x-sjis": "cp932", "shift_jis": "cp932",
          "iso-8859-9": "cp1254", "unicode-1-1-utf-7": "utf-7"}  # fmt: skip

_MAIL_CHARSETS = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r",
    "cp932", "euc_jp", "gb18030", "big5", "cp949",
)  # fmt: skip


def decode_bytes(data: bytes, declared: str | None) -> str:
    """Decode with UTF-8, the declared charset, the detector, then cp1252: whichever fits first.

    Text that happens to be valid UTF-8 beyond ASCII is UTF-8, whatever the mail says, unless it
    says it in a multi-byte charset of its own.
    """
    name = (declared or "").strip().strip("\"'").lower()
    multibyte = name.startswith(("utf-", "iso-2022", "euc", "gb", "big5", "shift", "ks_c", "hz"))
    order = [name, "utf-8"] if multibyte else ["utf-8", name]
    if data.isascii() and name not in ("", "us-ascii", "ascii", "utf-8"):
        order = [name, "utf-8"]
    for charset in order:
        try:
            return data.decode(_WIDER.get(charset, charset) or "utf-8")
        except (LookupError, ValueError):
            continue
    return data.decode(_detected(data), "replace")


def _detected(data: bytes) -> str:
    """Ask the detector among charsets that mail is written in; few bytes are no evidence."""
    if len(data) < FEWEST:
        return "cp1252"
    guess = from_bytes(data[:SAMPLE], cp_isolation=list(_MAIL_CHARSETS)).best()
    return guess.encoding if guess is not None else "cp1252"


def clean(text: str) -> str:
    """Drop what no text column can hold: U+0000 and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
