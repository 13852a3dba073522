"""The parts of a raw mail: texts decoded, attachments by label, and what could not be read.

What is declared is often written oddly (``Quoted-Printable `` with a blank, a comment, a boundary
folded in two): it is read as it was meant, and text that cannot be decoded is *said* to be unread,
so that a person sees the mail, never passed on in its encoded form.
"""

import binascii
import email.parser
import html
import re
from dataclasses import dataclass, field
from email.message import Message

from swarm.charsets import clean, decode_bytes
from swarm.legacy.mime_flowed import unflowed
from swarm.legacy.mime_headers import decode_header
from swarm.patterns import linear

MAX_PARTS = 500
ENCODED_TEXT = "its text is encoded in a way that cannot be read"
SPOILT_TEXT = "part of its text, which is of no character set"
NO_PARTS = "its parts, which nothing separates"
MORE_PARTS = "its parts beyond the first hundreds"

_MOST_DIVIDED = 8  # multiparts in one another; each is parsed anew with all that is in it

_PROPER = {"quotedprintable": "quoted-printable", "xuuencode": "x-uuencode"}
_ENCODINGS = ("quotedprintable", "base64", "7bit", "8bit", "binary", "xuuencode", "uuencode")
_COMMENT = linear(r"\([^()]{0,200}\)")
_NO_LETTER = linear(r"[^a-z0-9]")
_BASE64_LINE = linear(r"[A-Za-z0-9+/]{16,400}={0,2}")
_BASE64_END = linear(r"[A-Za-z0-9+/]{1,400}={0,2}")
_SHORTEST_ENCODED = 60  # characters; a word that looks like base64 is shorter
_BOUNDARY = linear(rb"^--([^\r\n]{1,200})\r?\n(?:content-|mime-)", re.MULTILINE | re.IGNORECASE)
_SPOILT = "\ufffd"
_FEW_SPOILT = 5


@dataclass(frozen=True, slots=True)
class Part:
    """An attachment's label, and its bytes where the whole mail is at hand."""

    name: str
    content_type: str
    size: int
    inline: bool
    content: bytes = field(default=b"", repr=False)


