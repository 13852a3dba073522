"""How words are cut into the pieces of a vocabulary: the most probable way, of a unigram model.

By Viterbi (Kudo 2018, https://arxiv.org/abs/1804.10959), over pieces in a trie: 250,000 of them
take 3 MB, and many times that as Python objects, to whose pages every process writes that counts
references to them. What lives elsewhere: whose vocabulary it is, and how a text is made plain
before (``encoder``).
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

SPACE: Final = "\u2581"  # stands before every word
_REMEMBERED: Final = 16_384  # words, in 5 MB: a word comes in several pieces of its mail
_LONGEST_REMEMBERED: Final = 30  # letters; signs that stand for many are spelled out by then
_UNKNOWN_PENALTY: Final = 10.0  # sentencepiece's, below the least likely piece
_WORST: Final = -1e38


@dataclass(frozen=True)
class Unigram:
    """``trie`` (of ``marisa_trie``) gives each piece a place; ``numbers`` and ``scores`` (natural
    logarithms of probabilities) are in the order of the places. ``unknown`` is the number of what
    is in no piece, ``longest`` the letters of the longest piece.
    """

    trie: Any
    numbers: "array[int]"
    scores: "array[float]"
    unknown: int
    longest: int

    def cut(self, word: str) -> tuple[int, ...]:
        """Return the numbers of the pieces of a word, before which stands ``SPACE``.

        No piece goes beyond a word: the best cut of a text is the best cut of each of its words.
        """
        known = len(word) <= _LONGEST_REMEMBERED
        return self._known(word) if known else self._most_probable(word)

    @cached_property
    def _known(self) -> Any:
        return lru_cache(maxsize=_REMEMBERED)(self._most_probable)

    @cached_property
    def _worse_than_all(self) -> float:
        return min(self.scores) - _UNKNOWN_PENALTY

    def _most_probable(self, text: str) -> tuple[int, ...]:
        best = [0.0, *[_WORST] * len(text)]
        cut = [(0, self.unknown)] * (len(text) + 1)  # where the piece that ends here began
        for begin in range(len(text)):
            for end, number, score in self._pieces_at(text, begin):
                if best[begin] + score > best[end]:
                    best[end], cut[end] = best[begin] + score, (begin, number)
        return _backwards(cut)

    def _pieces_at(self, text: str, begin: int) -> Iterator[tuple[int, int, float]]:
        """Yield end, number and score of each piece that begins here, the shortest first."""
        following = text[begin : begin + self.longest]
        known = [*self.trie.iter_prefixes_with_ids(following)]
        if not known or len(known[0][0]) > 1:
            yield begin + 1, self.unknown, self._worse_than_all
        for piece, place in known:
            yield begin + len(piece), self.numbers[place], self.scores[place]


def _backwards(cut: list[tuple[int, int]]) -> tuple[int, ...]:
    numbers, end = [], len(cut) - 1
    while end > 0:
        end, number = cut[end]
        numbers.append(number)
    return tuple(reversed(numbers))
