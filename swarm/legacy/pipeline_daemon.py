"""Today's third step: each work order becomes a line of the outbox, a draft or an escalation.

Reads ``work_orders.jsonl`` with its own offset file and judges by ``simple_stages`` alone; knows
no database. Beats its heart into ``pipeline_daemon.heartbeat.json`` so that people (and the daily
proof after a cutover) see that it could take over. Run: ``python -m swarm.legacy.pipeline_daemon``.
"""

import json
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from swarm.legacy import daemon, simple_stages
from swarm.legacy.follow import Follower
from swarm.legacy.home import LegacyFiles, tombstones_of
from swarm.legacy.jsonl import LineLog, write_state
from swarm.settings import Settings
from swarm.store.tombstones import is_erased

POLL_SECONDS = 1.0

# What the sender needs of a work order beside the draft; names as in the work-order line.
_KEPT = (
    "mailbox", "message_id", "internet_message_id", "conversation_id", "received_at",
)  # fmt: skip

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class PipelineDaemon:
    """One reader of the work orders and writer of the outbox."""

    files: LegacyFiles
    follower: Follower
    outbox: LineLog
    signature: str

    def turn(self) -> int:
        """Handle every complete new line; returns how many."""
        handled = self.follower.turn(self._handle)
        beat: dict[str, object] = {
            "at": datetime.now(UTC).isoformat(),
            "lag_bytes": self.follower.lag_bytes(),
        }
        write_state(self.files.pipeline_heartbeat, beat)
        return handled

    def _handle(self, lines: Sequence[bytes]) -> None:
        self.outbox.append(
            entry for line in lines if (entry := outbox_line(line, self.signature)) is not None
        )


def outbox_line(line: bytes, signature: str) -> bytes | None:
    """Return the outbox line of a work-order line; None when it is erased or (with a log line)
    unreadable.
    """
    if is_erased(line):
        return None
    try:
        order = json.loads(line)
        outcome = simple_stages.process(order, signature)
        kept = {name: order.get(name) for name in _KEPT}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        logger.warning("an unreadable work order of %d bytes was left out", len(line))
        return None
    entry = {
        "schema_version": "1",
        "id": outcome.work_order_id,
        "policy_version": simple_stages.POLICY_VERSION,
        "decision": "escalate" if outcome.escalated else "draft",
        "reasons": list(outcome.reasons),
        "recipient": outcome.recipient,
        "subject": outcome.subject,
        "body_text": outcome.body_text,
        **kept,
    }
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def build(settings: Settings) -> Callable[[], int]:
    """Return the turn of a daemon for these settings."""
    files = LegacyFiles(settings.core.swarm_home)
    follower = Follower(files.work_orders, files.pipeline_state)
    signature = settings.core.reply_signature
    outbox = LineLog(files.outbox, tombstones_of(settings).refuses)
    return PipelineDaemon(files, follower, outbox, signature).turn


def main() -> int:
    """Run the daemon; returns its exit code."""
    return daemon.run("pipeline_daemon", build, interval=POLL_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
