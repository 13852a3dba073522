"""What goes round until the watchman is told to stop, each on a thread of its own.

None is in another's way. Knows of each whether it still works: the heartbeat must not cover for a
dead round.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from swarm.errors import SwarmError

_log = logging.getLogger(__name__)

_STOP_SECONDS = 20.0  # longer than any sink is given


@dataclass(slots=True)
class Round:
    """One thing to do again and again. ``well_at`` is when it last went well (monotonic)."""

    name: str
    seconds: float
    turn: Callable[[], object]
    well_at: float | None = field(default=None, init=False)

    def well_within(self, seconds: float) -> bool:
        """Whether it went well lately."""
        return self.well_at is not None and time.monotonic() - self.well_at <= seconds

    def go(self, stop: threading.Event) -> None:
        """Turn until told to stop, the first time at once."""
        while True:
            self._turn_once()
            if stop.wait(self.seconds):
                return

    def _turn_once(self) -> None:
        try:
            self.turn()
            self.well_at = time.monotonic()
        except SwarmError as error:
            _log.warning("%s: %s", self.name, error)
        except Exception:  # noqa: BLE001 - a fault of ours in one turn must not end the watch for good
            _log.exception("%s failed", self.name)


@contextmanager
def going(rounds: Iterable[Round], stop: threading.Event) -> Iterator[None]:
    """Keep all of them going while the block runs; at its end let each finish its turn."""
    threads = [
        threading.Thread(target=each.go, args=(stop,), name=each.name, daemon=True)
        for each in rounds
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        until = time.monotonic() + _STOP_SECONDS
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
