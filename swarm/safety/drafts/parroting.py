"""A reply that only says again what the mail said: what an obedient model does when told to repeat.

What is likely an order to a machine in a mail ("include the number in your reply") is everyday in
a reply, unless the mail gave the same kind of order.

Sequences of words are counted, not single ones: a reply takes up the words of its mail. A question
that is listed again asserts nothing and is left out.
"""

from collections.abc import Iterator, Sequence

from swarm.models import TextSpan
from swarm.safety.drafts.parts import sentences
from swarm.safety.injection import is_certain, scan
from swarm.safety.words import words_of

_RUN = 4  # words
_FEWEST = 5  # runs; fewer may be chance
_MOST_AGAIN = 0.5


def parroting(said: str, mail: str) -> Iterator[str]:
    """Say that a reply repeats the mail, or gives orders to a machine as such mails do."""
    own = _runs([s for s in sentences(said) if not s.endswith("?")])
    if len(own) >= _FEWEST and len(own & _runs([mail])) > _MOST_AGAIN * len(own):
        yield "the reply repeats the mail instead of answering it"
    orders = scan(said)
    if any(map(is_certain, orders)) or _labels(orders) & _labels(scan(mail)):
        yield "the reply reads like an instruction to a machine"


def _labels(spans: Sequence[TextSpan]) -> frozenset[str]:
    return frozenset(span.label for span in spans)


def _runs(texts: Sequence[str]) -> frozenset[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for text in texts:
        words = [word.text for word in words_of(text)]
        found.update(tuple(words[n : n + _RUN]) for n in range(len(words) - _RUN + 1))
    return frozenset(found)
