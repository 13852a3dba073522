"""An mbox file as raw mails: where one ends and the next begins, and nothing else.

A line "From " is written by every second customer, and many programs that keep mail forget to mask
it. So a separator must look like one (an address or a date behind the word) and be followed by the
header of a mail; a line that is only half of that stays text of its mail.
"""

import re
from collections.abc import Iterator

from swarm.patterns import linear

# As programs write it: an address, a number or a dash; a date with or without zone and seconds.
_DATED = linear(
    rb"From [^\r\n]{0,998}?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? {1,3}"
    rb"(?:(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,3}\d{1,2}"
    rb"|\d{1,2} {1,3}(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec))[ ,]"
    rb"[^\r\n]{0,60}\s*"
)
_ADDRESSED = linear(rb"From [^\s@]{1,320}@[^\s@]{1,320}\s*")
_FIELD = linear(rb"([!-9;-~]{1,76})[ \t]{0,8}:")
_OF_A_MAIL = frozenset(
    {b"from", b"to", b"cc", b"date", b"subject", b"received", b"message-id", b"return-path",
     b"sender", b"reply-to", b"delivered-to", b"mime-version", b"content-type"}
)  # fmt: skip
_MASKED = linear(rb"^>(>{0,50}From )", re.MULTILINE)
_HEADER_LINES = 400  # how far a header is looked into for a field every mail has


def mails_of_mbox(data: bytes) -> list[bytes]:
    """Split an mbox into raw mails, masked "From " lines as their senders wrote them.

    What stands before the first separator is a piece of its own: it is named as unreadable later
    rather than lost here.
    """
    lines = data.splitlines(keepends=True)
    starts = [n for n in range(len(lines)) if _separates(lines, n)]
    if not starts:
        return []
    before = b"".join(lines[: starts[0]])
    pieces = [before] if before.strip() else []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        pieces.append(_MASKED.sub(rb"\1", b"".join(lines[start + 1 : end])))
    return pieces


def _separates(lines: list[bytes], number: int) -> bool:
    line = lines[number]
    if not line.startswith(b"From "):
        return False
    after_blank = number == 0 or not lines[number - 1].strip()
    looks = _DATED.fullmatch(line) or (after_blank and _ADDRESSED.fullmatch(line))
    return bool(looks) and _begins_a_mail(lines, number + 1)


def _begins_a_mail(lines: list[bytes], start: int) -> bool:
    """Whether a header begins here that has a field every mail has."""
    names = list(_field_names(lines, start))
    return bool(names) and not _OF_A_MAIL.isdisjoint(names)


def _field_names(lines: list[bytes], start: int) -> Iterator[bytes]:
    for number in range(start, min(start + _HEADER_LINES, len(lines))):
        line = lines[number]
        if line[:1] in (b" ", b"\t") and number > start:
            continue
        found = _FIELD.match(line.removeprefix(b">") if line.startswith(b">From ") else line)
        if found is None:
            return
        yield found[1].lower()
