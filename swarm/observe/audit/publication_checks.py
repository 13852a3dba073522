"""One publication, worked out again: its payload's bytes, its log, and what both say. Pure.

The log is walked along the legal moves (``MOVES``); where the walk ends, the row must stand. What
needs the mailbox is asked in ``mailbox``, what compares publications with each other in ``tables``.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from pydantic import ValidationError

from swarm.models import DECLINED, canonical_sha256
from swarm.observe.audit.findings import Violation
from swarm.observe.audit.stored import Stored
from swarm.publishing.ledger.endings import FOUND_AFTER_RESTORE
from swarm.publishing.ledger.payload import StoredPayload, draft_sha256
from swarm.publishing.ledger.states import LedgerState
from swarm.publishing.ledger.transitions import MOVES, REOPEN, Move
from swarm.store.database import Row

_NAMED_OTHERWISE: Final = {
    "ready": "make_ready",
    "handed_over": "hand_over",
    "claimed": "begin_sending",
    "settled": "record_journalled",
}
_RELEASED: Final = "released"
_POSTED: Final = frozenset({"claimed", "settled"})
_UNCERTAIN: Final = frozenset({"accepted", "unknown", "settled"})
_BYTES_NAMED: Final = frozenset({"READY", "SENDING", "ACCEPTED", "UNKNOWN"})
_REF: Final = ("mailbox", "message_id", "internet_message_id", "conversation_id")


def check(stored: Stored, acknowledgement: timedelta) -> Iterator[Violation]:
    """Yield what is wrong with payloads, ledger row and escalation of a work order."""
    for payload in stored.payloads:
        yield from _payload(stored, payload)
    if stored.publication is not None:
        yield from _row(stored, stored.publication)
    yield from _escalation(stored, acknowledgement)


# --- payload --------------------------------------------------------------------------------------


def _payload(stored: Stored, row: Row) -> Iterator[Violation]:
    whose = f"payload of {row['publisher']}"
    if canonical_sha256(row["body"]) != row["sha256"]:
        yield Violation(4, "payload_changed", f"{whose} does not match its hash (ES-17)")
    try:
        payload = StoredPayload.model_validate(row["body"])
    except ValidationError:
        yield Violation(4, "payload_changed", f"{whose} is not of a form we know")
        return
    if payload.idempotency_key != stored.key:
        yield Violation(4, "payload_changed", f"{whose} names another work order")
    if draft_sha256(payload) != row["draft_sha256"]:
        yield Violation(4, "payload_changed", f"{whose} is not the judged draft (ES-17)")
    if row["publisher"] == "swarm":
        yield from _against_the_order(stored, row, payload)


def _against_the_order(stored: Stored, row: Row, payload: StoredPayload) -> Iterator[Violation]:
    drafts = {_content(a["body"]) for a in stored.artifacts if a["stage"] == "draft"}
    if row["draft_sha256"] not in drafts:
        yield Violation(4, "payload_without_draft", "the payload is no stored draft of this order")
    if stored.order is None:
        return
    ref = stored.order["body"].get("ref", {})
    for name in _REF:
        if getattr(payload, name) != (ref.get(name) or ""):
            yield Violation(4, "payload_changed", f"the payload's {name} is not the mail's")


def _content(draft: Mapping[str, Any]) -> str | None:
    """Return ``Draft.content_sha256`` of a stored draft; None when it is not one."""
    try:
        parts = {name: draft[name] for name in ("subject", "body_text", "body_html")}
        for name in ("to", "cc"):
            parts[name] = [each["address"].lower() for each in draft[name]]
    except (KeyError, TypeError, AttributeError):
        return None
    return canonical_sha256(parts)


# --- ledger row and log ---------------------------------------------------------------------------


def _row(stored: Stored, row: Row) -> Iterator[Violation]:
    stood, fence = {LedgerState.PENDING_PAYLOAD}, 0
    for line in stored.log:
        fence += line["event"] in _POSTED
        move = _move_of(line["event"])
        if move is None or not stood & move.before or line["fence"] != fence:
            where = " or ".join(sorted(stood))
            said = (
                f"'{line['event']}' of fence {line['fence']} cannot follow {where}, fence {fence}"
            )
            yield Violation(2, "impossible_move", said)
        stood = _after(line, move, stood)
    if row["state"] not in stood or row["fence"] != fence:
        where = " or ".join(sorted(stood))
        said = f"{row['state']} with fence {row['fence']}, but its log says {where}, fence {fence}"
        yield Violation(2, "ledger_not_in_log", said)
    yield from _counted(row, Counter(_since_release(line["event"] for line in stored.log)))
    yield from _bytes(stored, row)


def _since_release(events: Iterable[str]) -> Sequence[str]:
    """Return what happened since a person's last release, which begins the counts anew."""
    kept: list[str] = []
    for event in events:
        kept = [] if event == _RELEASED else [*kept, event]
    return kept


