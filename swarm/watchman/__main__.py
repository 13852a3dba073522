"""``python -m swarm.watchman --port N``: watches and answers until it is told to stop."""

import argparse
import signal
import threading

from swarm.settings import load_settings
from swarm.watchman.endpoint import serving

_TURN_SECONDS = 5.0


def main() -> None:
    """Parse the arguments and go round until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m swarm.watchman", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port of METRICS_LISTEN")
    given = parser.parse_args()
    settings = load_settings()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with serving(settings.core, given.port):
        while not stop.wait(_TURN_SECONDS):
            pass


if __name__ == "__main__":
    main()
