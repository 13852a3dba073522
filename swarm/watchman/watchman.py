"""Puts the watchman together: a watch, a delivery for each sink, the heartbeat; each on its own."""

import socket
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Event
from typing import Final

from swarm.clock import utc_now
from swarm.errors import DatabaseError, DatabaseUnavailableError
from swarm.settings import Settings
from swarm.store.database import Database
from swarm.watchman.delivery import Delivery
from swarm.watchman.heartbeat import DeadMansSwitch
from swarm.watchman.messages import Voice, voice_of
from swarm.watchman.outage import Outage
from swarm.watchman.rounds import Round, going
from swarm.watchman.sinks.configured import configured_sinks
from swarm.watchman.sinks.protocol import Sink
from swarm.watchman.summary import send_when_due
from swarm.watchman.watches import Watches

WATCH_SECONDS: Final = 5.0
DELIVER_SECONDS: Final = 2.0
SUMMARY_SECONDS: Final = 60.0


def deliver(delivery: Delivery, outage: Outage) -> int:
    """Tell a sink what the tables say, and of an outage what no table can; one turn of a round.

    Raises ``DatabaseUnavailableError`` as long as there is an outage.
    """
    try:
        told = delivery.turn()
    except DatabaseUnavailableError:
        outage.silent()
        raise
    else:
        outage.answered()
        return told
    finally:
        name = delivery.sink.name
        if (message := outage.due(name)) is not None and delivery.tell(message):
            outage.took(name, message)


@contextmanager
def watching(settings: Settings, database: Database, stop: Event) -> Iterator[None]:
    """Watch and deliver while the block runs."""
    with ExitStack() as open_things:
        sinks = configured_sinks(settings.alerts)
        for sink in sinks:
            open_things.callback(sink.close)
        house = voice_of(settings.core, name_of(settings.core.swarm_home))
        deliveries = deliveries_to(sinks, database, settings, house, clock=utc_now)
        open_things.callback(lambda: _let_go(deliveries))
        rounds = _rounds(settings, database, deliveries, house)
        if settings.alerts.heartbeat_url:
            heartbeat = DeadMansSwitch(
                settings.alerts.heartbeat_url, database, [s.name for s in sinks], rounds
            )
            open_things.enter_context(closing(heartbeat))
            every = settings.alerts.heartbeat_seconds
            rounds = (*rounds, Round("heartbeat", every, lambda: heartbeat.beat(utc_now())))
        open_things.enter_context(going(rounds, stop))
        yield


def name_of(home: Path) -> str:
    """Name the installation, so that two of them in one channel are told apart."""
    return f"{socket.gethostname()}:{home.absolute()}"


def deliveries_to(
    sinks: Sequence[Sink],
    database: Database,
    settings: Settings,
    house: Voice,
    *,
    clock: Callable[[], datetime],
) -> tuple[Delivery, ...]:
    """Return the delivery to each sink, held by this process and no other."""
    holder = uuid.uuid4().hex
    return tuple(
        Delivery(database, sink, settings.alerts, house, holder=holder, clock=clock)
        for sink in sinks
    )


def _rounds(
    settings: Settings, database: Database, deliveries: Sequence[Delivery], house: Voice
) -> tuple[Round, ...]:
    outage = Outage(settings.core.swarm_home / "run" / "outage.json", house, clock=utc_now)
    watches = Watches(database, settings, [d.sink.name for d in deliveries], clock=utc_now)
    tell = (
        Round(
            f"telling {delivery.sink.name}",
            DELIVER_SECONDS,
            partial(deliver, delivery, outage),
        )
        for delivery in deliveries
    )
    summary = partial(send_when_due, database, settings.core)
    return (
        Round("watch", WATCH_SECONDS, watches.turn),
        Round("summary", SUMMARY_SECONDS, summary),
        *tell,
    )


def _let_go(deliveries: Sequence[Delivery]) -> None:
    with suppress(DatabaseError):  # then it is free in half a minute
        for delivery in deliveries:
            delivery.stop()
