"""What publishing needs from outside: one frozen bundle, handed in by whoever runs it.

Put together for the swarm in ``wiring``, for today's sender in ``swarm.legacy.publishing``.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from swarm.clients.protocol import DraftHook, Outlook
from swarm.models import Reason
from swarm.publishing.control import PublisherName
from swarm.publishing.dispatch import in_flight, rate_limit
from swarm.publishing.dispatch.in_flight import InFlight
from swarm.publishing.dispatch.rate_limit import RateLimit
from swarm.publishing.ledger.claim import ClaimCandidate
from swarm.publishing.ledger.endings import Settle
from swarm.settings import PublishingSettings
from swarm.store.database import Connection, Database

_BACKOFF_BASE_SECONDS = 2.0
_BACKOFF_CAP_SECONDS = 300.0

LastLook = Callable[[ClaimCandidate], tuple[Reason, ...]]
"""The rules asked right before a publication leaves (ES-09, 10, 11, 17, 20), with HTTP, outside any
transaction. Empty means allowed. Raises ``TransientError`` when it cannot be told now: it waits.
"""


def _always(_connection: Connection) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class PublishingDeps:
    """One publisher's means. Holding ``hook`` means holding the right to publish.

    ``outlook`` None skips the look before the POST (today's sender never had it) and leaves
    reconciling to somebody else. ``preflight`` is the last look; ``settle`` lets the work order
    follow. ``permitted`` is asked in the claim's transaction, under the switch lock. ``at_home`` is
    asked there too, and before anything else: a program whose services are not those the database
    remembers does nothing. It has no default: a builder that forgot it would post anywhere.
    """

    database: Database
    hook: DraftHook
    outlook: Outlook | None
    me: PublisherName
    required_rules: tuple[str, ...]
    preflight: LastLook
    settle: Settle
    at_home: Callable[[Connection], bool]
    timings: PublishingSettings = field(default_factory=PublishingSettings)
    permitted: Callable[[Connection], bool] = _always
    rate_limit: RateLimit = rate_limit.OF_THIS_PROCESS
    in_flight: InFlight = in_flight.OF_THIS_PROCESS
    clock: Callable[[], float] = time.monotonic
    draw: Callable[[], float] = random.random

    def may_claim(self, connection: Connection) -> bool:
        """Ask both questions of the claim; the caller holds the switch lock."""
        return self.at_home(connection) and self.permitted(connection)

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
