"""Whose turn it is to ask a model: calls in flight over all programs of a host, a pace over all.

A provider counts requests of a key, not of a process. The pace is one row in Postgres that every
call moves on by its share of a minute, a wait the provider asked for included; the calls in flight
are locks of files. What lives elsewhere: asking (``chat``), waiting for a model that is broken
(``model_calls``, the queue).
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import sleep
from typing import Final, Protocol

from swarm.errors import ModelUnavailableError
from swarm.host_slots import HostSlots, NoSlotError
from swarm.settings import Settings
from swarm.store.database import Database

LONGEST_WAIT: Final = 60.0
"""Seconds for one turn of who holds no more than a thread meanwhile, and the longest anybody is
held at a provider's word."""

PATIENCE_OF_A_RUN: Final = 10.0
"""Seconds for one turn of a run: it holds a worker, and behind it may wait an escalation."""

# The next turn is never given away to who would not wait for it: then no row comes back.
_TURN = """
INSERT INTO model_paces AS m (name, next_at)
VALUES (%(name)s, clock_timestamp() + make_interval(secs => %(gap)s))
ON CONFLICT (name) DO UPDATE
   SET next_at = greatest(m.next_at, clock_timestamp()) + make_interval(secs => %(gap)s)
 WHERE m.next_at <= clock_timestamp() + make_interval(secs => %(most)s)
RETURNING greatest(extract(epoch FROM next_at - clock_timestamp()) - %(gap)s, 0)::float AS wait
"""

_HOLD = """
INSERT INTO model_paces AS m (name, next_at)
VALUES (%(name)s, clock_timestamp() + make_interval(secs => %(wait)s))
ON CONFLICT (name) DO UPDATE SET next_at = greatest(m.next_at, excluded.next_at)
"""


class NoTurnError(ModelUnavailableError):
    """It was nobody's fault: too many ask. The work order is driven again later."""

    def __init__(self) -> None:
        super().__init__("too many calls of this model wait for their turn", retry_after=10.0)


class Turns(Protocol):
    """Who may ask when."""

    def turn(self, name: str) -> AbstractContextManager[None]:
        """Wait for the turn of a call to the endpoint ``name`` and hold it; ``NoTurnError``."""
        ...

    def hold(self, name: str, seconds: float) -> None:
        """Let nobody ask for so long: the provider wants it."""
        ...


class NobodyElse:
    """The turns of a program that asks alone."""

    def turn(self, name: str) -> AbstractContextManager[None]:
        """Give the turn at once."""
        return nullcontext()

    def hold(self, name: str, seconds: float) -> None:
        """Nobody else is there to be held."""


class SharedTurns:
    """``Turns`` of an installation; ``patience`` is how long one turn is waited for, in seconds."""

    def __init__(
        self,
        database: Database,
        slots: HostSlots,
        per_minute: float | None,
        *,
        patience: float = LONGEST_WAIT,
    ) -> None:
        self._database, self._slots, self._patience = database, slots, patience
        self._gap = 60.0 / per_minute if per_minute else 0.0

    @contextmanager
    def turn(self, name: str) -> Iterator[None]:
        """Wait for a slot of this host, then for the pace; see the protocol."""
        try:
            with self._slots.held(self._patience):
                sleep(self._wait(name))
                yield
        except NoSlotError:
            raise NoTurnError from None

    def hold(self, name: str, seconds: float) -> None:
        """Move the next turn of everybody behind the wait that was asked for."""
        with self._database.transaction() as connection:
            connection.execute(_HOLD, {"name": name, "wait": min(seconds, LONGEST_WAIT)})

    def _wait(self, name: str) -> float:
        asked = {"name": name, "gap": self._gap, "most": self._patience}
        with self._database.transaction() as connection:
            row = connection.execute(_TURN, asked).fetchone()
        if row is None:
            raise NoTurnError
        return float(row["wait"])


def turns_of(
    settings: Settings, database: Database, *, patience: float = LONGEST_WAIT
) -> SharedTurns:
    """Return the turns of an installation's model."""
    slots = HostSlots.of_home(settings.core.swarm_home, "model", settings.model.at_once)
    return SharedTurns(database, slots, settings.model.requests_per_minute, patience=patience)
