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
from swarm.legacy.home import IntakeFiles, tombstones_of
from swarm.legacy.jsonl import LineLog, ids_of
from swarm.legacy.turns import counted
from swarm.ourselves import Ourselves
from swarm.settings import Settings
from swarm.sorting.classifier import SortedOut
from swarm.store.tombstones import is_erased

POLL_SECONDS = 1.0

# What the pipeline needs of an event; the rest told machines from people.
_KEPT = (
    "schema_version", "id", "message_id", "source", "mailbox", "internet_message_id",
    "conversation_id", "in_reply_to", "references", "sender", "reply_to", "to", "cc", "subject",
    "body_text", "body_html", "attachments", "received_at", "truncated",
)  # fmt: skip
_NOBODY = {"address": "unknown-sender@invalid", "name": ""}
_SENDER_UNREAD = "who wrote it"

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
    ours: Ourselves | None = None
    """Who we are; None: nothing is known but the mailbox each mail came to."""

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
            order, reason = _sorted(line, self.ours)
            if order:
                orders.append(order)
            elif reason:
                left_out.append(reason)
        new_orders = self.work_orders.append(orders) if orders else []
        new_ignored = self.ignored.append(left_out) if left_out else []
        written = sum(new_orders), sum(new_ignored)
        return Processed(*written, repeated=len(lines) - sum(written))


def _sorted(line: bytes, ours: Ourselves | None) -> tuple[bytes | None, bytes | None]:
    """Return the work-order line or the line that says why there is none; erased: neither."""
    if is_erased(line):
        return None, None
    try:
        event = cast("MailEvent", json.loads(line))
        reason = why_ignored(event, ours)
        if reason is None:
            return work_order_line(event), None
        return None, _ignored_line(event, reason)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        logger.warning("an unreadable event of %d bytes was left out", len(line))
        own = [name.decode("utf-8", "replace") for name in ids_of(line)[:1]]
        name = own[0] if own else f"unreadable-{hashlib.sha256(line).hexdigest()[:40]}"
        return None, _encoded({"schema_version": "1", "id": name, "reason": SortedOut.UNREADABLE})


def work_order_line(event: MailEvent) -> bytes:
    """Return the event as the pipeline reads it; one without sender is marked for a person."""
    kept: dict[str, object] = dict(event)
    order = {name: kept[name] for name in _KEPT}
    unread = list(event.get("unread", ()))
    if event["sender"] is None:
        order["sender"], unread = _NOBODY, [*unread, _SENDER_UNREAD]
    return _encoded({**order, **({"unread": unread} if unread else {})})


def _ignored_line(event: MailEvent, reason: SortedOut) -> bytes:
    sender = event["sender"] or _NOBODY
    return _encoded(
        {"schema_version": "1", "id": event["id"], "reason": reason, "source": event["source"],
         "received_at": event["received_at"], "sender": sender["address"],
         "subject": event["subject"][:500]}
    )  # fmt: skip


def _encoded(value: dict[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def build(settings: Settings) -> Callable[[], Processed]:
    """Return the turn of a processor for these settings."""
    files = IntakeFiles(settings.core.swarm_home)
    work_orders, ignored = (
        LineLog(path, tombstones_of(settings).refuses)
        for path in (files.work_orders, files.ignored)
    )
    processor = IntakeStreamProcessor(files, work_orders, ignored, settings.graph.ourselves)
    return counted(processor.turn, files.processor_turns)


def main() -> int:
    """Run the processor; returns its exit code."""
    return daemon.run("intake_stream_processor", build, interval=POLL_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
