"""A kernel machine over the views of ``features``, and a close reader where it doubts.

The machine is an RBF over the quick embedding and a linear kernel over n-grams (which is one weight
per bucket). The reader is linear over the close embedding, whose encoder was tuned for this
(``encoder``). What a value means, and from where on, is said by whoever was trained: escalations
(``model``), promises of a reply (``swarm.safety.promises``). Pure numpy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from swarm.safety.learned import encoder
from swarm.safety.learned.features import Vectors, closely_embedded, frames, grams
from swarm.safety.learned.held import held


@dataclass(frozen=True, slots=True)
class Machine:
    """Unit vectors of the lines it leans on, what each of them weighs, how near is near, and what
    each bucket of n-grams, and of frames, weighs. It is near along its ``axes`` alone.
    """

    support: Vectors
    alphas: Vectors
    gamma: float
    buckets: Vectors
    bias: float
    axes: Vectors
    frames: Vectors | None = None
    little: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CloseReader:
    """What each direction of the close embedding tells for each kind, the last of which is what
    nobody looks for; and how much the quick machine's value counts beside it.
    """

    kinds: Vectors
    bias: Vectors
    share_of_quick: float


@dataclass(frozen=True, slots=True)
class Pair:
    """``quick`` is asked about every piece, ``close`` about what that leaves in doubt."""

    quick: Machine
    close: CloseReader


def decision(machine: Machine, vectors: Vectors, words: Sequence[Sequence[str]]) -> Vectors:
    """Return a machine's value per piece: above 0 it leans to what it looks for."""
    kernel = _near(machine.gamma, along(machine.axes, vectors), machine.support)
    return np.asarray(machine.alphas @ kernel + _linear(machine, words), dtype=np.float32)


class CloseReading(NamedTuple):
    """What the close reader says of pieces: the value of each, and the kind it most likely is."""

    values: Vectors
    kinds: NDArray[np.int64]


def close_decision(reader: CloseReader, close: Vectors, quick: Vectors) -> CloseReading:
    """Read pieces by their close vectors and their quick values. The value is the log-odds of all
    kinds looked for, summed, against the rest: the best kind alone finds a third less.
    """
    told = close @ reader.kinds + reader.bias
    wanted = np.logaddexp.reduce(told[:, :-1], axis=1) - told[:, -1]
    values = np.asarray(wanted + np.float32(reader.share_of_quick) * quick, dtype=np.float32)
    return CloseReading(values, np.argmax(told[:, :-1], axis=1))


def look_closely(
    pair: Pair, texts: Sequence[str], values: Vectors, doubtful: Sequence[int]
) -> CloseReading:
    """Read the doubtful ones of some pieces, in the order of ``doubtful``. ``values`` is what the
    quick machine said of each piece.
    """
    close = closely_embedded([texts[n] for n in doubtful])
    return close_decision(pair.close, close, values[[*doubtful]])


def along(axes: Vectors, vectors: Vectors) -> Vectors:
    """Return unit vectors as they look along some axes, again of length 1."""
    seen = vectors @ axes
    seen /= np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), np.float32(1e-6))
    return np.asarray(seen, dtype=np.float32)


def _near(gamma: float, vectors: Vectors, support: Vectors) -> Vectors:
    """Return how near each line leant on (a row) is to each piece (a column).

    This way round the product streams the large matrix; the other way it is copied first, which
    costs more than the product itself for the few pieces of a mail.
    """
    # Unit vectors: the squared distance is 2 - 2 cos.
    near = support @ vectors.T
    near -= 1.0
    near *= np.float32(2.0 * gamma)
    return np.asarray(np.exp(near, out=near), dtype=np.float32)


def _linear(machine: Machine, words: Sequence[Sequence[str]]) -> Vectors:
    return np.array([machine.bias + _of_words(machine, each) for each in words], np.float32)


def _of_words(machine: Machine, words: Sequence[str]) -> float:
    told = _mean(machine.buckets, grams(words))
    if machine.frames is None:
        return told
    return told + _mean(machine.frames, frames(words, machine.little))


def _mean(weights: Vectors, buckets: NDArray[np.int64]) -> float:
    return float(weights[buckets].sum() / np.sqrt(len(buckets))) if len(buckets) else 0.0


def pair_of(stored: Mapping[str, NDArray[np.generic]], task: encoder.Task) -> Pair:
    """Return the pair of a file of weights; large arrays are kept there as 8-bit numbers."""

    def whole(name: str) -> Vectors:
        return stored[name].astype(np.float32) * np.float32(stored[f"{name}_scale"])

    support = whole("support")
    support /= np.linalg.norm(support, axis=1, keepdims=True)
    little = frozenset(map(str, stored["little"]))
    kinds, bias = encoder.reader(task)
    return Pair(
        quick=Machine(
            support=held(support),
            axes=stored["axes"].astype(np.float32),
            gamma=float(stored["gamma"]),
            alphas=stored["alphas"].astype(np.float32),
            buckets=whole("buckets"),
            bias=float(stored["bias"]),
            frames=whole("frames") if little else None,
            little=little,
        ),
        close=CloseReader(kinds=kinds, bias=bias, share_of_quick=float(stored["share_of_quick"])),
    )
