"""Whose words the history in a mail is: compared with the conversation that Graph has.

Proved is a line that occurs in an earlier message, of ours or of the customer's that we answered;
white space, quote marks, letter case and wrapping do not count. Lines among proved ones that no
message has are new: written by the customer between or below our lines, and so part of what he says
now. A passage of which no message has a line stays history, and is judged: an attribution can be
forged, a message in our mailbox cannot. Pure; linear in mail and conversation.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from swarm.intake.mail.apart import Apart, history_parts, said_apart
from swarm.intake.mail.asks import asks_in
from swarm.intake.mail.heads import label
from swarm.intake.mail.language import language_of_mail
from swarm.intake.mail.quoting import head_at, joined, without_marks
from swarm.intake.mail.sentences import is_said
from swarm.models import (
    Lookup,
    Received,
    SetAside,
    SetAsideKind,
    Thread,
    ThreadMessage,
    WorkOrder,
    in_conversation_order,
)
from swarm.patterns import linear

PROVED = "stands in an earlier message of the conversation"
SHINGLE = 5  # words in a row that are no coincidence
FEWEST = 3  # proved words that make a passage a known one
MOST_WORDS = 200_000  # of a conversation; what is beyond proves nothing

_HELD = linear(r"\S@\S|\d[:.]\d\d")
_WORD = linear(r"[^\W_]{1,64}")
_LINK = linear(r"(?:https?://|www\.)\S{1,2000}")


def in_conversation(received: Received, thread: Thread | None) -> Received:
    """Return the mail with its history compared; without a conversation nothing is proved.

    Asking again with the same conversation changes nothing.
    """
    known = _Known.of(_earlier(thread, received.work_order))
    if not known.lines:
        return received
    added: list[str] = []
    parts: list[SetAside] = []
    for part in received.set_aside:
        if part.kind is not SetAsideKind.HISTORY or not part.judged:
            parts.append(part)
            continue
        compared = _compared(part.text, known)
        parts.extend(compared.parts(part.reason))
        added.append(joined(compared.new))
    new = said_apart("\n\n".join(filter(None, added)), received.work_order.sender)
    return _with(received, new, tuple(parts))


def _with(received: Received, new: Apart, parts: tuple[SetAside, ...]) -> Received:
    if not new.text:
        return received.model_copy(update={"set_aside": (*parts, *new.parts)})
    text = f"{received.text}\n\n{new.text}".strip()
    subject = received.work_order.subject
    return received.model_copy(
        update={
            "text": text,
            "set_aside": (*parts, *new.parts),
            "language": language_of_mail(text, subject),
            "asks": asks_in(text, subject),
        }
    )


def _earlier(thread: Thread | None, order: WorkOrder) -> Iterator[ThreadMessage]:
    """Yield what proves: our earlier messages, and the customer's that one of ours came after."""
    if thread is None or thread.lookup is not Lookup.HIT:
        return
    here = (m.sent_at for m in thread.messages if m.message_id == order.ref.message_id)
    arrived = next(here, order.received_at)
    waiting: list[ThreadMessage] = []
    for message in in_conversation_order(thread.messages):
        if message.sent_at >= arrived or message.message_id == order.ref.message_id:
            continue
        waiting.append(message)
        if message.from_us:
            yield from waiting
            waiting = []


# --- comparing ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Known:
    """The words of earlier messages: whole lines, and every few words in a row."""

    lines: frozenset[tuple[str, ...]]
    shingles: frozenset[tuple[str, ...]]

    @classmethod
    def of(cls, messages: Iterable[ThreadMessage]) -> "_Known":
        lines: set[tuple[str, ...]] = set()
        shingles: set[tuple[str, ...]] = set()
        left = MOST_WORDS
        for message in messages:
            words = [_words(line) for line in f"{message.subject}\n{message.text}".split("\n")]
            lines.update(tuple(line) for line in words if line)
            flat = [word for line in words for word in line][:left]
            shingles.update(_shingles(flat))
            left -= len(flat)
        return cls(frozenset(lines), frozenset(shingles))


@dataclass(slots=True)
class _Compared:
    """The lines of a history, apart by whose they are."""

    proved: list[str] = field(default_factory=list)
    unproved: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)

    def parts(self, reason: str) -> Iterator[SetAside]:
        if proved := joined(self.proved):
            kind = SetAsideKind.HISTORY
            yield SetAside(kind=kind, reason=PROVED, text=proved, judged=False)
        yield from history_parts(joined(self.unproved), reason=reason)


def _compared(history: str, known: _Known) -> _Compared:
    result = _Compared()
    lines = history.split("\n")
    bare = [without_marks(line) for line in lines]
    proved = _proved_lines([_words(line) for line in bare], known)
    for start, head, end in _passages(bare):
        hits = sum(len(_words(bare[n])) for n in range(start + head, end) if proved[n])
        if hits < FEWEST:
            result.unproved.extend(lines[start:end])
            continue
        for n in range(start, start + head):
            (result.unproved if is_said(bare[n]) else result.proved).append(lines[n])
        for n in range(start + head, end):
            own = proved[n] or not _words(bare[n])
            (result.proved if own else result.new).append(lines[n] if own else bare[n])
            if own and result.new and result.new[-1]:
                result.new.append("")
    return result


def _passages(bare: list[str]) -> Iterator[tuple[int, int, int]]:
    """Yield each passage: where it starts, how many lines of head it has, where it ends."""
    start, head, index = 0, 0, 0
    while index < len(bare):
        length = _head_length(bare, index)
        if length:
            if index > start:
                yield start, head, index
            start, head = index, length
        index += length or 1
    if index > start:
        yield start, head, index


def _head_length(bare: list[str], index: int) -> int:
    """Return the lines of a head here, with the header lines below it."""
    length = head_at(bare, index)
    if not length:
        return 0
    end = index + length
    while end < len(bare) and bare[end].strip() and _is_header(bare[end]):
        end += 1
    return end - index


def _is_header(line: str) -> bool:
    """A known label, or one of another language with what headers hold: an address or a time.

    "Lawyer: I sue you" below a head is said, and has to be proved.
    """
    return label(line) is not None or (
        ":" in line[:32] and _HELD.search(line) is not None and not is_said(line)
    )


def _proved_lines(words: Sequence[Sequence[str]], known: _Known) -> list[bool]:
    """Say of each line whether each of its words stands in known company."""
    flat = [word for line in words for word in line]
    covered = [False] * len(flat)
    until = 0
    for start, shingle in enumerate(_shingles(flat)):
        if shingle in known.shingles:
            for place in range(max(start, until), start + SHINGLE):
                covered[place] = True
            until = start + SHINGLE
    found: list[bool] = []
    place = 0
    for line in words:
        end = place + len(line)
        found.append(bool(line) and (all(covered[place:end]) or tuple(line) in known.lines))
        place = end
    return found


def _shingles(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for start in range(len(words) - SHINGLE + 1):
        yield tuple(words[start : start + SHINGLE])


def _words(line: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(_LINK.sub(" ", line))]
