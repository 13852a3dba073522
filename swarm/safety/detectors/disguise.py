"""Whether a text is written so that people can read it and detectors cannot.

Single disguises are undone where words are folded (``swarm.safety.words``); here is what is left: a
text that is disguised throughout is not judged, and goes to a person.
"""

from collections.abc import Sequence
from typing import Final

from swarm.patterns import linear
from swarm.safety.words import Word

_LETTER_BY_LETTER: Final = 16  # letters with blanks between; "D A N G E R" is a word
_FIGURES: Final = linear(r"[a-z]\d{1,4}[a-z]|\d[a-z]\d")  # "n0b0dy"; serial numbers are capitals
_FEWEST: Final = 5  # words with figures for letters, and a third of all: not a list of articles
_SHARE: Final = 3
# Small capitals and phonetic letters: of no language's alphabet.
_SHAPES: Final = linear(r"[\u0250-\u02af\u1d00-\u1dbf\ua730-\ua7ff]")
_MOST_SHAPES: Final = 5


def is_disguised(text: str, words: Sequence[Word]) -> bool:
    """Whether letters are apart, are figures, or are of no alphabet, over much of a text."""
    apart = any(
        len(word.text) >= _LETTER_BY_LETTER and word.end - word.start >= 2 * len(word.text) - 1
        for word in words
    )
    figures = sum(
        _FIGURES.search(word.text) is not None and text[word.start : word.end].islower()
        for word in words
    )
    shapes = 0 if text.isascii() else sum(1 for _ in _SHAPES.finditer(text))
    return apart or (figures >= _FEWEST and figures * _SHARE >= len(words)) or shapes > _MOST_SHAPES
