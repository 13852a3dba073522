"""Whether a sentence of ours binds the company: what the encoder of ``swarm.safety.learned`` tells.

Sentences that come again, as the house's own phrases do, are judged once a process.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cache, lru_cache
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
    binding = (one for one in judged if _binds(text[one.start : one.end]))
    return (*binding, *([Clause(beyond[0].start, beyond[-1].end)] if beyond else ()))


@lru_cache(maxsize=_REMEMBERED)
def _binds(text: str) -> bool:
    return len(words_of(text)) >= _FEWEST_WORDS and values((text,))[0] > bar()


def values(texts: Sequence[str]) -> list[float]:
    """Return of each sentence the log-odds that it promises something."""
    found = reader.odds(reader.values_of_kinds("promise", encoder.vectors(texts)))
    return [float(value) for value in found]


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
