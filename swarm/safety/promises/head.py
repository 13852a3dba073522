"""Whether a sentence of ours binds the company: machines as in ``swarm.safety.learned``, trained on
promises. Sentences that come again, as the house's own phrases do, are judged once a process.
"""

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from swarm.safety.learned import encoder
from swarm.safety.learned.features import embedded
from swarm.safety.learned.machines import Pair, decision, look_closely, pair_of
from swarm.safety.promises.sentences import Clause, pieces_of
from swarm.safety.words import words_of

WEIGHTS = "weights.npz"
MOST = 200  # pieces; a reply of a page and a half has some forty
CLOSE_LOOKS = 8  # sentences of a draft, the likeliest first; what is beyond counts as a promise
_REMEMBERED = 4096  # sentences
_FEWEST_WORDS = 3  # "Kind regards" says nothing


@dataclass(frozen=True, slots=True)
class Head:
    """What training made: between ``doubt`` and ``sure`` the close machine decides, by ``loud``."""

    pair: Pair
    doubt: float
    sure: float
    loud: float


def promising(text: str) -> tuple[Clause, ...]:
    """Return the sentences of a text that promise something, in order. What is beyond the many
    pieces that are judged counts as one that does.
    """
    pieces = pieces_of(text)
    judged, beyond = pieces[:MOST], pieces[MOST:]
    told = _judged([text[one.start : one.end] for one in judged])
    binding = (one for one, binds in zip(judged, told, strict=True) if binds)
    return (*binding, *([Clause(beyond[0].start, beyond[-1].end)] if beyond else ()))


def _judged(texts: Sequence[str]) -> list[bool]:
    """Judge what this process has not judged yet, all at once: that costs half."""
    known = _known()
    fresh = [text for text in dict.fromkeys(texts) if text not in known]
    words = {text: tuple(word.text for word in words_of(text)) for text in fresh}
    told = [text for text in fresh if len(words[text]) >= _FEWEST_WORDS]
    binding = {told[n] for n in _binding(told, [words[text] for text in told])}
    if len(known) + len(fresh) > _REMEMBERED:
        known.clear()
    answers = {text: text in binding for text in fresh}
    known.update(answers)
    return [answers[text] if text in answers else known[text] for text in texts]


def _binding(texts: Sequence[str], words: Sequence[Sequence[str]]) -> Iterator[int]:
    if not texts:
        return
    head = loaded()
    values = decision(head.pair.quick, embedded(texts), words)
    doubtful = [int(n) for n in np.argsort(-values) if head.doubt < values[n] <= head.sure]
    near, far = doubtful[:CLOSE_LOOKS], doubtful[CLOSE_LOOKS:]
    told = look_closely(head.pair, texts, values, near).values
    yield from (int(n) for n in np.flatnonzero(values > head.sure))
    yield from (n for n, value in zip(near, told, strict=True) if value > head.loud)
    yield from far


@cache
def _known() -> dict[str, bool]:
    return {}


@cache
def loaded() -> Head:
    """Return the weights of this package; raises ``OSError`` when they are not there."""
    with np.load(io.BytesIO(_bytes()), allow_pickle=False) as stored:
        return Head(pair_of(stored, "promise"), *(float(value) for value in stored["thresholds"]))


@cache
def version() -> str:
    """Return the name of these weights: a hash over their bytes and the encoder's."""
    return hashlib.sha256(_bytes() + encoder.digest().encode()).hexdigest()[:12]


def _bytes() -> bytes:
    return (resources.files("swarm.safety.promises") / WEIGHTS).read_bytes()
