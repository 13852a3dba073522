"""Whether a sentence of ours binds the company: what the encoder of ``swarm.safety.learned`` tells.

Sentences that come again, as the house's own phrases do, are judged once a process.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Final

from swarm.safety.learned import encoder, reader
from swarm.safety.promises.sentences import Clause, pieces_of
from swarm.safety.words import words_of

CALIBRATION: Final = "calibration.json"
MOST = 200  # pieces; a reply of a page and a half has some forty
_REMEMBERED = 4096  # sentences
_FEWEST_WORDS = 3  # "Kind regards" says nothing


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
    """Judge what this process has not judged yet."""
    known = _known()
    fresh = [text for text in dict.fromkeys(texts) if text not in known]
    told = [text for text in fresh if len(words_of(text)) >= _FEWEST_WORDS]
    binding = {text for text, value in zip(told, values(told), strict=True) if value > bar()}
    if len(known) + len(fresh) > _REMEMBERED:
        known.clear()
    answers = {text: text in binding for text in fresh}
    known.update(answers)
    return [answers[text] if text in answers else known[text] for text in texts]


def values(texts: Sequence[str]) -> list[float]:
    """Return of each sentence the log-odds that it promises something."""
    return [float(v) for v in reader.odds(reader.told("promise", encoder.vectors(texts)))]


@cache
def _known() -> dict[str, bool]:
    return {}


@cache
def bar() -> float:
    """Return the value above which a sentence is a promise; raises ``OSError`` without its file."""
    return float(json.loads(_bytes())["thresholds"]["loud"])


@cache
def version() -> str:
    """Return the name of what judges: a hash over the threshold's bytes and the encoder's."""
    return hashlib.sha256(_bytes() + encoder.digest().encode()).hexdigest()[:12]


def _bytes() -> bytes:
    return (resources.files("swarm.safety.promises") / CALIBRATION).read_bytes()
