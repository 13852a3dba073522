"""Is a display name a name? A sender writes there whatever he likes, and we would repeat it.

Greeted is only what is known: a given name first, a family name last, both out of lists, or a
family name that the address spells as well. A rare name is greeted without, like an insult.
"""

from functools import cache
from importlib import resources

from swarm.patterns import linear
from swarm.safety.words import fold

_LONGEST = 60
_MOST_WORDS = 6
_SHORTEST_IN_ADDRESS = 3
# Anything but letters, blanks, dots, hyphens and apostrophes: a link or a number could hide there.
_SHAPE = linear(r"[^\W\d_]{1,60}(?:[ .'\u2019-]{1,3}[^\W\d_]{1,60}\.?){0,5}")
_PARTS = linear(r"[ .-]{1,3}")
_NOT_LETTERS = linear(r"[^a-z]{1,60}")
_TITLES = frozenset(
    [
        "dr",
        "prof",
        "herr",
        "frau",
        "mr",
        "mrs",
        "ms",
        "miss",
        "mme",
        "m",
        "mlle",
        "sr",
        "sra",
        "srta",
        "sig",
        "dott",
        "ing",
        "dipl",
    ]
)
_BETWEEN = frozenset(
    [
        "de",
        "da",
        "do",
        "dos",
        "das",
        "di",
        "del",
        "della",
        "der",
        "den",
        "van",
        "von",
        "zu",
        "zur",
        "la",
        "le",
        "du",
        "y",
        "e",
        "bin",
        "al",
    ]
)


def is_a_name(name: str, address: str = "") -> bool:
    """Whether to greet by this display name; in doubt not."""
    name = " ".join(name.split())
    if not name or len(name) > _LONGEST or not _SHAPE.fullmatch(name) or _shouted(name):
        return False
    words = [fold(word) for word in _PARTS.split(name) if word]
    while len(words) > 1 and words[0] in _TITLES:
        words = words[1:]
    if not words or len(words) > _MOST_WORDS:
        return False
    if len(words) == 1:
        return words[0] in _listed("given")
    first, *middle, last = words
    local = {part for part in _NOT_LETTERS.split(fold(address.rpartition("@")[0])) if part}
    return (
        (_initial(first) or first in _listed("given"))
        and all(_may_stand_between(word) for word in middle)
        and (last in _listed("family") or last in _listed("given") or _spelt(last, local, first))
    )


def _shouted(name: str) -> bool:
    """Whether it is written in capitals, like a company, or begins small, like no name."""
    return (name.isupper() and len(name) > 2) or not name[0].isupper()  # noqa: PLR2004 - "Al"


def _may_stand_between(word: str) -> bool:
    known = word in _listed("given") or word in _listed("family")
    return known or _initial(word) or word in _BETWEEN


def _spelt(last: str, local: set[str], first: str) -> bool:
    """Whether the address spells this family name beside a known given name."""
    known = not _initial(first)
    return known and len(last) >= _SHORTEST_IN_ADDRESS and last in local


def _initial(word: str) -> bool:
    return len(word) == 1


@cache
def _listed(kind: str) -> frozenset[str]:
    text = resources.files("swarm.specialists.names").joinpath(f"{kind}.txt").read_text("utf-8")
    return frozenset(text.split())
