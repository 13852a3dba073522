"""What the four programs share: command line, stopping on a signal, and patience with trouble."""

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Callable

from swarm.errors import ConfigurationError, PermanentError, SwarmError, TransientError
from swarm.settings import Settings, load_settings

LONGEST_PAUSE = 60.0

logger = logging.getLogger(__name__)


def run(name: str, build: Callable[[Settings], Callable[[], object]], *, interval: float) -> int:
    """Run ``build(settings)()`` once or for ever; returns the exit code.

    A failed turn is logged and repeated after a growing pause, because today's production must not
    end over one bad answer; ``--once`` reports it as exit code 1 instead.
    """
    parser = argparse.ArgumentParser(prog=f"python -m swarm.legacy.{name}")
    parser.add_argument("--once", action="store_true", help="one turn, then stop")
    parser.add_argument("--interval", type=float, default=interval, help="seconds between turns")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {name} %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # its INFO lines carry URLs
    try:
        turn = build(load_settings())
        if options.once:
            turn()
        else:
            _for_ever(turn, options.interval, _stop_signal())
    except ConfigurationError as error:
        sys.stderr.write(f"{name}: {error}\n")
        return 2
    except SwarmError as error:
        sys.stderr.write(f"{name}: {error}\n")
        return 1
    return 0


def _stop_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _for_ever(turn: Callable[[], object], interval: float, stop: threading.Event) -> None:
    pause = interval
    while not stop.is_set():
        try:
            turn()
            pause = interval
        except (TransientError, PermanentError, OSError) as error:
            pause = min(LONGEST_PAUSE, pause * 2)
            logger.warning("turn failed, next in %.0f s: %s", pause, error)
        stop.wait(pause)
