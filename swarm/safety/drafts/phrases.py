"""The phrases of ``lexicon/drafts.txt``: what no reply says to a customer, in seven languages."""

from collections.abc import Sequence
from functools import cache

from swarm.safety.lexicon import load
from swarm.safety.matching import Matcher
from swarm.safety.words import Word


def labels(family: str, words: Sequence[Word]) -> tuple[str, ...]:
    """Return why phrases of a family rang, each reason once."""
    hits = _matcher().hits(tuple(words), every=True)
    return tuple(dict.fromkeys(h.phrase.label for h in hits if h.phrase.family == family))


@cache
def _matcher() -> Matcher:
    return Matcher(load("drafts"))
