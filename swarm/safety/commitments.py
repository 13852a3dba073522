"""Where a draft binds the company: money, deadlines, liability, law, guarantees (ES-08).

Two detectors and a union: phrases, exact and explained, and a learned one for what is promised in
other words (``swarm.safety.promises``), which only ever adds.
"""

from functools import cache

from swarm.models import TextSpan
from swarm.safety.lexicon import load
from swarm.safety.matching import Matcher
from swarm.safety.promises import promising
from swarm.safety.words import words_of

_EXCERPT = 120
_LEARNED = "reads like a promise"


def commitments(text: str) -> tuple[TextSpan, ...]:
    """Find binding phrases and sentences; each span's label says what is promised."""
    named = phrases(text)
    other = [
        piece
        for piece in promising(text)
        if not any(piece.start <= one.start and one.end <= piece.end for one in named)
    ]
    return (*named, *(_span(text, piece.start, piece.end, _LEARNED) for piece in other))


def phrases(text: str) -> tuple[TextSpan, ...]:
    """Find the binding phrases of the lexicon alone."""
    hits = _matcher().hits(words_of(text), every=True)
    return tuple(_span(text, hit.start, hit.end, hit.phrase.label) for hit in hits)


def _span(text: str, start: int, end: int, label: str) -> TextSpan:
    return TextSpan(start=start, end=end, label=label, excerpt=text[start:end][:_EXCERPT])


@cache
def _matcher() -> Matcher:
    return Matcher(load("commitments"))
