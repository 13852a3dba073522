"""What a piece of a mail scores: how far it lies on the side of what must reach a person.

The pair of ``machines`` says whether; the class that goes with it comes from a linear model over
the quick embedding; self-harm has a head of its own. Weights are read once, from this package.
"""

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from swarm.safety.learned import encoder
from swarm.safety.learned.features import Vectors, embedded, load_encoders
from swarm.safety.learned.held import hold_in_files
from swarm.safety.learned.machines import Pair, decision, look, pair_of

WEIGHTS = "weights.npz"
CLOSE_LOOKS = 4  # pieces of a text, the likeliest first: 10 ms each


class Thresholds(NamedTuple):
    """Values of the machines: above ``leaning`` a topic word counts in full, above ``doubt`` the
    close reader decides, and rings above ``loud``; what it has no time for rings above ``sure``.
    The same for every language.
    """

    leaning: float
    doubt: float
    sure: float
    loud: float


@dataclass(frozen=True, slots=True)
class Weights:
    """What training made."""

    pair: Pair
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


class Pieces(NamedTuple):
    """The pieces of one text: as they stand and, for the n-grams, their folded words."""

    texts: Sequence[str]
    words: Sequence[Sequence[str]]


def scored(groups: Sequence[Pieces]) -> list[list[Scored]]:
    """Score the pieces of some texts, each text by itself. They are embedded together: the weights
    are read from memory once a batch, and a subject alone costs as much as three sentences.
    """
    weights = loaded()
    vectors = embedded([text for group in groups for text in group.texts])
    values = decision(
        weights.pair.quick, vectors, [words for group in groups for words in group.words]
    )
    ends = [*accumulate(len(group.texts) for group in groups)]
    return [
        _scored(
            weights,
            group,
            vectors[end - len(group.texts) : end],
            values[end - len(group.texts) : end],
        )
        for group, end in zip(groups, ends, strict=True)
    ]


def _scored(weights: Weights, pieces: Pieces, vectors: Vectors, values: Vectors) -> list[Scored]:
    if not pieces.texts:
        return []
    limits = weights.thresholds
    heads = vectors @ weights.self_harm + weights.self_harm_bias - weights.self_harm_threshold
    likeliest = np.argmax(vectors @ weights.class_weights + weights.class_bias, axis=1)
    loud = {*np.flatnonzero(heads > 0), *_read_closely(weights, pieces, values)}
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


def _read_closely(weights: Weights, pieces: Pieces, values: Vectors) -> Iterator[int]:
    """Yield the doubtful pieces that ring at a close look, and those that are sure without one
    where there are more than there is time for.
    """
    limits = weights.thresholds
    doubtful = [int(n) for n in np.argsort(-values) if values[n] > limits.doubt]
    near, far = doubtful[:CLOSE_LOOKS], doubtful[CLOSE_LOOKS:]
    yield from look(weights.pair, pieces.texts, values, near, loud=limits.loud)
    yield from (n for n in far if values[n] > limits.sure)


def leanings(texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[float]:
    """Return the quick machine's value of each piece: comparable with one another."""
    return [float(value) for value in decision(loaded().pair.quick, embedded(texts), words)]


# --- the file -------------------------------------------------------------------------------------


@cache
def loaded() -> Weights:
    """Return the weights of this package; raises ``OSError`` when they are not there."""
    with np.load(io.BytesIO(_bytes()), allow_pickle=False) as stored:
        return unpacked(stored)


@cache
def loaded_whole() -> None:
    """Load all that judging needs: once, before processes are forked that share it. The largest
    part, 150 MB, is left in files.
    """
    hold_in_files()
    loaded()
    load_encoders()


@cache
def version() -> str:
    """Return the name of these weights: a hash over their bytes and the encoder's."""
    return hashlib.sha256(_bytes() + encoder.digest().encode()).hexdigest()[:12]


def _bytes() -> bytes:
    return (resources.files("swarm.safety.learned") / WEIGHTS).read_bytes()


def unpacked(stored: Mapping[str, NDArray[np.generic]]) -> Weights:
    """Return the weights from the arrays of the file."""
    return Weights(
        pair=pair_of(stored, "escalation"),
        class_weights=stored["class_weights"].astype(np.float32),
        class_bias=stored["class_bias"].astype(np.float32),
        classes=tuple(str(name) for name in stored["classes"]),
        self_harm=stored["self_harm"].astype(np.float32),
        self_harm_bias=float(stored["self_harm_bias"]),
        thresholds=Thresholds(*map(float, stored["thresholds"])),
        self_harm_threshold=float(stored["self_harm_threshold"]),
    )
