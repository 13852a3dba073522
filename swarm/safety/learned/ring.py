"""What the learned detector says about a text: the pieces that rang, their class, and why; and
which places lean to danger, where a word of the lexicon that is only a topic counts in full.

Why: the parts whose words add most to the value of its kind, for the piece that rang loudest only.
What is made of a ring is decided in ``swarm.safety.detectors``.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from swarm.models import EscalationClass, Noun, TextSpan
from swarm.patterns import linear
from swarm.safety.learned.pieces import Piece, pieces_of
from swarm.safety.learned.reader import Scored, adding, scored, thresholds
from swarm.safety.learned.skimming import likelihoods

# The corpus tells kinds apart that one desk of people answers.
DESK: Final[Mapping[str, EscalationClass]] = {
    "self_harm": EscalationClass.SAFETY,
    "injury": EscalationClass.SAFETY,
    "legal": EscalationClass.LEGAL,
    "press": EscalationClass.PRESS,
    "fraud": EscalationClass.FRAUD,
    "privacy": EscalationClass.PRIVACY,
    "other_peoples_papers": EscalationClass.PRIVACY,
    "discrimination": EscalationClass.LEGAL,
    "vulnerable": EscalationClass.VULNERABLE,
    "human_requested": EscalationClass.HUMAN_REQUESTED,
    "complaint": EscalationClass.COMPLAINT,
    "money_dispute": EscalationClass.MONEY_DISPUTE,
    "cancellation": EscalationClass.LEGAL,
    "abuse": EscalationClass.SAFETY,
    "vip": EscalationClass.COMPLAINT,
}
_WORD = linear(r"\S{1,200}")
_EXCERPT = 120
_PARTS = 8  # a piece is taken apart into, to say why
_TELLING = 2  # parts shown
_CALM = b"\1"
MOST_READ: Final = 200  # pieces of a text: two seconds; 30,000 characters of doubt


class Ring(Noun):
    """A piece that must reach a person; ``kind`` is the corpus' name, ``why`` the telling words."""

    kind: str
    escalation: EscalationClass
    span: TextSpan
    why: tuple[TextSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard in a text: ``rings``, the loudest first, and which places lean. ``whole``:
    whether all was read that was worth it.
    """

    rings: tuple[Ring, ...] = ()
    calm: bytes = b""
    whole: bool = True

    def leans(self, start: int) -> bool:
        """Whether the place at ``start`` stands in a piece that leans, or in none at all.

        A piece of one or two words is not scored: nobody said that it is harmless.
        """
        return self.calm[start : start + 1] != _CALM


# A mail is judged by the stage and again by two rules; listening is most of what that costs.
@lru_cache(maxsize=8)
def listen(
    texts: tuple[str, ...], topics: tuple[tuple[int, ...], ...] | None = None
) -> tuple[Heard, ...]:
    """Listen to the texts of one mail, to each by itself. ``topics``: where in each text a word
    begins that is a topic of the lexicon, in order: what holds one is read in any case.
    """
    return tuple(map(_heard, texts, topics or ((),) * len(texts)))


def _heard(text: str, topics: Sequence[int]) -> Heard:
    pieces = pieces_of(text)
    worth = worth_reading(pieces.alone, topics)
    heard = [*_read(text, worth[:MOST_READ], pieces.joined)]
    loud = [(s, p) for s, p in heard if s.rings]
    loud.sort(key=lambda pair: (-pair[0].loudness, pair[1].start))
    rings = tuple(
        _ring(score, piece, text, _why(piece, score.kind, text) if not place else ())
        for place, (score, piece) in enumerate(loud)
    )
    unread = {*pieces.alone} - {*worth[:MOST_READ]}
    return Heard(rings, _calm(len(text), heard, unread), whole=len(worth) <= MOST_READ)


def worth_reading(pieces: Sequence[Piece], topics: Sequence[int] = ()) -> list[Piece]:
    """Return what is worth it by what skimming says, or by a topic in it; the likeliest first."""
    least = thresholds().skimmed
    told = likelihoods([piece.words for piece in pieces])
    worth = [
        (float(value), piece)
        for value, piece in zip(told, pieces, strict=True)
        if value > least or bisect_left(topics, piece.start) < bisect_left(topics, piece.end)
    ]
    return [piece for _, piece in sorted(worth, key=lambda each: (-each[0], each[1].start))]


def _read(
    text: str, worth: Sequence[Piece], joined: Sequence[Piece]
) -> Iterator[tuple[Scored, Piece]]:
    """Read what stands alone, and what is in doubt with its neighbours: on 381 mails that found
    what reading all of them together found, with a quarter less to read.
    """
    alone = [*zip(_scores(text, worth), worth, strict=True)]
    doubted = [piece for score, piece in alone if score.doubted]
    beside = [
        piece
        for piece in joined
        if any(piece.start <= one.start and one.end <= piece.end for one in doubted)
    ]
    yield from alone
    yield from zip(_scores(text, beside), beside, strict=True)


def _scores(text: str, pieces: Sequence[Piece]) -> list[Scored]:
    return scored([text[piece.start : piece.end] for piece in pieces])


def _calm(length: int, heard: Iterable[tuple[Scored, Piece]], unread: Iterable[Piece]) -> bytes:
    """Mark the places that stand in pieces of which none leans."""
    marked = bytearray(length)
    told = [
        *((False, piece) for piece in unread),
        *((score.leans, piece) for score, piece in heard),
    ]
    for leans, piece in sorted(told, key=lambda each: each[0]):
        marked[piece.start : piece.end] = (b"\0" if leans else _CALM) * (piece.end - piece.start)
    return bytes(marked)


def _ring(score: Scored, piece: Piece, text: str, why: tuple[TextSpan, ...]) -> Ring:
    span = _span(piece.start, piece.end, f"learned: {score.kind}", text)
    return Ring(kind=score.kind, escalation=DESK[score.kind], span=span, why=why)


def _why(piece: Piece, kind: str, text: str) -> tuple[TextSpan, ...]:
    """Take the piece apart: those parts told the most whose words add most."""
    places = [
        (piece.start + found.start(), piece.start + found.end())
        for found in _WORD.finditer(text[piece.start : piece.end])
    ]
    added = adding([text[start:end] for start, end in places], kind)
    size = -(-len(places) // _PARTS)
    starts = range(0, len(places), size)
    sums = {first: sum(added[first : first + size]) for first in starts}
    telling = sorted(sorted(starts, key=lambda first: -sums[first])[:_TELLING])
    ends = ((places[at][0], places[at : at + size][-1][1]) for at in telling if sums[at] > 0)
    return tuple(_span(*end, "learned: told by", text) for end in ends)


def _span(start: int, end: int, label: str, text: str) -> TextSpan:
    return TextSpan(start=start, end=end, label=label, excerpt=text[start:end][:_EXCERPT])
