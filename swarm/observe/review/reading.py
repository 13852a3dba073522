"""A transaction that only reads, and not for long: a page is worth seconds of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from swarm.store.database import Connection, Database

_MILLISECONDS = 5000


@contextmanager
def reading(database: Database) -> Iterator[Connection]:
    """Yield a connection in one read-only snapshot whose statements end after five seconds.

    Raises ``DatabaseUnavailableError``, also for a statement that took longer.
    """
    with database.transaction() as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute(f"SET LOCAL statement_timeout = {_MILLISECONDS}")
        yield connection


def day_of(now: datetime, zone: str, *, back: int = 0) -> tuple[datetime, datetime]:
    """Return beginning and end, in UTC, of the day ``back`` days before ``now`` in a time zone."""
    here = ZoneInfo(zone)
    today = now.astimezone(here).date() - timedelta(days=back)
    begins = (datetime.combine(day, time.min, here) for day in (today, today + timedelta(days=1)))
    begin, end = (moment.astimezone(UTC) for moment in begins)
    return begin, end
