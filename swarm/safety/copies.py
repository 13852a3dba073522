"""Whether a mail asks to keep in copy those it was copied to. Who they are, its headers say."""

from collections.abc import Collection
from functools import cache

from swarm.patterns import linear
from swarm.safety.lexicon import load
from swarm.safety.matching import Matcher
from swarm.safety.words import words_of

_AFTER = 80  # characters behind a wish in which it may name an address
_ADDRESS = linear(r"[\w.+-]{1,64}@[\w.-]{1,255}")


def asks_to_keep_copies(text: str, known: Collection[str]) -> bool:
    """Whether the text asks that those in copy stay there; phrases are in ``copies.txt``.

    ``known`` are their lower-cased addresses: a wish about any other address is none of this kind.
    """
    hits = _matcher().hits(words_of(text))
    return bool(hits) and not any(
        _strange(text[hit.start : hit.end + _AFTER], known) for hit in hits
    )


def _strange(text: str, known: Collection[str]) -> bool:
    return any(address.lower().rstrip(".") not in known for address in _ADDRESS.findall(text))


@cache
def _matcher() -> Matcher:
    return Matcher(load("copies"))
