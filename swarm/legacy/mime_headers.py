"""Header values of a raw mail: encoded words, dates, message ids. Addresses: ``mime_addresses``."""

import binascii
import quopri
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from swarm.charsets import clean, decode_bytes
from swarm.patterns import linear

MAX_HEADER = 32_768  # characters of one header; a recipient list beyond that is cut
_GUESSES = 8  # pieces of a header over whose charset the detector may be asked; it is slow

_FOLD = linear(r"[\r\n]{1,400}[ \t]?")
_MESSAGE_ID = linear(r"<[^<>\s]{1,900}>")
_BARE_ID = linear(r"[^<>\s@]{1,450}@[^<>\s@]{1,450}")
_BEGINNING = r"=\?([\w.:*'-]{1,60})\?([bBqQ])\?"
# A bare "?" should be encoded and is not always; the beginning of another word never is in one.
_ENCODED_TEXT = r"(?:[^?=]|\?(?!=)|=(?!\?[\w.:*'-]{1,60}\?[bBqQ]\?)){0,4000}"
ENCODED_WORD = linear(rf"{_BEGINNING}({_ENCODED_TEXT})\?=")


def decode_header(value: str, charset: str | None = None) -> str:
    """Decode a raw header: 8-bit bytes, RFC 2047 words (joined when adjacent), folded lines.

    ``charset`` is what the mail says of its body: raw bytes that are no UTF-8 may be of it, too.
    """
    text = _as_text(value, charset)
    if "=?" in text:
        text = _decode_words(text)
    return clean(_FOLD.sub(" ", text)).strip()


def unfolded(value: str, charset: str | None = None) -> str:
    """Return a raw header as one line, its words still encoded."""
    return clean(_FOLD.sub(" ", _as_text(value, charset)))


def _as_text(value: str, charset: str | None) -> str:
    value = value[:MAX_HEADER]
    if value.isascii():
        return value
    return decode_bytes(value.encode("utf-8", "surrogateescape"), charset)


def _decode_words(text: str) -> str:
    """Decode runs of words of one charset as one, for characters split between words.

    Blanks between two words are none of the text (RFC 2047, 6.2).
    """
    pieces: list[str] = []
    pending, charset, position = b"", "", 0
    for word in ENCODED_WORD.finditer(text):
        name, between = word[1].split("*")[0].lower(), text[position : word.start()]
        if position and not between.strip():
            between = ""
        if between or name != charset:
            pieces += [decode_bytes(pending, charset, guess=len(pieces) < _GUESSES), between]
            pending = b""
        pending, charset, position = pending + _word_bytes(word[2], word[3]), name, word.end()
    pieces += [decode_bytes(pending, charset, guess=len(pieces) < _GUESSES), text[position:]]
    return "".join(pieces)


def _word_bytes(encoding: str, text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return quopri.decodestring(raw, header=True)
    try:
        return binascii.a2b_base64(raw + b"=" * (-len(raw) % 4))
    except binascii.Error:
        return raw


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
