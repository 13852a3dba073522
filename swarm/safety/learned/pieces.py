"""The pieces of a mail that are scored each on its own: one dangerous sentence among five harmless
ones is lost when the whole is scored (3 of 70 found; piece by piece 67 of 70).

A piece is a sentence, or a short line (people end lines instead of sentences); what is longer is
read through a window.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, pairwise
from typing import NamedTuple

from swarm.safety.words import JOINERS, Word, words_of

WINDOW, STEP = 40, 30  # words; windows overlap, so that nothing stands at an edge of all of them
SHORT = 3  # words; what has fewer is read with what follows as well
SHORT_LINE = 60  # characters; longer lines were wrapped by a program and are no sentences
_ELISION = 7  # characters; "lorsqu'" stands before a word and is none


class Piece(NamedTuple):
    """``words`` of the text from character ``start`` to ``end``."""

    start: int
    end: int
    words: tuple[str, ...]

    @property
    def short(self) -> bool:
        """Whether it is too short for what stands around it to say that it is harmless."""
        return len(self.words) < SHORT


class Pieces(NamedTuple):
    """What is scored by itself, in order; and of the sentences each with the next, for what is
    meant often stands between two.
    """

    alone: tuple[Piece, ...] = ()
    joined: tuple[Piece, ...] = ()


def pieces_of(text: str) -> Pieces:
    """Return the pieces of a text; of two at the same place one."""
    words = words_of(text)
    said = [list(group) for _, group in groupby(words, key=lambda word: word.sentence)]
    sentences = _long_enough(said)
    alone = chain(
        chain.from_iterable(_windows(text, sentence) for sentence in sentences),
        chain.from_iterable(_windows(text, each) for each in said if len(each) < SHORT),
        _lines(text, words),
    )
    found = {*alone}
    return Pieces(tuple(sorted(found)), tuple(sorted({*_joined(text, sentences)} - found)))


def _long_enough(sentences: Iterable[list[Word]]) -> list[list[Word]]:
    """A sentence that says little alone is read with the next: "I. Cannot. Go. On." """
    found: list[list[Word]] = []
    for sentence in sentences:
        if found and len(found[-1]) < SHORT:
            found[-1] += sentence
        else:
            found.append([*sentence])
    return found


def _joined(text: str, sentences: Sequence[list[Word]]) -> Iterator[Piece]:
    for one, two in pairwise(sentences):
        if len(one) + len(two) <= WINDOW:
            yield from _windows(text, [*one, *two])


def _lines(text: str, words: Sequence[Word]) -> Iterator[Piece]:
    """Lines that a person ended; a sentence of one line is a piece already."""
    ends = [-1, *(place for place, letter in enumerate(text) if letter == "\n"), len(text)]
    place, wrapped = 0, False
    for before, end in pairwise(ends):
        first = place
        while place < len(words) and words[place].start < end:
            place += 1
        goes_on = wrapped and place - first < SHORT  # the last words of a line that was too long
        if end - before <= SHORT_LINE and not goes_on:
            yield from _windows(text, words[first:place])
        wrapped = end - before > SHORT_LINE


def _windows(text: str, words: Sequence[Word]) -> Iterator[Piece]:
    for first in range(0, max(1, len(words) - (WINDOW - STEP)), STEP):
        if some := words[first : first + WINDOW]:
            start = _with_elision(text, some[0].start)
            yield Piece(start, some[-1].end, tuple(word.text for word in some))


def _with_elision(text: str, start: int) -> int:
    """A word begins behind its elision, a piece before it: "J'ai", "L'ho"."""
    before = start
    while before > max(0, start - _ELISION) and not text[before - 1].isspace():
        before -= 1
    return before if text[before:start].strip(JOINERS).isalpha() else start
