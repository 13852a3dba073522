"""Which fault comes when: from the seed alone, so that the same seed gives the same weather."""

from dataclasses import dataclass
from random import Random

from weather.kinds import KINDS, Kind

_QUIET_START = 15.0  # seconds: the first mails come through
_QUIET_END = 20.0


@dataclass(frozen=True)
class Stroke:
    """One fault of the schedule. ``chance`` seeds what the fault draws for itself."""

    number: int
    at: float
    kind: Kind
    seconds: float
    chance: str


def schedule(seed: int, seconds: float, thinker: str, *, only: str = "") -> list[Stroke]:
    """Return the strokes of ``seconds`` of weather, in order.

    Every kind comes once before any comes twice, as far as the time reaches.
    """
    chance = Random(f"{seed}:schedule")
    names = [n for n, k in sorted(KINDS.items()) if k.thinker in (None, thinker) and only in n]
    found: list[Stroke] = []
    deck: list[str] = []
    at = _QUIET_START
    while at < seconds - _QUIET_END:
        if not deck:
            deck = list(names)
            chance.shuffle(deck)
        kind = KINDS[deck.pop()]
        number = len(found) + 1
        lasts = chance.uniform(*kind.seconds)
        found.append(Stroke(number, at, kind, lasts, f"{seed}:{number}:{kind.name}"))
        at += chance.uniform(2.0, 10.0)
    return found
