"""What publishing needs from outside: one frozen bundle, handed in by whoever runs it."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from swarm.clients.protocol import DraftHook, Outlook
from swarm.publishing import flights, pace
from swarm.publishing.claim import Recheck
from swarm.publishing.finals import Settle
from swarm.publishing.flights import Flights
from swarm.publishing.pace import Pace
from swarm.publishing.states import PublisherName
from swarm.settings import PublishingSettings
from swarm.store.database import Connection, Database

_BACKOFF_BASE_SECONDS = 2.0
_BACKOFF_CAP_SECONDS = 300.0


def _always(_connection: Connection) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class PublishingDeps:
    """One publisher's means. Holding ``hook`` means holding the right to publish.

    ``outlook`` None skips the look before the POST (today's sender never had it) and leaves
    reconciling to somebody else. ``recheck`` asks the sink rules; ``settle`` lets the work order
    follow. ``guard_in_zap`` is true only if the Zap asks our guard before it drafts. ``permitted``
    is asked in the claim's transaction, under the switch lock.
    """

    database: Database
    hook: DraftHook
    outlook: Outlook | None
    me: PublisherName
    required_rules: tuple[str, ...]
    recheck: Recheck
    settle: Settle
    timings: PublishingSettings = field(default_factory=PublishingSettings)
    guard_in_zap: bool = False
    permitted: Callable[[Connection], bool] = _always
    pace: Pace = pace.OF_THIS_PROCESS
    flights: Flights = flights.OF_THIS_PROCESS
    clock: Callable[[], float] = time.monotonic
    draw: Callable[[], float] = random.random

    @property
    def overdue_seconds(self) -> float:
        """Age at which a claim that was not recorded is looked into: twice the send deadline."""
        return 2 * self.timings.send_deadline_seconds

    def backoff_seconds(self, attempts: int, retry_after: float = 0.0) -> float:
        """Wait after ``attempts`` posts proven not sent: doubling, jittered, never below
        ``retry_after``.
        """
        ceiling = min(_BACKOFF_CAP_SECONDS, _BACKOFF_BASE_SECONDS * 2 ** min(attempts, 16))
        return max(retry_after, float(ceiling * (0.5 + self.draw() / 2)))
