"""How fast we may post: Zapier takes 30 requests a second per hook and answers 429 beyond."""

import threading
import time
from collections.abc import Callable


class RateLimit:
    """Spaces the posts of this process evenly. Thread-safe."""

    def __init__(
        self,
        per_second: float = 30.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval = 1.0 / per_second
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Return when the next post may leave."""
        with self._lock:
            now = self._clock()
            start = max(now, self._next)
            self._next = start + self._interval
        if start > now:
            self._sleep(start - now)


OF_THIS_PROCESS = RateLimit()
"""Shared by every publisher of the process."""
