"""The dead-man's switch: an address outside is asked while alerts can be told, and only then.

Whoever listens there wakes somebody when it is not asked any more: the watchman is dead, the
machine is, or the way out is broken. Nothing but the question itself leaves the house.
"""

import logging
from collections.abc import Collection
from datetime import datetime

from pydantic import SecretStr

from swarm.store.alert_deliveries import SinkState, sinks
from swarm.store.database import Database
from swarm.watchman.rounds import Round
from swarm.watchman.sinks.posting import Posting

_log = logging.getLogger(__name__)

_STILL_WELL_SECONDS = 90.0  # every other round turns within seconds, or a sink holds it for 30


def broken_sinks(
    states: Collection[SinkState], names: Collection[str], now: datetime
) -> tuple[str, ...]:
    """Return which of these sinks have been failing for long. Pure."""
    return tuple(each.sink for each in states if each.sink in names and each.broken(now))


class DeadMansSwitch:
    """Asks one address."""

    def __init__(
        self, url: SecretStr, database: Database, names: Collection[str], rounds: Collection[Round]
    ) -> None:
        """``names`` are the sinks, ``rounds`` what must go well for the way out to be whole."""
        self._posting = Posting("the heartbeat", url)
        self._database = database
        self._names = frozenset(names)
        self._rounds = tuple(rounds)

    def beat(self, now: datetime) -> bool:
        """Ask the address when the way out is whole; True when it was asked.

        Raises what ``Posting.get`` does, and a ``DatabaseError``.
        """
        sick = [each.name for each in self._rounds if not each.well_within(_STILL_WELL_SECONDS)]
        with self._database.transaction() as connection:
            broken = broken_sinks(sinks(connection), self._names, now)
        if sick or broken:
            _log.warning("no heartbeat: %s", ", ".join((*sick, *broken)))
            return False
        self._posting.get()
        return True

    def close(self) -> None:
        """Close the connection."""
        self._posting.close()
