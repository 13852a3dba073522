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
from swarm.safety.learned.encoder import tokens_of
from swarm.safety.learned.pieces import Piece, Pieces, pieces_of
from swarm.safety.learned.plain import plain
from swarm.safety.learned.reader import Scored, adding, scored, thresholds
from swarm.safety.learned.skimming import is_foreign, likelihoods

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
# Tokens of a mail that are read, 0.15 to 0.25 ms each. A mail of a page has some 500.
MOST_READ: Final = 8_000


class Ring(Noun):
    """A piece that must reach a person; ``kind`` is the corpus' name, ``why`` the telling words."""

    kind: str
    escalation: EscalationClass
    span: TextSpan
    why: tuple[TextSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard in a text: ``rings``, the loudest first, and which places lean; and whether
    the ``whole`` was read of what was worth it.
    """

    rings: tuple[Ring, ...] = ()
    calm: bytes = b""
    whole: bool = True

    def leans(self, start: int) -> bool:
        """Whether the place at ``start`` stands in a piece that leans, or in none.

        What stands around a sentence of one or two words cannot say that it is harmless.
        """
        return self.calm[start : start + 1] != _CALM


class _Allowance:
    """How much of a mail may still be read."""

    def __init__(self) -> None:
        self.left = MOST_READ

    def takes(self, text: str) -> bool:
        """Count a text; whether it may be read."""
        self.left -= len(tokens_of(plain(text))) if self.left > 0 else 1
        return self.left >= 0


# A mail is judged by the stage and again by two rules; listening is most of what that costs.
@lru_cache(maxsize=8)
def listen(
    texts: tuple[str, ...], topics: tuple[tuple[int, ...], ...] | None = None
) -> tuple[Heard, ...]:
    """Listen to the texts of one mail, to each by itself. ``topics``: where in each text a word
    begins that is a topic of the lexicon, in order: what holds one is read first.
    """
    allowance = _Allowance()
    each = zip(texts, topics or ((),) * len(texts), strict=True)
    return tuple(_heard(text, places, allowance) for text, places in each)


def _heard(text: str, topics: Sequence[int], allowance: _Allowance) -> Heard:
    pieces = pieces_of(text)
    worth = worth_reading(_once(pieces.alone), topics)
    heard = [*_read(text, worth, pieces, allowance)]
    loud = [(s, p) for s, p in heard if s.rings]
    loud.sort(key=lambda pair: (-pair[0].loudness, pair[1].start))
    rings = tuple(
        _ring(score, piece, text, _why(piece, score.kind, text) if not place else ())
        for place, (score, piece) in enumerate(loud)
    )
    wanted = {piece.words for piece in worth}
    leaning = {piece.words: False for piece in pieces.alone if piece.words not in wanted}
    leaning |= {piece.words: score.leans for score, piece in heard}
    return Heard(rings, _calm(len(text), pieces, leaning), whole=allowance.left >= 0)


def _once(pieces: Iterable[Piece]) -> list[Piece]:
    """What is said again is read once."""
    return [*{piece.words: piece for piece in reversed([*pieces])}.values()]


def worth_reading(pieces: Sequence[Piece], topics: Sequence[int] = ()) -> list[Piece]:
    """Return what is worth it by a topic in it, by what skimming says, or because that cannot know;
    in this order, the likeliest first.
    """
    least = thresholds().skimmed
    found = []
    for piece, value in zip(pieces, likelihoods([p.words for p in pieces]), strict=True):
        topical = bisect_left(topics, piece.start) < bisect_left(topics, piece.end)
        if topical or value > least or is_foreign(piece.words):
            found.append(((not topical, -float(value), piece.start), piece))
    return [piece for _, piece in sorted(found)]


def _read(
    text: str, worth: Sequence[Piece], pieces: Pieces, allowance: _Allowance
) -> Iterator[tuple[Scored, Piece]]:
    """Read what stands alone, and what is in doubt with its neighbours: on 381 mails that found
    what reading all of them together found, with a quarter less to read.
    """
    alone = [*_scored(text, worth, allowance)]
    doubted = {piece.words for score, piece in alone if score.doubted}
    places = [piece.start for piece in pieces.alone if piece.words in doubted]
    beside = (p for p in pieces.joined if bisect_left(places, p.start) < bisect_left(places, p.end))
    yield from alone
    yield from _scored(text, _once(beside), allowance)


def _scored(
    text: str, pieces: Sequence[Piece], allowance: _Allowance
) -> Iterator[tuple[Scored, Piece]]:
    said = [(text[piece.start : piece.end], piece) for piece in pieces]
    read = [(each, piece) for each, piece in said if allowance.takes(each)]
    yield from zip(scored([each for each, _ in read]), (piece for _, piece in read), strict=True)


def _calm(length: int, pieces: Pieces, leaning: Mapping[tuple[str, ...], bool]) -> bytes:
    """Mark the places of pieces that do not lean and that stand in none that does, or is short."""
    everywhere = (*pieces.alone, *pieces.joined)
    calm = [piece for piece in everywhere if leaning.get(piece.words) is False]
    other = [piece for piece in everywhere if leaning.get(piece.words) or piece.short]
    marked = bytearray(length)
    for mark, some in ((_CALM, calm), (b"\0", other)):
        for piece in some:
            marked[piece.start : piece.end] = mark * (piece.end - piece.start)
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
