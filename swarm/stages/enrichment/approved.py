"""The house's approved answers to what a mail asks: which of them become evidence (ES-08).

Per ask, in the language of the mail, as of the moment the conversation was read. What lives
elsewhere: reading and finding (``swarm.knowledge``), the evidence made of it (``context``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from swarm.knowledge import Library
from swarm.models import Received

_MOST = 8  # snippets in one context; a mail asks few things, and a prompt has its price


@dataclass(frozen=True, slots=True)
class Approved:
    """An approved answer, and the places of the asks it was found for."""

    source: str
    title: str
    text: str
    asks: tuple[int, ...]


def approved_answers(library: Library, received: Received, at: datetime) -> tuple[Approved, ...]:
    """Return what the house says to this mail's asks, in order of the asks, each once."""
    found: dict[str, Approved] = {}
    for place, ask in enumerate(received.asks):
        for match in library.find(ask, received.language, at):
            source = match.snippet.source
            asks = (*(found[source].asks if source in found else ()), place)
            found[source] = Approved(source, match.snippet.title, match.text, asks)
    return tuple(_first(found.values()))


def _first(found: Iterable[Approved]) -> Iterable[Approved]:
    return list(found)[:_MOST]
