"""The publisher as a program of its own: one round a second until it is asked to stop.

For hosts that publish without Dagster; any number may run beside the publications job. A stop lets
the publication in hand finish: its claim is recorded, not left to the reaper.
"""

import logging
import signal
import threading

from swarm.errors import DatabaseUnavailableError
from swarm.publishing.deps import PublishingDeps
from swarm.publishing.tick import tick

log = logging.getLogger(__name__)


def run(deps: PublishingDeps, stop: threading.Event, *, interval_seconds: float = 1.0) -> None:
    """Do rounds until ``stop`` is set; Postgres being away only delays them."""
    while not stop.is_set():
        try:
            report = tick(deps, stopping=stop.is_set)
        except DatabaseUnavailableError as error:
            log.warning("no round: %s", error)
        else:
            if not report.idle:
                log.info("round: %s", report.model_dump_json())
        stop.wait(interval_seconds)


def stop_on_signal() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
