"""``python -m swarm.prefetch``: thinks ahead until it is told to stop.

A mail that holds the interpreter stops the loop and every thread; nothing written in Python could
end that. ``faulthandler`` has a thread of C for it: unless the loop says in time that it lives, the
process ends with the places where its threads stand, and is started again by whoever keeps it.
"""

import faulthandler
import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Final

from swarm.clients.monday import MondayClient
from swarm.clients.outlook import outlook_of
from swarm.errors import DatabaseError
from swarm.knowledge import Shelf
from swarm.prefetch.ahead_store import AheadStore
from swarm.prefetch.claims import PrefetchClaim, PrefetchClaims
from swarm.prefetch.prefetcher import CONNECTIONS, Prefetcher
from swarm.prefetch.seats import Seats
from swarm.prefetch.thinking import think_ahead
from swarm.process_identity import this_process
from swarm.safety import learned
from swarm.settings import Settings, load_settings
from swarm.specialists.select import select_specialist
from swarm.specialists.turns import turns_of
from swarm.stages.house import house_of
from swarm.store.database import Database
from swarm.store.model_ledger import PostgresModelLedger

_LONGEST_SILENCE: Final = 20.0  # seconds; the longest honest text holds the interpreter for 4
_DRAIN_SECONDS: Final = 15.0


def main() -> None:
    """Think ahead until SIGTERM; what is in hand then may end, its answers being paid already."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    settings = load_settings()
    learned.loaded_whole()
    url = settings.core.database_url.get_secret_value()
    database = Database(url, max_connections=CONNECTIONS)
    with prefetcher(settings, database) as mine:
        with suppress(DatabaseError):  # then the claims' leases run out
            mine.run(stop, within=_DRAIN_SECONDS)
        # A thread that still waits for a model would keep the process; its claim was given up.
        os._exit(0)


@contextmanager
def prefetcher(settings: Settings, database: Database) -> Iterator[Prefetcher]:
    """Yield the prefetcher of this installation."""
    me = this_process()
    house = house_of(settings)
    seats = Seats(turns_of(settings, database))
    shelf = Shelf(house.knowledge_folder)
    specialist = select_specialist(
        settings.model,
        PostgresModelLedger(database, ahead=True),
        acknowledge=house.acknowledges,
        turns=seats,
    )

    claims = PrefetchClaims(database, host=me.host, owner=f"{me.boot_id}:{me.pid}:{me.starttime}")
    with (
        closing(outlook_of(settings)) as outlook,
        closing(MondayClient(settings.monday)) as monday,
    ):

        def think(claim: PrefetchClaim) -> None:
            store = AheadStore(database)
            of_one = house.services(store, specialist, outlook=outlook, monday=monday, shelf=shelf)
            with seats.taken():
                think_ahead(claim, of_one)

        yield Prefetcher(
            claims,
            think,
            at_once=settings.model.prefetch,
            alive=lambda: faulthandler.dump_traceback_later(_LONGEST_SILENCE, exit=True),
        )
        faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main()
