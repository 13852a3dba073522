"""Tells one sink what it must be told: read, tell, mark. At least once, and never in a flood.

A turn opens no transaction while the sink is asked. What lives elsewhere: the rows
(``swarm.store.alert_deliveries``), which messages (``batches``), the words (``messages``), and the
outage of the database itself (``outage``).
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from swarm.errors import RateLimitedError, SwarmError
from swarm.settings import AlertSettings
from swarm.store import alert_deliveries as rows
from swarm.store.alert_silences import standing
from swarm.store.database import Database
from swarm.watchman.batches import Batch, batches
from swarm.watchman.messages import Notice, Voice, message_of
from swarm.watchman.quiet_hours import kept_quiet
from swarm.watchman.sinks.protocol import MessageRefusedError, Sink

_log = logging.getLogger(__name__)

MOST_A_TURN: Final = 20
"""Messages; a chat takes about one a second, and the others are told after it."""

_LONGEST_TURN: Final = timedelta(seconds=30)  # of a sink that is slow; then the turn is over

_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 60.0  # seconds between two tries of a sink that fails


class _Taken(NamedTuple):
    """A batch the sink took, and the moment; not marked yet."""

    batch: Batch
    at: datetime


class Delivery:
    """The delivery to one sink by this process; one thread calls it."""

    def __init__(
        self,
        database: Database,
        sink: Sink,
        settings: AlertSettings,
        house: Voice,
        *,
        holder: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._sink = sink
        self._settings = settings
        self._house = house
        self._holder = holder
        self._clock = clock
        self._taken: list[_Taken] = []

    @property
    def sink(self) -> Sink:
        """Whom this tells."""
        return self._sink

    def turn(self) -> int:
        """Tell what is due; returns how many messages were taken.

        Raises a ``DatabaseError`` when it cannot be read or marked. What was taken and could not be
        marked is remembered and marked first at the next turn, not told again.
        """
        self._mark_taken()
        told, until = 0, self._clock() + _LONGEST_TURN
        for batch in self._due()[:MOST_A_TURN]:
            if self._clock() > until or not self._told(batch):
                break
            told += 1
        return told

    def stop(self) -> None:
        """Let another process deliver at once; raises a ``DatabaseError``."""
        with self._database.transaction() as connection:
            rows.let_go(connection, self._sink.name, self._holder)

    def tell(self, message: Notice) -> bool:
        """Tell one message that stands in no table; False when the sink did not take it."""
        try:
            self._sink.tell(message)
        except SwarmError as error:
            _log.warning("%s was not told: %s", self._sink.name, error.message)
            return False
        return True

    def _due(self) -> Sequence[Batch]:
        now, name = self._clock(), self._sink.name
        with self._database.transaction() as connection:
            state = rows.hold(connection, name, self._holder)
            if state is None:  # another watchman tells it
                return ()
            silenced = {each.kind for each in standing(connection, now)}
            quiet = kept_quiet(self._settings, self._house.time_zone, silenced, now)
            due = rows.due(connection, name, quiet=quiet, now=now)
            if not due or (state.next_try is not None and state.next_try > now):
                return ()
            lately = rows.lately(connection, name, now)
            return batches(due, lately, storm=self._settings.storm)

    def _told(self, batch: Batch) -> bool:
        """Tell and mark one batch; False when the sink takes nothing more now."""
        try:
            self._sink.tell(message_of(batch, self._house))
        except MessageRefusedError as error:
            _log.warning("a message was refused: %s", error.message)
            with self._database.transaction() as connection:
                args = (self._sink.name, batch.alerts, error.message, self._clock())
                rows.mark_refused(connection, *args)
            return True
        except SwarmError as error:
            self._put_off(error)
            return False
        self._taken.append(_Taken(batch, self._clock()))
        self._mark_taken()
        return True

    def _mark_taken(self) -> None:
        while self._taken:
            (alerts, bundle, over), at = self._taken[0]
            with self._database.transaction() as connection:
                rows.mark_told(
                    connection, self._sink.name, alerts, bundle=bundle, over=over, now=at
                )
                rows.hold(connection, self._sink.name, self._holder)
            del self._taken[0]

    def _put_off(self, error: SwarmError) -> None:
        _log.warning("%s takes nothing: %s", self._sink.name, error.message)
        now = self._clock()
        with self._database.transaction() as connection:
            state = rows.hold(connection, self._sink.name, self._holder)
            pause = _pause(state.failures if state else 0, error)
            rows.mark_failed(
                connection, self._sink.name, error.message, now=now, next_try=now + pause
            )


def _pause(failures: int, error: SwarmError) -> timedelta:
    """Return how long to leave a sink alone: twice as long each time, or as long as it asks."""
    asked = error.retry_after if isinstance(error, RateLimitedError) else 0.0
    usual = _FIRST_PAUSE * 2.0 ** min(failures, 10)
    return timedelta(seconds=max(min(usual, _LONGEST_PAUSE), min(asked, 5 * _LONGEST_PAUSE)))
