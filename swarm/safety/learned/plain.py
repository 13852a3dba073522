"""What the encoder reads of a text: letters, figures and plain punctuation, and not too many.

It was tuned on what people write in letters. So what else stands for a letter is undone first:
composed forms, typographic apostrophes, marks over letters, invisible signs, a text all in
capitals, letters of other scripts among Latin ones. What lives elsewhere: the folded words that the
lexicon and skimming know (``swarm.safety.words``), which have no case and no accents.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from swarm.patterns import linear
from swarm.safety.words import INVISIBLE, JOINERS, LOOK_ALIKE

_LONGEST_TEXT: Final = 1000  # characters; a window of 40 words has some 250
_MOST_LOOKED_AT: Final = 20_000  # of them at most are made plain
_LONGEST_WORD: Final = 24  # letters
_FRAME: Final = " .,;:!?\"'()-"
_PUNCTUATION: Final = frozenset(".,:;!?'-")
_APOSTROPHES: Final = str.maketrans(dict.fromkeys(f"{JOINERS}\u02bc", "'"))
_UNSEEN: Final = linear(rf"[{INVISIBLE}]")
_SIGNS: Final = linear(r"[.,:;!?'-]")
_LATIN: Final = linear(r"[a-zA-Z]")


# A piece of a mail is counted before it is read.
@lru_cache(maxsize=1024)
def plain(text: str) -> str:
    """Return what is read of a text.

    Without the full stop around it, which moves a vector further than a word does: people leave it
    out or not.
    """
    told = "".join(_letters(text[:_MOST_LOOKED_AT]))
    if told.isupper():
        told = told.lower()
    words = " ".join(word for whole in _without_rows(told.split()) for word in _cut(whole))
    return words.strip(_FRAME)[:_LONGEST_TEXT].rstrip(_FRAME)


def _letters(text: str) -> Iterator[str]:
    composed = unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).translate(_APOSTROPHES)
    if not composed.isascii() and _LATIN.search(composed):
        composed = composed.translate(LOOK_ALIKE)
    for letter in composed:
        if letter.isalnum() or letter in _PUNCTUATION:
            yield letter
        elif not unicodedata.combining(letter):
            yield " "


def _without_rows(words: Sequence[str]) -> Iterator[str]:
    """One sign alone is read (French ``dit : non``); a row of dashes would be all that is read."""
    before = ""
    for word in words:
        if any(map(str.isalnum, word)) or (len(word) == 1 and any(map(str.isalnum, before))):
            yield word
        before = word


def _cut(whole: str) -> Iterator[str]:
    """What signs hold together without a blank is one word only while it is short."""
    parts = [whole] if len(whole) <= _LONGEST_WORD else _SIGNS.sub(" ", whole).split()
    yield from (part[:_LONGEST_WORD] for part in parts)
