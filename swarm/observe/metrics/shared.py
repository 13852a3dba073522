"""One answer for all who ask at once: a reading on a thread of its own, kept for a moment.

Whoever asks waits for it as long as patience lasts and gets None when it hangs (a network that
swallows packets ends no statement). The next one is begun only when it is over, so a database in
trouble is asked once and not by everybody.
"""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

Clock = Callable[[], float]


class _Reading(Generic[T]):
    """One reading under way, or done. The thread is a daemon: one that hangs keeps nobody alive."""

    def __init__(self, read: Callable[[], T], clock: Clock) -> None:
        self._read, self._clock = read, clock
        self.over = threading.Event()
        self.ended_at = 0.0
        self.found: T | None = None  # None: it hangs, or died of a mistake of ours
        threading.Thread(target=self._run, name="reading", daemon=True).start()

    def _run(self) -> None:
        try:
            self.found = self._read()
        finally:
            self.ended_at = self._clock()
            self.over.set()


class Shared(Generic[T]):
    """What ``read`` returns, asked again when the last answer is older than ``kept`` seconds."""

    def __init__(
        self,
        read: Callable[[], T],
        *,
        kept: float,
        patience: float,
        clock: Clock = time.monotonic,
    ) -> None:
        self._read, self._kept, self._patience, self._clock = read, kept, patience, clock
        self._lock = threading.Lock()
        self._newest: _Reading[T] | None = None

    def get(self) -> T | None:
        """Return the newest answer; None when there is none within ``patience`` seconds."""
        reading = self._reading()
        reading.over.wait(self._patience)
        return reading.found

    def _reading(self) -> _Reading[T]:
        with self._lock:
            newest = self._newest
            if newest is None or (newest.over.is_set() and self._stale(newest)):
                newest = self._newest = _Reading(self._read, self._clock)
            return newest

    def _stale(self, reading: _Reading[T]) -> bool:
        return self._clock() - reading.ended_at >= self._kept
