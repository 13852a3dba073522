"""Today's second step: events that need an answer become lines of ``work_orders.jsonl``.

Each event ends in exactly one of two files: ``work_orders.jsonl`` or ``ignored.jsonl`` (with the
reason). The offset is saved after the lines are on disk; a crash in between repeats the batch and
the ids in the files keep it from doubling. Run: ``python -m swarm.legacy.intake_stream_processor``.
"""

import hashlib
import json
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from swarm.legacy import daemon
from swarm.legacy.actionable import why_ignored
from swarm.legacy.events import MailEvent
from swarm.legacy.follow import Follower
from swarm.legacy.home import IntakeFiles
from swarm.legacy.jsonl import LineLog
from swarm.settings import Settings

POLL_SECONDS = 1.0

# What the pipeline needs of an event; the rest told machines from people.
_KEPT = (
    "schema_version", "id", "message_id", "source", "mailbox", "internet_message_id",
    "conversation_id", "in_reply_to", "references", "sender", "reply_to", "to", "cc", "subject",
    "body_text", "body_html", "attachments", "received_at", "truncated",
)  # fmt: skip

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Processed:
    """What one turn did."""

    work_orders: int = 0
    ignored: int = 0
    repeated: int = 0


@dataclass(slots=True)
class IntakeStreamProcessor:
    """One reader of the events. ``turn`` reads what is new."""

    files: IntakeFiles
    work_orders: LineLog
    ignored: LineLog

    def turn(self) -> Processed:
        """Sort every complete new event; a partial last line waits."""
        done: list[Processed] = []
        self._follower.turn(lambda lines: done.append(self._settle(lines)))
        return Processed(
            work_orders=sum(each.work_orders for each in done),
            ignored=sum(each.ignored for each in done),
            repeated=sum(each.repeated for each in done),
        )

    @property
    def _follower(self) -> Follower:
        return Follower(self.files.events, self.files.processor_state)

    def _settle(self, lines: Sequence[bytes]) -> Processed:
        orders: list[bytes] = []
        left_out: list[bytes] = []
        for line in lines:
            order, reason = _sorted(line)
            if order:
                orders.append(order)
            elif reason:
                left_out.append(reason)
        new_orders = self.work_orders.append(orders) if orders else []
        new_ignored = self.ignored.append(left_out) if left_out else []
        written = sum(new_orders), sum(new_ignored)
        return Processed(*written, repeated=len(lines) - sum(written))


def _sorted(line: bytes) -> tuple[bytes | None, bytes | None]:
    """Return the work-order line, or the line that says why there is none."""
    try:
        event = cast("MailEvent", json.loads(line))
        reason = why_ignored(event)
        if reason is None:
            kept: dict[str, object] = dict(event)
            return _encoded({name: kept[name] for name in _KEPT}), None
        return None, _encoded(
            {"schema_version": "1", "id": event["id"], "reason": reason, "source": event["source"],
             "received_at": event["received_at"]}
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        logger.warning("an unreadable event of %d bytes was left out", len(line))
        sha256 = hashlib.sha256(line).hexdigest()
        return None, _encoded(
            {"schema_version": "1", "id": f"unreadable-{sha256[:40]}", "reason": "unreadable event"}
        )


def _encoded(value: dict[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def build(settings: Settings) -> Callable[[], Processed]:
    """Return the turn of a processor for these settings."""
    files = IntakeFiles(settings.core.swarm_home)
    return IntakeStreamProcessor(files, LineLog(files.work_orders), LineLog(files.ignored)).turn


def main() -> int:
    """Run the processor; returns its exit code."""
    return daemon.run("intake_stream_processor", build, interval=POLL_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
