"""Where a draft binds the company: money, deadlines, liability, law, guarantees (ES-08).

Three detectors and a union: phrases, exact and explained; how a sentence is built, whatever it is
about; and a learned one for what is promised in other words. The latter two
(``swarm.safety.promises``) only ever add.
"""

from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from itertools import takewhile
from operator import attrgetter

from swarm.models import TextSpan
from swarm.safety.lexicon import load
from swarm.safety.matching import Matcher
from swarm.safety.promises import built, promising, reported
from swarm.safety.promises.sentences import Clause
from swarm.safety.words import words_of

_EXCERPT = 120
_BUILT, _LEARNED = "is built like a promise", "reads like a promise"


def commitments(text: str) -> tuple[TextSpan, ...]:
    """Find binding phrases and sentences; each span's label says what is promised."""
    named = phrases(text)
    why = dict.fromkeys(promising(text), _LEARNED) | dict.fromkeys(built(text), _BUILT)
    in_order = sorted(named, key=attrgetter("start"))
    other = (piece for piece in sorted(why) if not _holds_one(piece, in_order))
    return (*named, *(_span(text, piece.start, piece.end, why[piece]) for piece in other))


def _holds_one(piece: Clause, in_order: Sequence[TextSpan]) -> bool:
    """Whether one of some spans, in the order of their starts, lies within a piece."""
    first = bisect_left(in_order, piece.start, key=attrgetter("start"))
    behind = (in_order[at] for at in range(first, len(in_order)))
    near = takewhile(lambda span: span.start < piece.end, behind)
    return any(span.end <= piece.end for span in near)


def phrases(text: str) -> tuple[TextSpan, ...]:
    """Find the binding phrases of the lexicon alone, but for those that report the customer."""
    hits = _matcher().hits(words_of(text), every=True)
    said = reported(text) if hits else b""
    return tuple(
        _span(text, hit.start, hit.end, hit.phrase.label) for hit in hits if not said[hit.start]
    )


def _span(text: str, start: int, end: int, label: str) -> TextSpan:
    return TextSpan(start=start, end=end, label=label, excerpt=text[start:end][:_EXCERPT])


@cache
def _matcher() -> Matcher:
    return Matcher(load("commitments"))
