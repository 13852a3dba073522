"""What a piece of a mail scores: how far it lies on the side of what must reach a person.

The pair of ``machines`` says whether, and the close reader which kind; a linear model over the
quick embedding does where there was no close look. Self-harm has a head of its own. Weights are
read once, from this package.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
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
from swarm.safety.learned.machines import Pair, decision, look_closely, pair_of

WEIGHTS = "weights.npz"
CLOSE_LOOKS = 4  # pieces of a text, the likeliest first: 10 ms each


class Thresholds(NamedTuple):
    """Values of the machines: above the quick ``doubt``, and where a topic of the lexicon is named,
    the close reader decides: a piece rings above its ``loud``, and above its ``leaning`` a topic
    counts in full. What it has no time for rings above the quick ``sure``, and leans where it was
    in doubt. The same for every language.
    """

    doubt: float
    sure: float
    leaning: float
    loud: float


@dataclass(frozen=True, slots=True)
class Weights:
    """What training made: the close reader has ``kinds``, the linear model ``classes``."""

    pair: Pair
    class_weights: Vectors
    class_bias: Vectors
    classes: tuple[str, ...]
    kinds: tuple[str, ...]
    self_harm: Vectors
    self_harm_bias: float
    thresholds: Thresholds
    self_harm_threshold: float


@dataclass(frozen=True, slots=True)
class Scored:
    """What the machines say of one piece. ``loudness`` orders pieces that ring: what the quick
    machine or the head of self-harm says.
    """

    rings: bool
    leans: bool
    self_harm: bool
    loudness: float
    likeliest: str


class CloselyRead(NamedTuple):
    """Which pieces of a text ring, and which lean, by their place; and what kind they are of."""

    loud: frozenset[int]
    leaning: frozenset[int]
    kinds: Mapping[int, str]


class Pieces(NamedTuple):
    """The pieces of one text: as they stand and, for the n-grams, their folded words; and which of
    them hold a word that is a topic of the lexicon, to be looked at closely while there is time.
    """

    texts: Sequence[str]
    words: Sequence[Sequence[str]]
    topical: frozenset[int] = frozenset()


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
    heads = vectors @ weights.self_harm + weights.self_harm_bias - weights.self_harm_threshold
    likeliest = np.argmax(vectors @ weights.class_weights + weights.class_bias, axis=1)
    read = _read_closely(weights, pieces, values)
    return [
        Scored(
            rings=bool(head > 0) or n in read.loud,
            leans=bool(head > 0) or n in read.leaning,
            self_harm=bool(head > 0),
            loudness=float(max(value, head)),
            likeliest=read.kinds.get(n, weights.classes[int(best)]),
        )
        for n, (value, head, best) in enumerate(zip(values, heads, likeliest, strict=True))
    ]


def _read_closely(weights: Weights, pieces: Pieces, values: Vectors) -> CloselyRead:
    """Take a close look at the doubtful pieces, as many as there is time for."""
    limits = weights.thresholds
    doubtful = [
        int(n) for n in np.argsort(-values) if values[n] > limits.doubt or int(n) in pieces.topical
    ]
    near, far = doubtful[:CLOSE_LOOKS], doubtful[CLOSE_LOOKS:]
    told = look_closely(weights.pair, pieces.texts, values, near)

    def above(close: float, quick: float) -> frozenset[int]:
        read = (n for n, value in zip(near, told.values, strict=True) if value > close)
        return frozenset((*read, *(n for n in far if values[n] > quick)))

    return CloselyRead(
        loud=above(limits.loud, limits.sure),
        leaning=above(limits.leaning, limits.doubt),
        kinds=dict(zip(near, (weights.kinds[kind] for kind in told.kinds), strict=True)),
    )


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
        kinds=encoder.kinds(),
        self_harm=stored["self_harm"].astype(np.float32),
        self_harm_bias=float(stored["self_harm_bias"]),
        thresholds=Thresholds(*map(float, stored["thresholds"])),
        self_harm_threshold=float(stored["self_harm_threshold"]),
    )
