"""The life of today's sender: through the ledger while Postgres answers, under its lease otherwise.

A turn settles the journal, keeps the lease, brings new outbox lines into the ledger and dispatches
what is due. When Postgres is away it posts new lines by itself as long as the lease lasts, each
journalled first; then it holds: late, never twice. What lives elsewhere: the outbox file and the
program (``swarm.legacy.publish_sender``).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from swarm.clients.protocol import NotSentError, OutcomeUnknownError
from swarm.errors import DatabaseError, DatabaseUnavailableError, PermanentError, RefusedError
from swarm.legacy.publishing.journal import Entry, Journal
from swarm.legacy.publishing.lease import LegacyLease
from swarm.legacy.publishing.settling import settle
from swarm.legacy.publishing.shim import OutboxItem, key_of, payload_of, try_hand_over
from swarm.publishing.dispatch.deps import PublishingDeps
from swarm.publishing.dispatch.dispatcher import Dispatched, dispatch_once, record_unrecorded
from swarm.publishing.ledger.payload import wire
from swarm.store.world import REMEDY

logger = logging.getLogger(__name__)

_NOTHING_DONE = frozenset({Dispatched.IDLE, Dispatched.NOT_MINE})


@dataclass(slots=True)
class LegacySender:
    """Today's sender behind the shim. One per journal."""

    deps: PublishingDeps
    journal: Journal
    lease: LegacyLease
    key_secret: str

    def begin_turn(self) -> bool:
        """Settle, keep the lease; False when Postgres is away, or answers and will not do it.

        Raises ``RefusedError`` when the database remembers another hook or mailbox than ours.
        """
        try:
            self._require_home()
            settle(self.deps.database, self.journal)
            record_unrecorded(self.deps)
            self.lease.keep(self.deps.database)
        except DatabaseError as error:
            logger.warning("without the ledger: %s", error)
            return False
        return True

    def _require_home(self) -> None:
        with self.deps.database.transaction() as connection:
            at_home = self.deps.at_home(connection)
        if not at_home:
            self.lease.let_go(self.deps.database)
            raise RefusedError(
                "this sender's hook or mailbox is not the one of this installation", hint=REMEDY
            )

    def take(self, item: OutboxItem, *, connected: bool) -> None:
        """Bring one line into the ledger, or publish it under the lease; repeating is harmless.

        Raises ``DatabaseUnavailableError`` when it must wait where it is.
        """
        key = key_of(self.key_secret, item)
        if not connected:
            self._without_ledger(key, item)
            return
        self.lease.note_handed_over(key)
        try:
            with self.deps.database.transaction() as connection:
                try_hand_over(connection, key, item)
        except DatabaseError as error:
            logger.warning("a line waits in the journal: %s", error)
            self.journal.defer(key, item)  # the commit may have been reached: the ledger must say

    def dispatch_due(self, *, limit: int = 100) -> int:
        """Dispatch what is due while legacy is in office; returns how many were tried."""
        for number in range(limit):
            if dispatch_once(self.deps).outcome in _NOTHING_DONE:
                return number
        return limit

    def _without_ledger(self, key: str, item: OutboxItem) -> None:
        if key in self.journal.keys():  # noqa: SIM118 - no mapping; and a killed turn repeats lines
            return
        if item.refused or self.lease.barred(key):
            self.journal.defer(key, item)
            return
        epoch = self.lease.epoch_to_post()
        if epoch is None:
            raise DatabaseUnavailableError("the outbox waits: no Postgres, and no lease any more")
        self._post_under_lease(key, item, epoch)

    def _post_under_lease(self, key: str, item: OutboxItem, epoch: int) -> None:
        try:
            body = wire(payload_of(key, item), fence=1, epoch=epoch, attempt=1)
        except PermanentError:
            self.journal.defer(key, item)  # the ledger will alert
            return
        entry = self.journal.intend(key, item, epoch=epoch)
        self.deps.rate_limit.wait()
        if self.lease.epoch_to_post() != epoch:  # we may have been paused since
            self.journal.conclude(entry, not_sent=True, outcome="the lease ended before the post")
            return
        self._post(entry, body)

    def _post(self, entry: Entry, body: Mapping[str, str]) -> None:
        try:
            receipt = self.deps.hook.post(body)
        except NotSentError as error:
            self.journal.conclude(entry, not_sent=True, outcome=str(error))
        except OutcomeUnknownError as error:
            self.journal.conclude(entry, outcome=str(error))
        else:
            self.journal.conclude(
                entry,
                accepted=True,
                outcome="accepted",
                http_status=receipt.http_status,
                request_id=receipt.request_id,
            )
