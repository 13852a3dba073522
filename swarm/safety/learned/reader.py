"""What the vector of a text tells: how far it lies on the side of what somebody looks for.

A reader is linear over the vectors, tuned together with the encoder: a kind each, the last of which
is what nobody looks for. From which value on it counts is set on texts of authors that neither has
seen (``training/calibrate.py``) and stands in ``calibration.json``, for every language the same.
This one is for the pieces of a mail; promises of a reply are in ``swarm.safety.promises``.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final, NamedTuple

import numpy as np

from swarm.safety.learned import encoder, skimming
from swarm.safety.learned.encoder import Task, Vectors

CALIBRATION: Final = "calibration.json"
SELF_HARM: Final = "self_harm"


class Thresholds(NamedTuple):
    """A piece rings above ``loud``; above ``leaning`` a topic of the lexicon counts in full; above
    ``doubt`` the sentence is read once more with its neighbours. What must never be missed rings
    above a lower bar of its own. Read is what skimming puts above ``skimmed``.
    """

    skimmed: float
    doubt: float
    leaning: float
    loud: float
    self_harm: float


@dataclass(frozen=True, slots=True)
class Scored:
    """What is said of one piece. ``loudness`` orders those that ring."""

    rings: bool
    leans: bool
    doubted: bool
    loudness: float
    kind: str


def values_of_kinds(task: Task, vectors: Vectors) -> Vectors:
    """Return the value of each kind, a row a vector."""
    directions, bias = encoder.weights(task)
    return np.asarray(vectors @ directions + bias, dtype=np.float32)


def odds(of_kinds: Vectors) -> Vectors:
    """Return the log-odds of all kinds looked for, summed, against the rest: the best kind alone
    finds a third less.
    """
    wanted = np.logaddexp.reduce(of_kinds[:, :-1], axis=1) - of_kinds[:, -1]
    return np.asarray(wanted, dtype=np.float32)


def odds_of_self_harm(of_kinds: Vectors) -> Vectors:
    """Return the log-odds of self-harm against the rest, where it is the likeliest kind."""
    place = encoder.kinds().index(SELF_HARM)
    likeliest = np.argmax(of_kinds[:, :-1], axis=1) == place
    alone = of_kinds[:, place] - of_kinds[:, -1]
    return np.where(likeliest, alone, -np.inf).astype(np.float32)


def scored(texts: Sequence[str]) -> list[Scored]:
    """Score each text by itself."""
    bars, names = thresholds(), encoder.kinds()
    of_kinds = values_of_kinds("escalation", encoder.vectors(texts))
    likeliest = np.argmax(of_kinds[:, :-1], axis=1)
    each = zip(odds(of_kinds), odds_of_self_harm(of_kinds), likeliest, strict=True)
    return [
        _scored(bars, float(value), float(harm), names[int(kind)]) for value, harm, kind in each
    ]


def _scored(bars: Thresholds, value: float, harm: float, kind: str) -> Scored:
    hurts = harm > bars.self_harm
    return Scored(
        rings=hurts or value > bars.loud,
        leans=hurts or value > bars.leaning,
        doubted=hurts or value > bars.doubt,
        loudness=max(value - bars.loud, harm - bars.self_harm),
        kind=kind,
    )


def adding(words: Sequence[str], kind: str) -> list[float]:
    """Return how much each word of a text adds to a kind's value, against the rest."""
    directions, _ = encoder.weights("escalation")
    towards = directions[:, encoder.kinds().index(kind)] - directions[:, -1]
    return [float(value) for value in encoder.shares(words) @ towards]


@cache
def thresholds() -> Thresholds:
    """Return the values of this package; raises ``OSError`` when they are not there."""
    return Thresholds(**json.loads(_bytes())["thresholds"])


@cache
def loaded_whole() -> None:
    """Load all that judging needs: once, before processes are forked that share it."""
    thresholds()
    skimming.load()
    encoder.load()


@cache
def version() -> str:
    """Return the name of what judges: a hash over the data of this package."""
    told = _bytes() + skimming.content() + encoder.digest().encode()
    return hashlib.sha256(told).hexdigest()[:12]


def _bytes() -> bytes:
    return (resources.files("swarm.safety.learned") / CALIBRATION).read_bytes()
