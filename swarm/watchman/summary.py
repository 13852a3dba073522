"""The morning summary goes out at the hour the house names (``DIGEST_AT``), once a day.

What lives elsewhere: what it says (``swarm.observe.digest``), telling it (``delivery``).
"""

from collections.abc import Callable
from datetime import datetime

from swarm.clock import utc_now
from swarm.observe.digest import due, last_sent, read_digest, send
from swarm.settings import CoreSettings
from swarm.store.database import Database


def send_when_due(
    database: Database, core: CoreSettings, clock: Callable[[], datetime] = utc_now
) -> bool:
    """Hand the summary to the sinks when its time has come; True when it was.

    Raises a ``DatabaseError``; then it is asked again, for twelve hours.
    """
    with database.transaction() as connection:
        last = last_sent(connection)
    if not due(clock(), last, core.digest_at, core.house_time_zone):
        return False
    return send(database, read_digest(database, core.house_time_zone))