def _move_of(event: str) -> Move | None:
    """Return the legal move a log line tells of: it is named after it, or its past tense."""
    if event == _RELEASED:
        return REOPEN
    for name, move in MOVES.items():
        said = (_NAMED_OTHERWISE.get(event), f"record_{event}", event)
        if name in said or event in (f"{name}d", f"{name}ed"):
            return move
    return None


def _after(line: Row, move: Move | None, stood: set[LedgerState]) -> set[LedgerState]:
    if move is None:
        return stood
    ends = set(move.after)
    if line["event"] == "handed_over":  # its detail says where to: "to swarm as READY"
        return {state for state in ends if line["detail"].endswith(f" {state}")} or ends
    return ends


def _counted(row: Row, told: Counter[str]) -> Iterator[Violation]:
    uncertain = sum(told[event] for event in _UNCERTAIN)
    if row["uncertain_posts"] != uncertain or row["ever_uncertain"] != (uncertain > 0):
        said = f"{row['uncertain_posts']} posts of unproven outcome, its log tells of {uncertain}"
        yield Violation(2, "ledger_not_in_log", said)
    posts = sum(told[event] for event in _POSTED)
    if not posts - told["not_sent"] <= row["attempts"] <= posts:
        said = f"{row['attempts']} attempts, its log tells of {posts} claims"
        yield Violation(2, "ledger_not_in_log", said)
    if told["confirmed"] > 1:
        yield Violation(2, "confirmed_twice", f"confirmed {told['confirmed']} times")
    if row["state"] == "CONFIRMED" and not row["draft_id"]:
        yield Violation(2, "confirmed_without_draft", "CONFIRMED, and no draft is named")


def _bytes(stored: Stored, row: Row) -> Iterator[Violation]:
    """A row names its bytes from READY on; a switch to nobody takes the name away again.

    Nor does one name any whose draft was there when a backup was restored: that was approved by a
    ledger that is lost (``swarm reconcile``).
    """
    named = row["payload_sha256"]
    theirs = {p["sha256"] for p in stored.payloads if p["publisher"] == row["publisher"]}
    handed_back = any(line["event"] == "not_sent" for line in stored.log)
    of_a_lost_ledger = any(line["detail"] == FOUND_AFTER_RESTORE for line in stored.log)
    excused = handed_back or of_a_lost_ledger
    wanted = row["state"] in _BYTES_NAMED or (row["state"] == "CONFIRMED" and not excused)
    if named not in theirs and (wanted or named is not None):
        yield Violation(4, "payload_changed", f"{row['state']}: the payload it names is not stored")


# --- escalation -----------------------------------------------------------------------------------


def _escalation(stored: Stored, acknowledgement: timedelta) -> Iterator[Violation]:
    row = stored.escalation
    if row is None:
        return
    declined = any(reason["rule"] == DECLINED for reason in row["reasons"])  # of no class
    if not row["owner"].strip() or not (row["classes"] or declined):
        yield Violation(1, "escalation_without_owner", "its owner or its classes are empty (ES-22)")
    if row["due_in"] > acknowledgement:
        yield Violation(1, "escalation_without_owner", f"due only {row['acknowledge_by']} (ES-22)")
    if (row["acknowledged_at"] is None) != (not (row["acknowledged_by"] or "").strip()):
        yield Violation(1, "escalation_without_owner", "acknowledged, but not by whom and when")
