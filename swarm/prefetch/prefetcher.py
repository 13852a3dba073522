"""The loop of a prefetcher: takes claims while it has threads for them, keeps them, ends them.

One thread per work order in hand, because most of its time it waits for a model. The loop renews
the leases itself: where a mail holds the interpreter nothing is renewed, so that runs are requested
without waiting, and ``alive`` is not called, upon which the process ends (``__main__``).
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from swarm.errors import DatabaseError, SwarmError
from swarm.prefetch.claims import PrefetchClaim, PrefetchClaims

logger = logging.getLogger(__name__)

CONNECTIONS: Final = 4
"""Of all its threads together: a statement lasts milliseconds, a thought seconds."""

_ROUND_SECONDS: Final = 0.25
_PULSE_SECONDS: Final = 2.0
_MOST_TAKEN: Final = 16  # taking locks rows of the queue; the next round takes more
_SUSPECTS: Final = 4  # in hand together: should one end this process too, no more are left to runs


class Prefetcher:
    """Thinks about at most ``at_once`` work orders at a time, and a few that one died with."""

    def __init__(
        self,
        claims: PrefetchClaims,
        think: Callable[[PrefetchClaim], None],
        *,
        at_once: int,
        alive: Callable[[], None],
    ) -> None:
        self._claims, self._think, self._alive = claims, think, alive
        self._at_once = at_once
        self._pool = ThreadPoolExecutor(at_once + _SUSPECTS, thread_name_prefix="ahead")
        self._lock = threading.Lock()
        self._in_hand: dict[str, PrefetchClaim] = {}
        self._pulsed = 0.0

    def run(self, stop: threading.Event, *, within: float) -> None:
        """Go round until told to stop; then let what is in hand end, ``within`` seconds at most."""
        while not stop.wait(_ROUND_SECONDS):
            self._round(taking=True)
        deadline = time.monotonic() + within
        while self._held() and time.monotonic() < deadline:
            self._round(taking=False)
            time.sleep(_ROUND_SECONDS)
        self._claims.leave()

    def _round(self, *, taking: bool) -> None:
        self._alive()
        try:
            if time.monotonic() - self._pulsed >= _PULSE_SECONDS:
                self._claims.pulse(self._held())
                self._pulsed = time.monotonic()
            if taking:
                self._take()
        except DatabaseError as error:
            logger.warning("nothing is thought ahead at present: %s", error.message)

    def _take(self) -> None:
        with self._lock:
            suspects = sum(claim.suspect for claim in self._in_hand.values())
            fresh = len(self._in_hand) - suspects
        limit, again = min(self._at_once - fresh, _MOST_TAKEN), _SUSPECTS - suspects
        if limit or again:
            for claim in self._claims.take(limit, again):
                self._begin(claim)

    def _begin(self, claim: PrefetchClaim) -> None:
        with self._lock:
            self._in_hand[claim.work_order_key] = claim
        self._pool.submit(self._think_through, claim)

    def _think_through(self, claim: PrefetchClaim) -> None:
        left = ""
        try:
            self._think(claim)
        except SwarmError as error:
            left = error.message
        # A bug of ours or a library's: the run meets it under its own limits, and tells of it.
        except Exception as error:  # noqa: BLE001
            left = f"a fault of this program stopped it ({type(error).__name__})"
        finally:
            self._end(claim, left)

    def _end(self, claim: PrefetchClaim, left: str) -> None:
        try:
            self._claims.end(claim, left)
        except DatabaseError as error:  # its lease runs out
            logger.warning("%s: could not be ended: %s", claim.work_order_key, error.message)
        finally:
            with self._lock:
                if self._in_hand.get(claim.work_order_key) == claim:
                    del self._in_hand[claim.work_order_key]

    def _held(self) -> list[str]:
        with self._lock:
            return list(self._in_hand)
