"""What the learned detector says about a text: the pieces that rang, their class, and why.

Why: the words whose absence takes most from the score, found by leaving out one after another, for
the piece that rang loudest only. What is made of a ring is decided in ``swarm.safety.detectors``.
"""

from collections.abc import Mapping
from typing import Final

from swarm.models import EscalationClass, Noun, TextSpan
from swarm.patterns import linear
from swarm.safety.learned.model import Scored, scored
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
_TELLING = 3  # words shown


class Ring(Noun):
    """A piece that must reach a person; ``kind`` is the corpus' name, ``why`` the telling words."""

    kind: str
    escalation: EscalationClass
    span: TextSpan
    why: tuple[TextSpan, ...] = ()


def rings(text: str, language: str) -> tuple[Ring, ...]:
    """Return what rang in a text, the loudest first; the same text always gives the same."""
    pieces = pieces_of(text)
    scores = scored([text[p.start : p.end] for p in pieces], [p.words for p in pieces], language)
    loud = [(s, p) for s, p in zip(scores, pieces, strict=True) if s.rings]
    loud.sort(key=lambda pair: (-max(pair[0].margin, pair[0].self_harm), pair[1].start))
    return tuple(
        _ring(score, piece, text, _why(score, piece, text, language) if not place else ())
        for place, (score, piece) in enumerate(loud)
    )


def _ring(score: Scored, piece: Piece, text: str, why: tuple[TextSpan, ...]) -> Ring:
    kind = "self_harm" if score.self_harm > 0 else score.likeliest
    span = _span(piece.start, piece.end, f"learned: {kind}", text)
    return Ring(kind=kind, escalation=DESK[kind], span=span, why=why)


def _why(score: Scored, piece: Piece, text: str, language: str) -> tuple[TextSpan, ...]:
    """Leave out one word after another: those whose absence costs most told the most."""
    places = [
        (piece.start + found.start(), piece.start + found.end())
        for found in _WORD.finditer(text[piece.start : piece.end])
    ]
    without = [text[piece.start : start] + text[end : piece.end] for start, end in places]
    words = [piece.words[:n] + piece.words[n + 1 :] for n in range(len(places))]
    others = scored(without, words, language)
    losses = [score.margin - other.margin for other in others]
    order = sorted(range(len(losses)), key=lambda n: -losses[n])
    telling = sorted(n for n in order[:_TELLING] if losses[n] > 0)
    return tuple(_span(*places[n], "learned: told by", text) for n in telling)


def _span(start: int, end: int, label: str, text: str) -> TextSpan:
    return TextSpan(start=start, end=end, label=label, excerpt=text[start:end][:_EXCERPT])
