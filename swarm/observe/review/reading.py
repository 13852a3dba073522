"""A transaction that only reads, and not for long: a page is worth seconds of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from swarm.store.database import Connection, Database

_MILLISECONDS = 5000


@contextmanager
def reading(database: Database) -> Iterator[Connection]:
    """Yield a connection in one read-only snapshot whose statements end after five seconds.

    Raises ``DatabaseUnavailableError``, also for a statement that took longer.
    """
    with database.snapshot() as connection:
        connection.execute(f"SET LOCAL statement_timeout = {_MILLISECONDS}")
        yield connection


def day_of(now: datetime, zone: str, *, back: int = 0) -> tuple[datetime, datetime]:
    """Return beginning and end, in UTC, of the day ``back`` days before ``now`` in a time zone."""
    today = now.astimezone(ZoneInfo(zone)).date() - timedelta(days=back)
    return begin_of(today, zone), begin_of(today + timedelta(days=1), zone)


def begin_of(day: date, zone: str) -> datetime:
    """Return the first moment of a day of a time zone, in UTC."""
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)
