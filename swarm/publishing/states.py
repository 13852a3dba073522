"""The words of the publication protocol: who may publish, and where a publication stands."""

from enum import StrEnum


class PublisherName(StrEnum):
    """Who may publish. ``NONE`` is the stop button."""

    LEGACY = "legacy"
    SWARM = "swarm"
    NONE = "none"


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
