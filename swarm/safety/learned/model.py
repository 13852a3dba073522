"""The score of a piece: how far it lies on the side of what must reach a person. Pure numpy.

Two kernel machines: a quick one over letters and the quick embedding, and, where that one is in
doubt, a close one that also has the close embedding (RBF over embeddings, a linear kernel over
n-grams, which is one weight per bucket). The class that goes with it comes from a linear model over
the quick embedding; self-harm has a head of its own. Weights are read once, from this package.
"""

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from swarm.safety.learned.features import (
    Vectors,
    closely_embedded,
    embedded,
    grams,
    load_encoders,
)

WEIGHTS = "weights.npz"
CLOSE_LOOKS = 4  # pieces of a text, the likeliest first: 20 ms each


class Thresholds(NamedTuple):
    """Values of the machines: above ``leaning`` a topic word counts in full, between ``doubt`` and
    ``sure`` the close machine decides, and rings above ``loud``. The same for every language.
    """

    leaning: float
    doubt: float
    sure: float
    loud: float


@dataclass(frozen=True, slots=True)
class Machine:
    """A kernel machine: unit vectors of the lines it leans on, what each of them weighs, how near
    is near, and what each bucket of n-grams weighs.
    """

    support: Vectors
    alphas: Vectors
    gamma: float
    buckets: Vectors
    bias: float


@dataclass(frozen=True, slots=True)
class Weights:
    """What training made. ``close`` adds what ``close_support`` tells of the same lines to its
    share of the quick embedding.
    """

    quick: Machine
    close: Machine
    close_support: Vectors
    close_centre: Vectors
    share_of_quick: float
    class_weights: Vectors
    class_bias: Vectors
    classes: tuple[str, ...]
    self_harm: Vectors
    self_harm_bias: float
    thresholds: Thresholds
    self_harm_threshold: float


@dataclass(frozen=True, slots=True)
class Scored:
    """What the machines say of one piece. ``loudness`` orders pieces that ring."""

    rings: bool
    leans: bool
    self_harm: bool
    loudness: float
    likeliest: str


def scored(texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[Scored]:
    """Score the pieces of one text: as they stand and, for the n-grams, their folded words."""
    if not texts:
        return []
    weights = loaded()
    limits = weights.thresholds
    vectors = embedded(texts)
    values = decision(weights.quick, vectors, words)
    heads = vectors @ weights.self_harm + weights.self_harm_bias - weights.self_harm_threshold
    likeliest = np.argmax(vectors @ weights.class_weights + weights.class_bias, axis=1)
    loud = {*np.flatnonzero(values > limits.sure), *np.flatnonzero(heads > 0)}

    def look(n: int) -> float:
        close = closely_embedded([texts[n]]) - weights.close_centre
        close /= np.linalg.norm(close, axis=1, keepdims=True)
        return float(close_values(weights, vectors[n : n + 1], close, [words[n]])[0])

    if not loud:
        loud = set(_looked_at(values, limits, look))
    return [
        Scored(
            rings=n in loud,
            leans=n in loud or float(value) > limits.leaning,
            self_harm=bool(head > 0),
            loudness=float(max(value, head)),
            likeliest=weights.classes[int(best)],
        )
        for n, (value, head, best) in enumerate(zip(values, heads, likeliest, strict=True))
    ]


def _looked_at(values: Vectors, limits: Thresholds, look: Callable[[int], float]) -> Iterator[int]:
    """Yield the doubtful piece that rings at a close look, the likeliest looked at first."""
    doubtful = [int(n) for n in np.argsort(-values) if values[n] > limits.doubt]
    for n in doubtful[:CLOSE_LOOKS]:
        if look(n) > limits.loud:
            yield n
            return


def leanings(texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[float]:
    """Return the quick machine's value of each piece: comparable with one another."""
    return [float(value) for value in decision(loaded().quick, embedded(texts), words)]


def decision(machine: Machine, vectors: Vectors, words: Sequence[Sequence[str]]) -> Vectors:
    """Return a machine's value per piece: above 0 it leans to what it looks for."""
    kernel = _near(machine.gamma, vectors, machine.support)
    return np.asarray(kernel @ machine.alphas + _linear(machine, words), dtype=np.float32)


def close_values(
    weights: Weights, vectors: Vectors, close: Vectors, words: Sequence[Sequence[str]]
) -> Vectors:
    """Return the close machine's value per piece; ``close`` is centred and of unit length."""
    machine = weights.close
    kernel = weights.share_of_quick * _near(machine.gamma, vectors, machine.support)
    kernel += _near(machine.gamma, close, weights.close_support)
    return np.asarray(kernel @ machine.alphas + _linear(machine, words), dtype=np.float32)


def _near(gamma: float, vectors: Vectors, support: Vectors) -> Vectors:
    # Unit vectors: the squared distance is 2 - 2 cos.
    return np.asarray(np.exp(-gamma * (2.0 - 2.0 * vectors @ support.T)), dtype=np.float32)


def _linear(machine: Machine, words: Sequence[Sequence[str]]) -> Vectors:
    return np.array([machine.bias + _of_grams(machine, grams(w)) for w in words], np.float32)


def _of_grams(machine: Machine, buckets: NDArray[np.int64]) -> float:
    if not len(buckets):
        return 0.0
    return float(machine.buckets[buckets].sum() / np.sqrt(len(buckets)))


# --- the file -------------------------------------------------------------------------------------


@cache
def loaded() -> Weights:
    """Return the weights of this package; raises ``OSError`` when they are not there."""
    with np.load(io.BytesIO(_bytes()), allow_pickle=False) as stored:
        return unpacked(stored)


def loaded_whole() -> None:
    """Load all that judging needs, 300 MB: once, before processes are forked that share it."""
    loaded()
    load_encoders()


@cache
def version() -> str:
    """Return the name of these weights: a hash of their bytes."""
    return hashlib.sha256(_bytes()).hexdigest()[:12]


def _bytes() -> bytes:
    return (resources.files("swarm.safety.learned") / WEIGHTS).read_bytes()


def unpacked(stored: Mapping[str, NDArray[np.generic]]) -> Weights:
    """Return the weights from the arrays of the file; large ones are kept as 8-bit numbers."""

    def whole(name: str) -> Vectors:
        return stored[name].astype(np.float32) * np.float32(stored[f"{name}_scale"])

    def unit(name: str) -> Vectors:
        vectors = whole(name)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    support = unit("support")

    def machine(name: str) -> Machine:
        return Machine(
            support=support,
            gamma=float(stored["gamma"]),
            alphas=stored[f"{name}_alphas"].astype(np.float32),
            buckets=whole(f"{name}_buckets"),
            bias=float(stored[f"{name}_bias"]),
        )

    return Weights(
        quick=machine("quick"),
        close=machine("close"),
        close_support=unit("close_support"),
        close_centre=stored["close_centre"].astype(np.float32),
        share_of_quick=float(stored["share_of_quick"]),
        class_weights=stored["class_weights"].astype(np.float32),
        class_bias=stored["class_bias"].astype(np.float32),
        classes=tuple(str(name) for name in stored["classes"]),
        self_harm=stored["self_harm"].astype(np.float32),
        self_harm_bias=float(stored["self_harm_bias"]),
        thresholds=Thresholds(*map(float, stored["thresholds"])),
        self_harm_threshold=float(stored["self_harm_threshold"]),
    )
