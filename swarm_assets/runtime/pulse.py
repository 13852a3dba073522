"""The heartbeat of a worker process: which engine it is, said every ten seconds while it lives.

Said by the child that executes runs, not by its parent: what it has loaded is what decides. The
engine is asked for once, at the start, so an upgrade on the disk changes nothing of what runs. What
lives elsewhere: the rows and what is made of them (``swarm.cutover.heartbeats``).
"""

import logging
import threading
from contextlib import suppress

from swarm.cutover.heartbeats import EVERY_SECONDS, Pulse
from swarm.errors import SwarmError
from swarm.process_identity import this_process
from swarm_assets.resources import process

_log = logging.getLogger(__name__)
_ended = threading.Event()


def start(role: str) -> None:
    """Begin to say it, from a thread; ``role`` is the worker program's name."""
    _ended.clear()
    threading.Thread(target=_beat, args=(role,), daemon=True).start()


def stop() -> None:
    """Take the row along, as this process ends; whoever is killed falls silent instead."""
    _ended.set()
    with suppress(SwarmError), process.database().transaction() as connection:
        Pulse.forget(connection, this_process().model_dump_json())


def _beat(role: str) -> None:
    """Say it until the process ends. Postgres may be away: silence is what the flip refuses."""
    pulse: Pulse | None = None
    while not _ended.is_set():
        try:
            pulse = pulse or _pulse(role)
            pulse.beat()
        except SwarmError as error:
            _log.warning("could not say which engine this is: %s", error.message)
        _ended.wait(EVERY_SECONDS)


def _pulse(role: str) -> Pulse:
    me = this_process().model_dump_json()
    home = process.settings().core.swarm_home
    return Pulse(process.database(), me, role, process.engine(), home)
