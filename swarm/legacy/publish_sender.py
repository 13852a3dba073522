"""Today's last step: outbox lines become Outlook drafts through the Catch Hook.

Reads ``outbox.jsonl`` with an offset file of its own and knows nothing of what may be published
when; that is the ledger shim's business (``swarm.legacy.publishing.sender``). The offset moves
behind lines only when the ledger or the journal has them; a repeated line changes nothing.
Run: ``python -m swarm.legacy.publish_sender``.
"""

import hashlib
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import ValidationError

from swarm.clients.zapier import ZapierHook
from swarm.errors import DatabaseError
from swarm.legacy import daemon
from swarm.legacy.follow import Follower
from swarm.legacy.home import LegacyFiles, tombstones_of
from swarm.legacy.jsonl import write_state
from swarm.legacy.publishing.journal import Journal
from swarm.legacy.publishing.lease import LegacyLease
from swarm.legacy.publishing.sender import LegacySender
from swarm.legacy.publishing.shim import OutboxItem, legacy_publisher
from swarm.settings import Settings
from swarm.store.database import Database
from swarm.store.home_world import require_home
from swarm.store.tombstones import is_erased
from swarm.store.world import Service, places
from swarm.store.world_rows import at_home

POLL_SECONDS = 1.0

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class PublishSender:
    """One reader of the outbox in front of the shim."""

    files: LegacyFiles
    follower: Follower
    sender: LegacySender
    refuses: Callable[[bytes], bool] = lambda _line: False

    def turn(self) -> int:
        """Take what is new and dispatch what is due; returns how many lines were taken.

        Postgres being away, or refusing, is no failure of a turn: the lease decides what may go on.
        """
        connected = self.sender.begin_turn()
        try:
            taken = self.follower.turn(lambda lines: self._take(lines, connected=connected))
            if connected:
                self.sender.dispatch_due()
        except DatabaseError as error:
            logger.warning("%s", error)
            taken = 0
        self._beat(connected=connected)
        return taken

    def _beat(self, *, connected: bool) -> None:
        beat: dict[str, object] = {
            "at": datetime.now(UTC).isoformat(),
            "lag_bytes": self.follower.lag_bytes(),
            "connected": connected,
        }
        write_state(self.files.sender_heartbeat, beat)

    def _take(self, lines: Sequence[bytes], *, connected: bool) -> None:
        for line in lines:
            item = None if self.refuses(line) else read_item(line)
            if item is not None:
                self.sender.take(item, connected=connected)


def read_item(line: bytes) -> OutboxItem | None:
    """Return the line's item; an unreadable line is logged (never its text) and left out, an
    erased one just left out.
    """
    if is_erased(line):
        return None
    digest = hashlib.sha256(line).hexdigest()
    try:
        item = OutboxItem.model_validate_json(line)
    except ValidationError:
        logger.warning("an unreadable outbox line of %d bytes was left out", len(line))
        return None
    return item.model_copy(update={"line_sha256": digest})


def build(settings: Settings) -> Callable[[], int]:
    """Return the turn of a sender; raises ``RefusedError`` when another one holds its journal, or
    when its services are not those of this home.
    """
    require_home(settings, Service.MAILBOX, Service.HOOK)
    files = LegacyFiles(settings.core.swarm_home)
    folder = files.outbox.parent
    lease = LegacyLease(
        folder,
        seconds=settings.publishing.legacy_lease_seconds,
        margin_seconds=settings.publishing.send_deadline_seconds,
        world=places(settings)[Service.HOOK].sha256 or "",
    )
    # Two seconds of patience: production must not wait long for a Postgres that is away.
    database = Database(settings.core.database_url.get_secret_value(), timeout=2.0)
    hook = ZapierHook(settings.zapier, deadline_seconds=settings.publishing.send_deadline_seconds)
    sender = LegacySender(
        legacy_publisher(
            database, hook, settings.publishing, lease.holder, at_home=at_home(settings)
        ),
        Journal(folder),
        lease,
        settings.core.swarm_key_secret.get_secret_value(),
    )
    follower = Follower(files.outbox, files.sender_state)
    return PublishSender(files, follower, sender, tombstones_of(settings).refuses).turn


def main() -> int:
    """Run the sender; returns its exit code."""
    return daemon.run("publish_sender", build, interval=POLL_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
