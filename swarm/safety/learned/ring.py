"""What the learned detector says about a text: the pieces that rang, their class, and why; and
which places lean to danger, where a word of the lexicon that is only a topic counts in full.

Why: the parts whose absence takes most from the score, found by leaving out one after another, for
the piece that rang loudest only. What is made of a ring is decided in ``swarm.safety.detectors``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from swarm.models import EscalationClass, Noun, TextSpan
from swarm.patterns import linear
from swarm.safety.learned.model import Pieces, Scored, leanings, scored
from swarm.safety.learned.pieces import Piece, pieces_of

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
_NONE = -1


class Ring(Noun):
    """A piece that must reach a person; ``kind`` is the corpus' name, ``why`` the telling words."""

    kind: str
    escalation: EscalationClass
    span: TextSpan
    why: tuple[TextSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard in a text: ``rings``, the loudest first, and which places lean."""

    rings: tuple[Ring, ...] = ()
    calm: bytes = b""

    def leans(self, start: int) -> bool:
        """Whether the place at ``start`` stands in a piece that leans, or in none at all.

        A piece of one or two words is not scored: nobody said that it is harmless.
        """
        return self.calm[start : start + 1] != _CALM


# A mail is judged by the stage and again by two rules; listening is four fifths of what that costs.
@lru_cache(maxsize=8)
def listen(
    texts: tuple[str, ...], topics: tuple[tuple[int, ...], ...] | None = None
) -> tuple[Heard, ...]:
    """Listen to the texts of one mail, to each by itself; together they cost less. ``topics``:
    where in each text a word begins that is a topic of the lexicon.
    """
    parts = [pieces_of(text) for text in texts]
    topics = topics or ((),) * len(texts)
    scores = scored(
        [
            Pieces(
                [text[p.start : p.end] for p in pieces],
                [p.words for p in pieces],
                holding(begins, pieces, len(text)) if begins else frozenset(),
            )
            for text, pieces, begins in zip(texts, parts, topics, strict=True)
        ]
    )
    return tuple(map(_heard, texts, parts, scores))


def holding(places: Iterable[int], pieces: Sequence[Piece], length: int) -> frozenset[int]:
    """Return the numbers of the shortest pieces around some places; a place may stand in none."""
    longest_first = sorted(enumerate(pieces), key=lambda each: each[1].start - each[1].end)
    shortest = _painted([_NONE] * length, longest_first)
    return frozenset(shortest[place] for place in places) - {_NONE}


def _painted(ground: list[int], pieces: Iterable[tuple[int, Piece]]) -> list[int]:
    """Mark the places of some pieces; a later piece paints over an earlier one."""
    for mark, piece in pieces:
        ground[piece.start : piece.end] = [mark] * (piece.end - piece.start)
    return ground


def _heard(text: str, pieces: Sequence[Piece], scores: Sequence[Scored]) -> Heard:
    heard = list(zip(scores, pieces, strict=True))
    loud = [(s, p) for s, p in heard if s.rings]
    loud.sort(key=lambda pair: (-pair[0].loudness, pair[1].start))
    rings = tuple(
        _ring(score, piece, text, _why(piece, text) if not place else ())
        for place, (score, piece) in enumerate(loud)
    )
    return Heard(rings, _calm(len(text), heard))


def _calm(length: int, heard: Iterable[tuple[Scored, Piece]]) -> bytes:
    """Mark the places that stand in pieces of which none leans."""
    leaning_last = sorted(heard, key=lambda pair: pair[0].leans)
    return bytes(_painted([0] * length, ((int(not s.leans), piece) for s, piece in leaning_last)))


def _ring(score: Scored, piece: Piece, text: str, why: tuple[TextSpan, ...]) -> Ring:
    kind = "self_harm" if score.self_harm else score.likeliest
    span = _span(piece.start, piece.end, f"learned: {kind}", text)
    return Ring(kind=kind, escalation=DESK[kind], span=span, why=why)


def _why(piece: Piece, text: str) -> tuple[TextSpan, ...]:
    """Leave out one part of the piece after another: those whose absence costs most told the most.

    Parts, not words: a mail that rings would pay 30 embeddings for its explanation.
    """
    places = [
        (piece.start + found.start(), piece.start + found.end())
        for found in _WORD.finditer(text[piece.start : piece.end])
    ]
    size = -(-len(places) // _PARTS)
    parts = [places[n : n + size] for n in range(0, len(places), size)]
    ends = [(part[0][0], part[-1][1]) for part in parts]
    without = [text[piece.start : start] + text[end : piece.end] for start, end in ends]
    words = [piece.words[: n * size] + piece.words[(n + 1) * size :] for n in range(len(parts))]
    whole, *others = leanings([text[piece.start : piece.end], *without], [piece.words, *words])
    losses = [whole - other for other in others]
    order = sorted(range(len(losses)), key=lambda n: -losses[n])
    telling = sorted(n for n in order[:_TELLING] if losses[n] > 0)
    return tuple(_span(*ends[n], "learned: told by", text) for n in telling)


def _span(start: int, end: int, label: str, text: str) -> TextSpan:
    return TextSpan(start=start, end=end, label=label, excerpt=text[start:end][:_EXCERPT])
