"""Whether a sentence of ours binds the company: a kernel machine over meaning and n-grams.

The same machine and features as ``swarm.safety.learned``, with weights of its own. Sentences that
come again, as the house's own phrases do, are scored once a process.
"""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from swarm.safety.learned.features import Vectors, embedded
from swarm.safety.learned.model import Machine, decision
from swarm.safety.promises.sentences import Clause, pieces_of
from swarm.safety.words import words_of

WEIGHTS = "weights.npz"
_REMEMBERED = 4096  # sentences
_FEWEST_WORDS = 3  # "Kind regards" says nothing


@dataclass(frozen=True, slots=True)
class Head:
    """What training made; above ``threshold`` a sentence promises."""

    machine: Machine
    threshold: float


def promising(text: str) -> tuple[Clause, ...]:
    """Return the sentences of a text that promise something, in order."""
    pieces = pieces_of(text)
    margins = _margins([text[one.start : one.end] for one in pieces])
    return tuple(one for one, margin in zip(pieces, margins, strict=True) if margin > 0)


def values(texts: Sequence[str], machine: Machine) -> Vectors:
    """Return each text's value by a machine."""
    words = [[word.text for word in words_of(text)] for text in texts]
    return decision(machine, embedded(texts), words)


def _margins(texts: Sequence[str]) -> list[float]:
    """Score what this process has not scored yet, all at once: that costs half."""
    known = _known()
    fresh = [text for text in dict.fromkeys(texts) if text not in known]
    told = [text for text in fresh if len(words_of(text)) >= _FEWEST_WORDS]
    scores = dict.fromkeys(fresh, -1.0)
    if told:
        head = loaded()
        margins = values(told, head.machine) - head.threshold
        scores.update(zip(told, map(float, margins), strict=True))
    if len(known) + len(scores) > _REMEMBERED:
        known.clear()
    known.update(scores)
    return [scores[text] if text in scores else known[text] for text in texts]


@cache
def _known() -> dict[str, float]:
    return {}


@cache
def loaded() -> Head:
    """Return the weights of this package; raises ``OSError`` when they are not there."""
    with np.load(io.BytesIO(_bytes()), allow_pickle=False) as stored:

        def whole(name: str) -> Vectors:
            scaled: Vectors = stored[name].astype(np.float32) * np.float32(stored[f"{name}_scale"])
            return scaled

        support = whole("support")
        machine = Machine(
            support=support / np.linalg.norm(support, axis=1, keepdims=True),
            alphas=stored["alphas"].astype(np.float32),
            gamma=float(stored["gamma"]),
            buckets=whole("buckets"),
            bias=float(stored["bias"]),
        )
        return Head(machine, float(stored["threshold"]))


@cache
def version() -> str:
    """Return the name of these weights: a hash of their bytes."""
    return hashlib.sha256(_bytes()).hexdigest()[:12]


def _bytes() -> bytes:
    return (resources.files("swarm.safety.promises") / WEIGHTS).read_bytes()
