"""How long a client keeps asking: bounded attempts, jittered back-off, a cap on the whole.

Only idempotent calls come here. What lives elsewhere: the queue's back-off between runs, which
takes over as soon as the patience of one call is used up.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import stamina

from swarm.errors import RateLimitedError, TransientError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """Defaults fit into one stage of a run: 4 attempts, 0.4 s doubling to 8 s, 60 s in all."""

    attempts: int = 4
    first_wait: float = 0.4
    longest_wait: float = 8.0
    total_seconds: float = 60.0

    def backoff(self, attempt: int) -> float:
        """Return our own wait after the n-th attempt (from 1), with half of it as jitter."""
        wait: float = min(self.longest_wait, self.first_wait * 2 ** (attempt - 1))
        return wait * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret


def patiently(
    operation: Callable[[], T],
    patience: Patience,
    *,
    hopeless: tuple[type[Exception], ...] = (),
) -> T:
    """Call until it succeeds, fails for good, or patience ends; then its own error is raised.

    The wait is max(what the service asked, our own back-off): Graph's ``Retry-After`` may be
    absent or always 1. A wait that does not fit into the rest of the total is not begun: the
    caller gets the ``RateLimitedError`` with the seconds asked for. ``hopeless`` errors are
    raised at once.
    """
    deadline = time.monotonic() + patience.total_seconds
    failures = 0

    def wait_for(error: Exception) -> bool | float:
        nonlocal failures
        if not isinstance(error, TransientError) or isinstance(error, hopeless):
            return False
        failures += 1
        asked = error.retry_after if isinstance(error, RateLimitedError) else 0.0
        wait = max(asked, patience.backoff(failures))
        return wait if time.monotonic() + wait <= deadline else False

    for attempt in stamina.retry_context(on=wait_for, attempts=patience.attempts, timeout=None):
        with attempt:
            return operation()
    raise AssertionError("stamina always runs at least one attempt")  # pragma: no cover
