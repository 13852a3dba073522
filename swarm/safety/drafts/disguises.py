"""Names of channels as nobody writes them who may: "Te1egram", "Whats4pp", "Tel-e-gram"."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from swarm.safety.lexicon import word_class
from swarm.safety.words import words_of

_NAMES: Final = frozenset(word_class("channel", "drafts"))
# A one is an i or an l.
_LEET: Final = tuple(str.maketrans("0134578@$!|", f"o{one}eastbasil") for one in "il")


def names_in_disguise(text: str) -> bool:
    """Whether a channel is named with figures for letters, doubled ones or in pieces."""
    words = [word.text for word in words_of(text)]
    single = (word for word in words if word not in _NAMES)
    pairs = (first + second for first, second in pairwise(words))
    threes = (a + b + c for a, b, c in zip(words, words[1:], words[2:], strict=False))
    return any(_names_one(piece) for pieces in (single, pairs, threes) for piece in pieces)


def _names_one(piece: str) -> bool:
    return any(reading in _SHAPES for reading in _readings(piece))


def _readings(piece: str) -> Iterator[str]:
    yield _squeezed(piece)
    if not piece.isalpha():
        yield from (_squeezed(piece.translate(letters)) for letters in _LEET)


def _squeezed(word: str) -> str:
    return "".join(c for n, c in enumerate(word) if n == 0 or word[n - 1] != c)


_SHAPES: Final = frozenset(map(_squeezed, _NAMES))
