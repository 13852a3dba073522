"""Text as a list of folded words with their places in the original: what every detector reads.

Folding undoes what hides a word from a reader of letters: case, accents, full-width and look-alike
letters, zero-width characters, apostrophes, s p a c e d letters. What a word *means* lives in the
lexicons; leet digits and typing mistakes are undone there, against a known vocabulary only.
Everything is one pass over the text, so a hostile megabyte costs time in proportion to its size.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from swarm.patterns import linear
from swarm.safety.remembering import remembered

INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff"
)
JOINERS = "'\u2019\u2018\u00b4`"
_MARKS = "\u0300-\u036f"  # a letter may be written as a plain one and its marks
_LETTERS = rf"(?:[^\W_]|[{_MARKS}{INVISIBLE}]){{1,64}}"
_WORD = linear(rf"{_LETTERS}(?:[{JOINERS}@$]{_LETTERS}){{0,3}}", re.UNICODE)
_ELISION = linear(
    rf"(?:l|d|j|qu|n|s|m|t|c|un|dell|all|nell|sull|dall|quell|jusqu|lorsqu)[{JOINERS}]",
    re.IGNORECASE,
)
_BOUNDARY = linear(
    r"[.!?\u2026\u061f](?:[\s\"')\]\u201d\u201c\u2019\u00bb]|[^\w\s]{1,9}\s)|[\u3002\uff01\uff1f]"
    r"|\n\s{0,400}\n|[;\u2022|]"
)
_DROP = linear(rf"[{INVISIBLE}{JOINERS}]")
_INITIALISM = 4  # "s u e" is too short to be anything but initials; "f r a u d" is not

# Letters of other scripts that look like Latin ones; only the shapes, not the sounds.
LOOK_ALIKE = str.maketrans(
    "аеорсухіјѕԁӏһԛԝвкмнтгпυοαρετικνηωβγ",
    "aeopcyxijsdlhqwbkmhtrnuoapetikvnwby",
)
_LATIN_SHAPES = str.maketrans("Ɩɑɡıℓłøđħŧɩ", "lagillodhti")  # letters of some languages, too


@dataclass(frozen=True, slots=True)
class Word:
    """A folded word, the place it came from, and the sentence it stands in."""

    text: str
    start: int
    end: int
    sentence: int


@lru_cache(maxsize=65536)
def fold(raw: str) -> str:
    """Return the plain lower-case Latin shape of a word (``"Kündigung"`` -> ``"kundigung"``)."""
    if raw.isascii():
        return _DROP.sub("", raw).lower()
    decomposed = unicodedata.normalize("NFKD", raw.casefold().replace("æ", "ae").replace("œ", "oe"))
    letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    return _DROP.sub("", letters).translate(LOOK_ALIKE).translate(_LATIN_SHAPES)


@remembered
def words_of(text: str) -> tuple[Word, ...]:
    """Split ``text`` into folded words; positions are those of ``text`` itself."""
    found: list[Word] = []
    sentence, last = 0, 0
    for match in _WORD.finditer(text):
        start, end = match.span()
        if start - last > 1 and _BOUNDARY.search(text, last, start):
            sentence += 1
        last = end
        elision = _ELISION.match(text, start, end)
        start = elision.end() if elision else start
        shape = fold(text[start:end])
        if shape:
            found.append(Word(shape, start, end, sentence))
    return _join_spaced_letters(found)


def _join_spaced_letters(words: list[Word]) -> tuple[Word, ...]:
    """Read ``f r a u d`` as one word."""
    joined: list[Word] = []
    run: list[Word] = []
    for word in words:
        if len(word.text) == 1 and word.text.isalpha():
            run.append(word)
            continue
        joined.extend(_close(run))
        run = []
        joined.append(word)
    joined.extend(_close(run))
    return tuple(joined)


def _close(run: list[Word]) -> list[Word]:
    if len(run) < _INITIALISM:
        return run
    whole = "".join(word.text for word in run)[:64]
    return [Word(whole, run[0].start, run[-1].end, run[0].sentence)]
