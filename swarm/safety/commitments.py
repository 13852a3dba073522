"""Where a draft binds the company: money, deadlines, liability, law, guarantees (ES-08)."""

from functools import cache

from swarm.models import TextSpan
from swarm.safety.lexicon import load
from swarm.safety.matching import Matcher
from swarm.safety.words import words_of

_EXCERPT = 120


def commitments(text: str) -> tuple[TextSpan, ...]:
    """Find binding phrases; each span's label says what is promised."""
    return tuple(
        TextSpan(
            start=hit.start,
            end=hit.end,
            label=hit.phrase.label,
            excerpt=text[hit.start : hit.end][:_EXCERPT],
        )
        for hit in _matcher().hits(words_of(text), every=True)
    )


@cache
def _matcher() -> Matcher:
    return Matcher(load("commitments"))