@dataclass(slots=True)
class Bodies:
    """Text parts in order, with whether an alternative stands beside them."""

    parts: list[tuple[str, str, bool]] = field(default_factory=list)
    attachments: list[Part] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return the plain texts."""
        return "\n\n".join(text for kind, text, _ in self.parts if kind == "plain")

    def html(self) -> str:
        """Return the HTML, and the plain text that stands beside it and not instead of it."""
        if not any(kind == "html" for kind, _, _ in self.parts):
            return ""
        return "\n".join(
            text if kind == "html" else f"<pre>{html.escape(text)}</pre>"
            for kind, text, alternative in self.parts
            if kind == "html" or not alternative
        )


def bodies_of(message: Message, charset: str | None) -> Bodies:
    """Read all parts. ``charset``: what the mail says of its text, for names in raw bytes."""
    bodies = Bodies()
    leaves, whole = _leaves(message)
    bodies.unread += [] if whole else [MORE_PARTS]
    for part, alternative in leaves:
        kind = part.get_content_type()
        if part.get_content_maintype() == "multipart":  # its boundary is nowhere
            text, _ = _text(part)
            bodies.parts.append(("plain", text, alternative))
            bodies.unread.append(NO_PARTS)
        elif kind in ("text/plain", "text/html") and not _is_attachment(part):
            text, trouble = _text(part)
            bodies.parts.append((kind[5:], text, alternative))
            bodies.unread += [trouble] if trouble else []
        else:
            bodies.attachments.append(_label(part, charset))
            bodies.kinds.append(_kind(part))
    bodies.unread = list(dict.fromkeys(bodies.unread))
    return bodies


def _kind(part: Message) -> str:
    method = part.get_param("method")
    said = f"; method={method.lower()[:20]}" if isinstance(method, str) else ""
    return part.get_content_type()[:127] + said


def _leaves(message: Message) -> tuple[list[tuple[Message, bool]], bool]:
    """Return leaf parts in order, and whether these are all; an attached mail is a leaf, its
    content is not this sender's.
    """
    waiting, found, divided = [(message, False)], list[tuple[Message, bool]](), 0
    for _ in range(MAX_PARTS):
        if not waiting:
            break
        part, alternative = waiting.pop()
        if divided < _MOST_DIVIDED and _is_undivided(part):
            part, divided = _divided(part), divided + 1
        below = part.get_payload() if part.is_multipart() else None
        if not isinstance(below, list) or part.get_content_maintype() == "message":
            found.append((part, alternative))
            continue
        inside = alternative or part.get_content_subtype() == "alternative"
        waiting.extend((child, inside) for child in reversed(below) if not isinstance(child, str))
    return found, not waiting


def _is_undivided(part: Message) -> bool:
    """Whether a multipart has no parts: its boundary is not the one it names."""
    return part.get_content_maintype() == "multipart" and not part.is_multipart()


def _divided(part: Message) -> Message:
    """Return an undivided multipart, divided where its parts begin."""
    raw = _raw(part)
    found = _BOUNDARY.search(raw)
    if found is None:
        return part
    boundary = found[1].rstrip().replace(b'"', b'\\"')
    subtype = part.get_content_subtype().encode("ascii", "ignore")
    head = b"Content-Type: multipart/" + subtype + b'; boundary="' + boundary + b'"\n\n'
    divided = email.parser.BytesParser().parsebytes(head + raw)
    return divided if divided.is_multipart() else part


def _is_attachment(part: Message) -> bool:
    disposition = str(part.get("content-disposition", "")).strip().lower()
    return disposition.startswith("attachment") or bool(part.get_filename())


def _text(part: Message) -> tuple[str, str]:
    """Return a part's text, and what is wrong with it or ''."""
    data, readable = _content(part)
    declared = part.get_param("charset")
    text = decode_bytes(data, declared if isinstance(declared, str) else None)
    text = clean(text.replace("\r\n", "\n").replace("\r", "\n"))
    if part.get_content_subtype() == "plain" and _param(part, "format") == "flowed":
        text = unflowed(text, delsp=_param(part, "delsp") == "yes")
    if not readable or _looks_encoded(text):
        return text, ENCODED_TEXT
    spoilt = text.count(_SPOILT) - data.count(_SPOILT.encode())
    return text, SPOILT_TEXT if spoilt > max(_FEW_SPOILT, len(text) // 20) else ""


def _param(part: Message, name: str) -> str:
    value = part.get_param(name)
    return value.strip().lower() if isinstance(value, str) else ""


def _content(part: Message) -> tuple[bytes, bool]:
    """Return a part's bytes, its transfer encoding undone, and whether that worked."""
    encoding = _encoding(part)
    if encoding == "base64":
        return _from_base64(_raw(part))
    if encoding is not None:
        del part["content-transfer-encoding"]
        part["content-transfer-encoding"] = encoding
    payload = part.get_payload(decode=True)
    return (payload if isinstance(payload, bytes) else b""), True


def _encoding(part: Message) -> str | None:
    """Return the declared transfer encoding in its proper spelling; None when it is none."""
    said = _COMMENT.sub("", str(part.get("content-transfer-encoding", "")).lower())
    bare = _NO_LETTER.sub("", said.split(";")[0])
    found = next((name for name in _ENCODINGS if bare.startswith(name)), None)
    return _PROPER.get(found, found) if found else None


def _raw(part: Message) -> bytes:
    payload = part.get_payload()
    return payload.encode("utf-8", "surrogateescape") if isinstance(payload, str) else b""


def _from_base64(raw: bytes) -> tuple[bytes, bool]:
    """Decode what is encoded, and keep what programs on the way wrote below it in plain letters.

    A rest of less than four signs was cut off on the way.
    """
    encoded, below = _split_encoded(raw)
    signs = encoded.translate(None, _NO_BASE64)
    if not signs:
        return raw, True  # it is no base64, whatever is said of it
    whole = signs[: len(signs) // 4 * 4] if len(signs) % 4 == 1 else signs
    try:
        decoded = binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))
    except binascii.Error:
        return raw, False
    text = decoded + (b"\n\n" + below if below.strip() else b"")
    return text, len(signs) % 4 != 1


def _split_encoded(raw: bytes) -> tuple[bytes, bytes]:
    """Part a base64 body where its padding ends it, or where a line is none."""
    lines = raw.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.translate(None, _BASE64 + b"=\r\n \t"):
            return b"".join(lines[:number]), b"".join(lines[number:])
        if b"=" in line:
            return b"".join(lines[: number + 1]), b"".join(lines[number + 1 :])
    return raw, b""


_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NO_BASE64 = bytes(byte for byte in range(256) if byte not in _BASE64)


def _looks_encoded(text: str) -> bool:
    """Whether a text is nothing but base64 that no header announced."""
    *lines, last = text.split() or [""]
    if len(text) < _SHORTEST_ENCODED or not _BASE64_END.fullmatch(last):
        return False
    return all(map(_BASE64_LINE.fullmatch, lines[:200]))


def _label(part: Message, charset: str | None) -> Part:
    content = b""
    if part.get_content_maintype() == "message" and part.is_multipart():
        size = len(part.as_bytes())
        inner = part.get_payload()
        first = inner[0] if isinstance(inner, list) and inner else None
        subject = "" if first is None or isinstance(first, str) else str(first.get("subject", ""))
        name = part.get_filename() or (decode_header(subject, charset)[:100] or "message") + ".eml"
    else:
        content, _ = _content(part)
        size, name = len(content), part.get_filename() or ""
    disposition = str(part.get("content-disposition", "")).strip().lower()
    inline = not disposition.startswith("attachment") and (
        disposition.startswith("inline") or part.get("content-id") is not None
    )
    name = decode_header(name, charset)[:255]
    return Part(name, part.get_content_type()[:127], size, inline, content)
