"""The pieces of a mail that are scored each on its own: one dangerous sentence among five harmless
ones is lost when the whole is scored (3 of 70 found; piece by piece 67 of 70).

A piece is a sentence, or a short line (people end lines instead of sentences); what is longer is
read through a window. However a text is made, there are at most as many pieces as windows.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, pairwise
from typing import NamedTuple

from swarm.safety.words import Word, words_of

WINDOW, STEP = 40, 30  # words; windows overlap, so that nothing stands at an edge of all of them
SHORTEST = 3  # words; "Thanks, Ada" says nothing
SHORT_LINE = 60  # characters; longer lines were wrapped by a program and are no sentences
MOST_PIECES = 300  # beyond, only windows are scored: 100,000 characters make about 600


class Piece(NamedTuple):
    """``words`` of the text from character ``start`` to ``end``."""

    start: int
    end: int
    words: tuple[str, ...]


class Pieces(NamedTuple):
    """What is scored by itself, in order; and of the sentences each with the next, for what is
    meant often stands between two.
    """

    alone: tuple[Piece, ...] = ()
    joined: tuple[Piece, ...] = ()


def pieces_of(text: str) -> Pieces:
    """Return the pieces of a text, each once."""
    words = words_of(text)
    sentences = _long_enough(list(w) for _, w in groupby(words, key=lambda word: word.sentence))
    alone = dict.fromkeys((*chain.from_iterable(map(_windows, sentences)), *_lines(text, words)))
    joined = dict.fromkeys(_joined(sentences))
    if len(alone) + len(joined) > MOST_PIECES:
        return Pieces(tuple(_windows(words)))
    return Pieces(tuple(alone), tuple(piece for piece in joined if piece not in alone))


def _joined(sentences: Sequence[list[Word]]) -> Iterator[Piece]:
    for one, two in pairwise(sentences):
        if len(one) + len(two) <= WINDOW:
            yield from _windows([*one, *two])


def _long_enough(sentences: Iterable[list[Word]]) -> list[list[Word]]:
    """A sentence that says nothing alone is read with the next: "I. Cannot. Go. On." """
    found: list[list[Word]] = []
    for sentence in sentences:
        if found and len(found[-1]) < SHORTEST:
            found[-1] += sentence
        else:
            found.append(sentence)
    return found


def _lines(text: str, words: Sequence[Word]) -> Iterator[Piece]:
    """Lines that a person ended; a sentence of one line is a piece already."""
    ends = [-1, *(place for place, letter in enumerate(text) if letter == "\n"), len(text)]
    place = 0
    for before, end in pairwise(ends):
        first = place
        while place < len(words) and words[place].start < end:
            place += 1
        if end - before <= SHORT_LINE:
            yield from _windows(words[first:place])


def _windows(words: Sequence[Word]) -> Iterator[Piece]:
    for first in range(0, max(1, len(words) - (WINDOW - STEP)), STEP):
        some = words[first : first + WINDOW]
        if len(some) >= SHORTEST:
            yield Piece(some[0].start, some[-1].end, tuple(word.text for word in some))
