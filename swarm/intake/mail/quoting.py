"""What the sender wrote now, apart from the history quoted below or between. Plain text in and out.

A line scanner of our own: it looks at each line a bounded number of times, so hostile input costs
linear time. The libraries that do this backtrack for seconds on 1 MB of ``>`` (numbers: README.md).
Where an earlier mail begins is seen by ``heads`` and ``reply_mark``; whose words the history is, by
``provenance``.
"""

# ruff: noqa: RUF001 - a colon as wide as its script

from dataclasses import dataclass

from swarm.intake.mail import heads
from swarm.intake.mail.reply_mark import reply_above, says_no_more
from swarm.patterns import linear

_MANY_BREAKS = linear(r"\n{4,}")
_QUOTE_MARKS = linear(r"^[\s>|]{1,40}")
_QUOTE_PREFIX = linear(r"\s{0,3}(?:>|\|(?:\s|$)|[A-Z]{1,3}>(?:\s|$))")
_WRAPPED_AT = 60  # characters; a quoted line of this length may have lost its end to the next


@dataclass(frozen=True, slots=True)
class Split:
    """A body in two: ``text`` by the sender, ``quoted`` from earlier mails."""

    text: str
    quoted: str


def split_quotes(body: str, own_address: str = "") -> Split:
    """Take quoted history out. A body of nothing but history is the text itself (a forward)."""
    lines = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    own, quoted = _divide(lines, own_address)
    text = joined(own)
    if not text and (start := _headers_end(quoted)) < len(quoted):
        inner = joined([without_marks(line) for line in quoted[start:]])
        if inner:
            return Split(inner, joined(quoted[:start]))
    return Split(text, joined(quoted))


def joined(lines: list[str]) -> str:
    """Return lines as one text, without long gaps."""
    return _MANY_BREAKS.sub("\n\n\n", "\n".join(line.rstrip() for line in lines)).strip()


def is_quoted(line: str) -> bool:
    """Whether a line carries a quote mark."""
    return _QUOTE_PREFIX.match(line[: heads.LOOK]) is not None


def without_marks(line: str) -> str:
    """Return a line without the marks in front of it."""
    return _QUOTE_MARKS.sub("", line) if is_quoted(line) else line


def split_marks(history: str) -> tuple[str, str]:
    """Return history without the marks of ticket systems that say no more, and those marks."""
    kept: list[str] = []
    marks: list[str] = []
    for line in history.split("\n"):
        (marks if says_no_more(without_marks(line)) else kept).append(line)
    return "\n".join(kept), "\n".join(marks)


def head_at(lines: list[str], index: int, own_address: str = "") -> int:
    """Return how many lines of a head of an earlier mail stand here; 0 for none."""
    if not lines[index].strip():
        return 0
    return _attribution(lines, index) or int(_starts_history(lines, index, own_address))


# --- scanning -------------------------------------------------------------------------------------


def _divide(lines: list[str], own_address: str) -> tuple[list[str], list[str]]:
    own: list[str] = []
    quoted: list[str] = []
    index = 0
    while index < len(lines):
        if not lines[index].strip():
            own.append(lines[index])
            index += 1
        elif is_quoted(lines[index]) or _lost_end(lines, index):
            quoted.append(lines[index])
            index += 1
        elif length := _attribution(lines, index):
            _hand_over_separators(own, quoted)
            quoted.extend(lines[index : index + length])
            index += length
            if not _next_is_quoted(lines, index) and _has_text(own):
                quoted.extend(lines[index:])
                break
        elif reply_above(lines[index]) and not _has_text(own):
            quoted.append(lines[index])  # at the very top: what is below was written above it
            index += 1
        elif _starts_history(lines, index, own_address):
            _hand_over_separators(own, quoted)
            quoted.extend(lines[index:])
            break
        else:
            own.append(lines[index])
            index += 1
    return own, quoted


def _attribution(lines: list[str], index: int) -> int:
    ends = lines[index].rstrip("*_ \xa0").endswith((":", "："))
    return heads.attribution(lines, index, quote_follows=ends and _next_is_quoted(lines, index + 1))


def _has_text(lines: list[str]) -> bool:
    return any(line.strip() for line in lines)


def _hand_over_separators(own: list[str], quoted: list[str]) -> None:
    """A rule drawn right above the history belongs to the history."""
    moved: list[str] = []
    while own and (not own[-1].strip() or heads.RULE.fullmatch(own[-1].strip()[: heads.LOOK])):
        moved.append(own.pop())
    quoted.extend(reversed(moved))


def _lost_end(lines: list[str], index: int) -> bool:
    """Whether a program wrapped a quoted line and forgot to mark its end: between marked lines, in
    the middle of a sentence. An answer of the sender's own begins anew."""
    if not 0 < index < len(lines) - 1 or not lines[index][:1].islower():
        return False
    before = lines[index - 1].rstrip()
    return (
        is_quoted(before)
        and is_quoted(lines[index + 1])
        and len(before) >= _WRAPPED_AT
        and before[-1:].isalnum()
    )


def _next_is_quoted(lines: list[str], index: int) -> bool:
    for line in lines[index : index + heads.WINDOW]:
        if line.strip():
            return is_quoted(line)
    return False


def _starts_history(lines: list[str], index: int, own_address: str) -> bool:
    line = lines[index][: heads.LOOK].strip()
    if not line:
        return False
    return heads.title(line) or reply_above(line) or heads.header_block(lines, index, own_address)


def _headers_end(lines: list[str]) -> int:
    """Return where the body of a forwarded mail begins: below separators and its header block."""
    bare = [without_marks(line) for line in lines]
    index = 0
    while index < len(bare):
        line = bare[index].strip()
        wrapped = (
            index > 0 and bool(bare[index - 1].strip()) and heads.label(bare[index - 1]) is not None
        )
        heading = (
            not line or wrapped or heads.label(line) or heads.RULE.fullmatch(line[: heads.LOOK])
        )
        if (
            not heading
            and not heads.names_a_mail(line)
            and not reply_above(line)
            and not heads.attribution(bare, index)
        ):
            break
        index += 1
    return index
