"""The clock of this process. Leases and time-outs go by the database's clock, not by this one."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The present moment, time-zone aware UTC."""
    return datetime.now(UTC)
