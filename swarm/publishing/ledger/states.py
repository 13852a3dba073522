"""Where a publication stands. Which move is legal is the table at the head of ``transitions``."""

from enum import StrEnum


class LedgerState(StrEnum):
    """Where a publication stands; every move is a compare-and-set on (state, fence)."""

    PENDING_PAYLOAD = "PENDING_PAYLOAD"
    READY = "READY"
    SENDING = "SENDING"
    ACCEPTED = "ACCEPTED"
    UNKNOWN = "UNKNOWN"
    CONFIRMED = "CONFIRMED"
    HELD = "HELD"
    DEAD = "DEAD"
