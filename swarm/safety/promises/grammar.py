"""Whether a sentence of ours is built like a promise, whatever it promises (ES-08): who gives ("we
refund", "a colleague will ring"), what comes ("you will receive", "the fee is waived"), or that
nothing is owed. The parts, per language, are in ``lexicon/promises.txt``.

What the customer says or asks promises nothing ("you ask whether we refund it"), nor does what is
denied before it is said or right after ("wir liefern nicht"). A relief has its own "no".
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from swarm.patterns import linear
from swarm.safety.lexicon import load
from swarm.safety.matching import Hit, Matcher
from swarm.safety.promises.sentences import Clause, pieces_of
from swarm.safety.words import words_of

_REMEMBERED = 4096  # sentences: those of the house come again and again
_RIGHT_AFTER = 2  # words: "wir liefern samstags nicht"
_BREAK = linear(r"[,:;(]|$")
_SAID = b"\1"


class _Read(NamedTuple):
    """Whether a sentence is built like a promise, and where in it the customer is reported."""

    built: bool
    reported: tuple[Clause, ...]


def built(text: str) -> tuple[Clause, ...]:
    """Return the sentences of a text that are built like a promise, in order."""
    return tuple(one for one in pieces_of(text) if _read(text[one.start : one.end]).built)


def reported(text: str) -> bytes:
    """Mark the places that report the customer: from the verb to the next comma ("you asked us to
    pay" promises nothing, "as you asked, we pay" does).
    """
    places = bytearray(len(text))
    for piece in pieces_of(text):
        for said in _read(text[piece.start : piece.end]).reported:
            length = said.end - said.start
            places[piece.start + said.start : piece.start + said.end] = _SAID * length
    return bytes(places)


@lru_cache(maxsize=_REMEMBERED)
def _read(piece: str) -> _Read:
    hits = _matcher().hits(words_of(piece), every=True)
    said = tuple(_until_a_break(piece, hit) for hit in hits if hit.phrase.family == "reported")
    first = min(_starts(hits, "reported"), default=len(piece))
    own = [hit for hit in hits if hit.start < first]
    denied = [*_starts(hits, "denied")]
    promised = any(
        hit.phrase.family == "promise" and not _denied(piece, hit, denied) for hit in own
    )
    return _Read(promised or any(hit.phrase.family == "relief" for hit in own), said)


def _until_a_break(piece: str, hit: Hit) -> Clause:
    stop = _BREAK.search(piece, hit.end)
    return Clause(hit.end, stop.start() if stop else len(piece))


def _denied(piece: str, hit: Hit, places: Iterable[int]) -> bool:
    return any(at < hit.end or len(piece[hit.end : at].split()) < _RIGHT_AFTER for at in places)


def _starts(hits: Sequence[Hit], family: str) -> Iterator[int]:
    return (hit.start for hit in hits if hit.phrase.family == family)


@cache
def _matcher() -> Matcher:
    return Matcher(load("promises"))
