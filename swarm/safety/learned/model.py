"""The score of a piece: how far it lies on the side of what must reach a person. Pure numpy.

A kernel machine over both views of ``features``: an RBF over embeddings, a linear kernel over
n-grams (which is one weight per bucket). The class that goes with it comes from a linear model over
the embedding; self-harm has a head of its own. Weights are read once, from this package.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from swarm.safety.learned.features import Vectors, embedded, grams, load_encoder

WEIGHTS = "weights.npz"


@dataclass(frozen=True, slots=True)
class Weights:
    """What training made. ``thresholds``: per language, and ``und`` for every other."""

    support: Vectors
    alphas: Vectors
    gamma: float
    buckets: Vectors
    bias: float
    class_weights: Vectors
    class_bias: Vectors
    classes: tuple[str, ...]
    self_harm: Vectors
    self_harm_bias: float
    thresholds: Mapping[str, float]
    self_harm_threshold: float


@dataclass(frozen=True, slots=True)
class Scored:
    """One piece's score against its threshold (0: at it), and the classes from likeliest down."""

    margin: float
    self_harm: float
    likeliest: str

    @property
    def rings(self) -> bool:
        """Whether a person must see it."""
        return self.margin > 0 or self.self_harm > 0


def scored(texts: Sequence[str], words: Sequence[Sequence[str]], language: str) -> list[Scored]:
    """Score pieces: their texts and, for the n-grams, their folded words."""
    if not texts:
        return []
    weights, vectors = loaded(), embedded(texts)
    threshold = weights.thresholds.get(language, weights.thresholds["und"])
    margins = decision(weights, vectors, words) - threshold
    heads = vectors @ weights.self_harm + weights.self_harm_bias - weights.self_harm_threshold
    likeliest = np.argmax(vectors @ weights.class_weights + weights.class_bias, axis=1)
    return [
        Scored(float(margin), float(head), weights.classes[int(best)])
        for margin, head, best in zip(margins, heads, likeliest, strict=True)
    ]


class Kernel(Protocol):
    """What a value is made of; other heads over the same features have one, too."""

    @property
    def support(self) -> Vectors:
        """Unit vectors of the lines that decide."""
        ...

    @property
    def alphas(self) -> Vectors:
        """What each of them weighs."""
        ...

    @property
    def gamma(self) -> float:
        """How near is near."""
        ...

    @property
    def buckets(self) -> Vectors:
        """What each bucket of n-grams weighs."""
        ...

    @property
    def bias(self) -> float:
        """What is added."""
        ...


def decision(weights: Kernel, vectors: Vectors, words: Sequence[Sequence[str]]) -> Vectors:
    """Return the kernel machine's value per piece: above 0 it leans to danger."""
    # Unit vectors: the squared distance is 2 - 2 cos.
    kernel = np.exp(-weights.gamma * (2.0 - 2.0 * vectors @ weights.support.T))
    linear = np.array([_linear(weights, grams(each)) for each in words], dtype=np.float32)
    return np.asarray(kernel @ weights.alphas + linear + weights.bias, dtype=np.float32)


def _linear(weights: Kernel, buckets: NDArray[np.int64]) -> float:
    if not len(buckets):
        return 0.0
    return float(weights.buckets[buckets].sum() / np.sqrt(len(buckets)))


# --- the file -------------------------------------------------------------------------------------


@cache
def loaded() -> Weights:
    """Return the weights of this package; raises ``OSError`` when they are not there."""
    with np.load(io.BytesIO(_bytes()), allow_pickle=False) as stored:
        return unpacked(stored)


def loaded_whole() -> None:
    """Load all that judging needs, 150 MB: once, before processes are forked that share it."""
    loaded()
    load_encoder()


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

    support = whole("support")
    return Weights(
        support=support / np.linalg.norm(support, axis=1, keepdims=True),
        alphas=stored["alphas"].astype(np.float32),
        gamma=float(stored["gamma"]),
        buckets=whole("buckets"),
        bias=float(stored["bias"]),
        class_weights=stored["class_weights"].astype(np.float32),
        class_bias=stored["class_bias"].astype(np.float32),
        classes=tuple(str(name) for name in stored["classes"]),
        self_harm=stored["self_harm"].astype(np.float32),
        self_harm_bias=float(stored["self_harm_bias"]),
        thresholds=dict(
            zip(
                (str(name) for name in stored["languages"]),
                (float(value) for value in stored["thresholds"]),
                strict=True,
            )
        ),
        self_harm_threshold=float(stored["self_harm_threshold"]),
    )
