"""Header values of a raw mail: encoded words, addresses, dates, message ids.

An address is parsed before anything is decoded: what an encoded word holds is a name or a remark,
whatever signs of an address are in it (RFC 2047, 5 and 6.2).
"""

import binascii
import quopri
from datetime import UTC, datetime
from email.utils import getaddresses, parsedate_to_datetime

from swarm.charsets import clean, decode_bytes
from swarm.patterns import linear

MAX_HEADER = 32_768  # characters of one header; a recipient list beyond that is cut
_MOST_ADDRESSES = 500
_LONGEST_ADDRESS = 320  # RFC 5321

_FOLD = linear(r"[\r\n]{1,400}[ \t]?")
_BARE_ADDRESS = linear(r"[\w.+%-]{1,64}@[\w.-]{1,255}")
_SHAPE = linear(r"(?:\"[^\"\r\n]{1,80}\"|[^\s<>\"@]{1,80})@[^\s<>\"@]{1,255}")
_BRACKETED = linear(r"<\s{0,8}([^<>\s@]{1,64}@[^<>\s@]{1,255})\s{0,8}>")
_MESSAGE_ID = linear(r"<[^<>\s]{1,900}>")
_BARE_ID = linear(r"[^<>\s@]{1,450}@[^<>\s@]{1,450}")
_ENCODED_TEXT = r"(?:[^?]|\?(?!=)){0,4000}"  # a bare "?" should be encoded and is not always
_ENCODED = linear(rf"=\?([\w.:*'-]{{1,60}})\?([bBqQ])\?({_ENCODED_TEXT})\?=")
_BETWEEN = linear(rf"(=\?[\w.:*'-]{{1,60}}\?[bBqQ]\?{_ENCODED_TEXT}\?=)[ \t\r\n]{{1,20}}(?==\?)")

Pairs = tuple[tuple[str, str], ...]


def decode_header(value: str, charset: str | None = None) -> str:
    """Decode a raw header: 8-bit bytes, RFC 2047 words (joined when adjacent), folded lines.

    ``charset`` is what the mail says of its body: raw bytes that are no UTF-8 may be of it, too.
    """
    text = _as_text(value, charset)
    if "=?" in text:
        text = _decode_words(_BETWEEN.sub(r"\1", text))
    return clean(_FOLD.sub(" ", text)).strip()


def _as_text(value: str, charset: str | None) -> str:
    value = value[:MAX_HEADER]
    if value.isascii():
        return value
    return decode_bytes(value.encode("utf-8", "surrogateescape"), charset)


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


def addresses(value: str, charset: str | None = None) -> Pairs:
    """Return the (name, address) pairs of a raw header, names decoded.

    Only where no address stands outside of encoded words is one looked for inside them: some
    programs encode the whole of "Ada <ada@example.org>". Then exactly one must be there.
    """
    raw = clean(_FOLD.sub(" ", _as_text(value, charset)))
    if pairs := _pairs(raw):
        return tuple((decode_header(name), address) for name, address in pairs)[:_MOST_ADDRESSES]
    inside = _pairs(decode_header(raw)) if "=?" in raw else []
    return tuple(inside) if len(inside) == 1 else ()


def _pairs(text: str) -> list[tuple[str, str]]:
    found = getaddresses([text]) if text else []
    pairs = [(name.strip(), address.strip()) for name, address in found]
    pairs = [pair for pair in pairs if _SHAPE.fullmatch(pair[1])]
    if not pairs and "<>" not in text:  # what the grammar refuses often still holds an address
        bare = _BRACKETED.findall(text) or _BARE_ADDRESS.findall(text)
        pairs = [("", address) for address in dict.fromkeys(bare)]
    return [pair for pair in pairs if len(pair[1]) <= _LONGEST_ADDRESS]


def date_of(value: str) -> datetime | None:
    """Return the moment a Date header names; None when it names none a line may carry."""
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
