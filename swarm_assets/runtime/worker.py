"""``python -m swarm_assets.runtime.worker --name WHO --queue NAME --processes N``: run workers.

A Celery worker of our application. Celery's own command line would load a shell, its completion and
its colours beside it, 7 MB in each; what it would say to the worker is said here. What the worker
does is in ``celery_app``.
"""

import argparse
import logging
import signal
import sys
from collections.abc import Sequence

from celery.signals import worker_ready
from celery.utils.nodenames import gethostname, nodename

from swarm_assets.runtime.celery_app import app


def main(arguments: Sequence[str]) -> int:
    """Work until told to stop: SIGTERM lets the runs in hand finish. Returns the exit code."""
    given = _parsed(arguments)
    worker = app.Worker(
        hostname=nodename(given.name, gethostname()),
        queues=[given.queue],
        concurrency=given.processes,
        include=given.include,
        loglevel=logging.WARNING,
        # What workers would tell each other: the queue of our tables knows who holds what.
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker_ready.connect(_end_on_hangup)
    worker.start()
    return worker.exitcode or 0


def _end_on_hangup(**_signal: object) -> None:
    """As on SIGTERM: Celery would execute the command line again, which a forked one has not."""
    signal.signal(signal.SIGHUP, signal.getsignal(signal.SIGTERM))


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m swarm_assets.runtime.worker")
    parser.add_argument("--name", required=True, help="tells it apart from others of its host")
    parser.add_argument("--queue", required=True)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--include", action="append", help="a module to import beside")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
