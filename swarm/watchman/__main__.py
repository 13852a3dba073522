"""``python -m swarm.watchman --port N``: watches and answers until it is told to stop."""

import argparse
import logging
import signal
import threading
from contextlib import closing

from swarm.settings import load_settings
from swarm.store.database import Database
from swarm.watchman.endpoint import serving
from swarm.watchman.watchman import watching

# One for each sink, the watch, the heartbeat and the endpoint, at most; none holds one for long.
_CONNECTIONS = 6


def main() -> None:
    """Parse the arguments and go round until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m swarm.watchman", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port of METRICS_LISTEN")
    given = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    settings = load_settings()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    url = settings.core.database_url.get_secret_value()
    with (
        closing(Database(url, max_connections=_CONNECTIONS, timeout=5.0)) as database,
        serving(settings.core, given.port),
        watching(settings, database, stop),
    ):
        stop.wait()


if __name__ == "__main__":
    main()
