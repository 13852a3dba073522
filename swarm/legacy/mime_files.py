"""What programs put around a mail when they keep it in a file: taken off, or named and refused.

One mail a file. Where one mail of an mbox ends and the next begins is ``mbox``.
"""

import codecs
import re

from swarm.errors import MalformedInputError
from swarm.patterns import linear

# "From  : ada@example.org" is obsolete syntax (RFC 5322, 4.5), which the library takes for a body.
_SPACED_NAME = linear(rb"^([A-Za-z][A-Za-z-]{0,60})[ \t]{1,8}:", re.MULTILINE)
_LENGTH_LINE = linear(rb"[ \t]{0,8}(\d{1,10})[ \t]{0,16}\r?\n")
_PLIST = b"<?xml"
_SEEN = 2000  # bytes by which UTF-16 without a mark is told
_MARKS = (  # the longer ones first: a UTF-32 mark begins like one of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAVE_AS = "save it as .eml and hand that in (in Outlook on the web: Download; in Outlook: drag it)"
_NO_MAIL = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", f"an Outlook .msg file, which is not read: {_SAVE_AS}"),
    (b"\x78\x9f\x3e\x22", f"a winmail.dat of Outlook, which is not read: {_SAVE_AS}"),
    (b"!BDN", f"an Outlook .pst file, which is not read: open it and {_SAVE_AS}"),
    (b"PK\x03\x04", "an archive or an Office file: hand in the mails inside it"),
    (b"\x1f\x8b", "a compressed file: hand in what is inside it"),
    (b"%PDF-", "a PDF: hand in the mail itself"),
)


def without_wrapping(data: bytes, header_bytes: int) -> bytes:
    """Return the raw mail of a file, in an encoding that ASCII is a part of.

    Raises ``MalformedInputError`` for files of other programs, saying what to do with them.
    """
    for magic, what in _NO_MAIL:
        if data.startswith(magic):
            raise MalformedInputError(f"this is {what}")
    data = _without_plist(_narrow(data).removeprefix(codecs.BOM_UTF8).lstrip(b"\r\n \t"))
    if data[:5] in (b"From ", b">From"):
        data = data.partition(b"\n")[2]
    blank = b"\n\r\n" if b"\n\r\n" in data else b"\n\n"
    head, blank, body = data[:header_bytes].partition(blank)
    return _SPACED_NAME.sub(rb"\1:", head) + blank + body + data[header_bytes:]


def _narrow(data: bytes) -> bytes:
    """Return UTF-16 and UTF-32, as editors write, as UTF-8."""
    charset = next((name for mark, name in _MARKS if data.startswith(mark)), "")
    charset = charset or _unmarked(data[:_SEEN])
    return data.decode(charset, "replace").encode("utf-8", "replace") if charset else data


def _unmarked(start: bytes) -> str:
    """Name the UTF-16 of text whose every second byte is zero, as that of any header is."""
    for charset, zeros, letters in (
        ("utf-16-le", start[1::2], start[::2]),
        ("utf-16-be", start[::2], start[1::2]),
    ):
        if zeros and not zeros.strip(b"\x00") and letters.strip(b"\x00") == letters:
            return charset
    return ""


def _without_plist(data: bytes) -> bytes:
    """Return the mail of an .emlx: its length stands in the first line, a plist behind it."""
    line = _LENGTH_LINE.match(data)
    if line is None:
        return data
    mail, length = data[line.end() :], int(line[1])
    behind = mail[length:].lstrip()
    if length <= len(mail) and (not behind or behind.startswith(_PLIST)):
        return mail[:length]
    last = mail.rfind(_PLIST)  # the length is wrong: line ends were changed on the way
    return mail[:last] if last >= 0 and b"<plist" in mail[last:] else mail
