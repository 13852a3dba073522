"""Which pieces of a mail are worth reading: by the letters and words in them.

A linear model over hashed n-grams, some tenths of a millisecond a piece where the encoder takes
four. Four of ten everyday sentences are left out by it, and of 200 dangerous ones that the encoder
finds one. Also left in is whatever it cannot know: what has none of the little words of the seven
languages. It only says what is read; whether a piece rings is for ``reader``.
"""

import io
import zlib
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib import resources
from itertools import chain, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swarm.safety.lexicon import word_class

WEIGHTS: Final = "skimming.npz"
BUCKETS: Final = 1 << 17
_LONGEST_WORD: Final = 24  # letters
_CHARACTERS: Final = (3, 4, 5)
_PART, _STEP = 12, 6  # words
_ENOUGH_WORDS: Final = 4
_LITTLE_WORDS: Final = frozenset(word_class("little", "languages"))
_REMEMBERED: Final = 16_384  # words: those of a language's everyday, in 15 MB


def likelihoods(pieces: Sequence[Sequence[str]]) -> NDArray[np.float32]:
    """Return a value for the words of each piece; raises ``OSError`` without the weights.

    The value of its likeliest part: courtesy all around dilutes what a few words say.
    """
    weights = _weights()
    return np.array(
        [max(_mean(weights, grams(part)) for part in _parts(words)) for words in pieces],
        dtype=np.float32,
    )


def is_foreign(words: Sequence[str]) -> bool:
    """Whether the words of a piece are of no language that was learned."""
    return len(words) >= _ENOUGH_WORDS and _LITTLE_WORDS.isdisjoint(words)


def _parts(words: Sequence[str]) -> Iterator[Sequence[str]]:
    yield words
    for first in range(0, len(words) - _PART + _STEP if len(words) > _PART else 0, _STEP):
        yield words[first : first + _PART]


def _mean(weights: NDArray[np.float32], buckets: NDArray[np.int64]) -> float:
    return float(weights[buckets].sum() / np.sqrt(len(buckets))) if len(buckets) else 0.0


def grams(words: Sequence[str]) -> NDArray[np.int64]:
    """Return the buckets of a piece's n-grams, sorted, each once."""
    plain = ["#" if word.isdigit() else word[:_LONGEST_WORD] for word in words]
    hashes = {*map(_bucket, _runs_of(plain)), *chain.from_iterable(map(_of_a_word, plain))}
    return np.array(sorted(hashes), dtype=np.int64)


def _runs_of(plain: Sequence[str]) -> Iterator[str]:
    framed = ["^", *plain, "$"]
    yield from (f"2{one} {two}" for one, two in pairwise(framed))
    yield from (f"3{a} {b} {c}" for a, b, c in zip(plain, plain[1:], plain[2:], strict=False))


# A word stands in three pieces of its mail, and in most other mails.
@lru_cache(maxsize=_REMEMBERED)
def _of_a_word(word: str) -> tuple[int, ...]:
    marked = f"_{word}_"
    parts = (
        f"c{marked[i : i + size]}" for size in _CHARACTERS for i in range(len(marked) - size + 1)
    )
    return tuple({_bucket(f"1{word}"), *map(_bucket, parts)})


def _bucket(gram: str) -> int:
    return zlib.crc32(gram.encode("utf-8", "replace")) % BUCKETS


def load() -> None:
    """Read the weights: a fork may follow."""
    _weights()


@cache
def _weights() -> NDArray[np.float32]:
    with np.load(io.BytesIO(content()), allow_pickle=False) as stored:
        return np.asarray(stored["weights"].astype(np.float32) * stored["scale"])


def content() -> bytes:
    """Return the bytes of the weights, for whoever names what judges."""
    return (resources.files("swarm.safety.learned") / WEIGHTS).read_bytes()
