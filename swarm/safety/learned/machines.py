"""Kernel machines over the views of ``features``: a quick one, and a close one where it doubts.

A machine is an RBF over embeddings and a linear kernel over n-grams (which is one weight per
bucket). The quick one has the quick embedding; the close one both. What a value means, and from
where on, is said by whoever was trained: escalations (``model``), promises of a reply
(``swarm.safety.promises``). Pure numpy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swarm.safety.learned.features import Vectors, closely_embedded, frames, grams
from swarm.safety.learned.held import held

CLOSE_LOOKS = 4  # pieces of a text, the likeliest first: 20 ms each


@dataclass(frozen=True, slots=True)
class Machine:
    """Unit vectors of the lines it leans on, what each of them weighs, how near is near, and what
    each bucket of n-grams, and of frames, weighs. With ``axes`` it is near along these alone.
    """

    support: Vectors
    alphas: Vectors
    gamma: float
    buckets: Vectors
    bias: float
    axes: Vectors | None = None
    frames: Vectors | None = None
    little: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Pair:
    """Two machines; ``close`` adds what ``close_support`` tells of the lines it leans on to its
    share of the quick embedding. ``quick`` is asked about every piece, so it knows fewer axes.
    """

    quick: Machine
    close: Machine
    close_support: Vectors
    close_centre: Vectors
    share_of_quick: float


def decision(machine: Machine, vectors: Vectors, words: Sequence[Sequence[str]]) -> Vectors:
    """Return a machine's value per piece: above 0 it leans to what it looks for."""
    seen = vectors if machine.axes is None else along(machine.axes, vectors)
    kernel = _near(machine.gamma, seen, machine.support)
    return np.asarray(machine.alphas @ kernel + _linear(machine, words), dtype=np.float32)


def close_decision(
    pair: Pair, vectors: Vectors, close: Vectors, words: Sequence[Sequence[str]]
) -> Vectors:
    """Return the close machine's value per piece; ``close`` are its close vectors as they come."""
    machine = pair.close
    centred = close - pair.close_centre  # as they come, all point one way
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    kernel = pair.share_of_quick * _near(machine.gamma, vectors, machine.support)
    kernel += _near(machine.gamma, centred, pair.close_support)
    return np.asarray(machine.alphas @ kernel + _linear(machine, words), dtype=np.float32)


def look(pair: Pair, vector: Vectors, text: str, words: Sequence[str]) -> float:
    """Look closely at one piece; ``vector`` is its quick one."""
    return float(close_decision(pair, vector[None], closely_embedded([text]), [words])[0])


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


def pair_of(stored: Mapping[str, NDArray[np.generic]]) -> Pair:
    """Return the machines of a file of weights; large arrays are kept there as 8-bit numbers."""

    def whole(name: str) -> Vectors:
        return stored[name].astype(np.float32) * np.float32(stored[f"{name}_scale"])

    def unit(name: str) -> Vectors:
        vectors = whole(name)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return held(vectors)

    little = frozenset(map(str, stored["little"])) if "little" in stored else frozenset()

    def machine(name: str, support: str, axes: Vectors | None) -> Machine:
        return Machine(
            support=unit(support),
            axes=axes,
            gamma=float(stored["gamma"]),
            alphas=stored[f"{name}_alphas"].astype(np.float32),
            buckets=whole(f"{name}_buckets"),
            bias=float(stored[f"{name}_bias"]),
            frames=whole(f"{name}_frames") if little else None,
            little=little,
        )

    return Pair(
        quick=machine("quick", "quick_support", stored["quick_axes"].astype(np.float32)),
        close=machine("close", "support", None),
        close_support=unit("close_support"),
        close_centre=stored["close_centre"].astype(np.float32),
        share_of_quick=float(stored["share_of_quick"]),
    )
