"""What a kind of fault is: what it does, what ends it, how long it lasts, what it excludes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from threading import Lock

from weather.house import House

Undo = Callable[[], None]


def nothing() -> None:
    """What ends a fault that is over by itself."""


@dataclass
class Excuses:
    """Findings that a fault is meant to leave behind: by the audit's name and by subject."""

    known: dict[tuple[str, str], str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def expect(self, check: str, subject: str, because: str) -> None:
        """From now on this finding about this subject is a consequence of a fault."""
        with self._lock:
            self.known[check, subject] = because

    def because(self, check: str, subject: str) -> str | None:
        """Why this finding was to be expected; None: it was not."""
        with self._lock:
            return self.known.get((check, subject))


@dataclass
class World:
    """What a fault may lay hands on."""

    house: House
    excuses: Excuses


@dataclass(frozen=True)
class Kind:
    """A kind of fault. ``seconds``: how long it lasts; two of one ``group`` never overlap."""

    name: str
    table: str
    inject: Callable[[World, Random], Undo]
    seconds: tuple[float, float]
    group: str
    thinker: str | None = None


KINDS: dict[str, Kind] = {}


def kind(
    table: str,
    *,
    seconds: tuple[float, float] = (0, 0),
    group: str = "",
    thinker: str | None = None,
) -> Callable[[Callable[[World, Random], Undo]], Callable[[World, Random], Undo]]:
    """Register a kind under its function's name; ``table``: its numbers in docs/faults.md."""

    def register(inject: Callable[[World, Random], Undo]) -> Callable[[World, Random], Undo]:
        name = inject.__name__
        KINDS[name] = Kind(name, table, inject, seconds, group or name, thinker)
        return inject

    return register
