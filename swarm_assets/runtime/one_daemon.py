"""``python -m swarm_assets.runtime.one_daemon run -w FILE``: Dagster's daemon, the only one.

Two daemons on one database would tick every sensor twice. Nothing would be drafted twice (the queue
and the ledger see to that), but runs would be requested, cancelled and marked failed by both. So
the daemon holds a lock of the database, whatever host or home it was started from, and a second one
refuses to start. Without the lock nothing goes on: unless the server said within the last seconds
that the lock is still ours, every call of Dagster's storage waits; it is taken again when its
session broke, and when another daemon took it meanwhile this one ends.

All arguments are those of ``dagster-daemon``. What lives elsewhere: the lock itself
(``swarm.store.session_lock``), and who keeps the daemon alive (``swarm.up``, systemd).
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

from sqlalchemy import event
from sqlalchemy.pool import Pool

from swarm.errors import DatabaseError, RefusedError, SwarmError
from swarm.process_identity import since_boot
from swarm.settings import load_settings
from swarm.store.session_lock import SessionLock

_NUMBER: Final = 1
_ASK_SECONDS: Final = 1.0
# An answer is believed for so long: less than the server takes to give up a silent session (25 s),
# and by a clock that goes on while this process is stopped or its machine sleeps.
_BELIEVED_SECONDS: Final = 8.0
_RETRY_SECONDS: Final = 0.2
# The session of a daemon that was killed a moment ago may not have ended on the server yet.
_START_SECONDS: Final = 3.0
# Postgres away for longer: whoever keeps this program alive starts it anew.
_LONGEST_WITHOUT: Final = 300.0
_REFUSED: Final = 2


class Gate:
    """Open while the lock is known to be held; a thread asks until the process ends."""

    def __init__(self, lock: SessionLock, clock: Callable[[], float] = since_boot) -> None:
        self._lock, self._clock = lock, clock
        self._open_until = 0.0

    def enter(self) -> None:
        """Take the lock, and keep looking after it.

        Raises ``RefusedError`` when another daemon has it, ``DatabaseUnavailableError`` when the
        database is away.
        """
        self._take(time.monotonic() + _START_SECONDS)
        self._open_until = self._clock() + _BELIEVED_SECONDS
        threading.Thread(target=self._watch, name="one-daemon", daemon=True).start()

    def wait(self) -> None:
        """Return as soon as the lock is known to be held."""
        while not self.is_open():
            time.sleep(_RETRY_SECONDS)

    def is_open(self) -> bool:
        """Whether the server said so lately enough."""
        return self._clock() < self._open_until

    def look(self) -> None:
        """Ask the server once; take the lock again when its session is gone."""
        asked = self._clock()
        if not self._lock.held():
            self._open_until = 0.0
            self._take_again()
            asked = self._clock()
        self._open_until = asked + _BELIEVED_SECONDS

    def _take(self, deadline: float) -> None:
        while True:
            try:
                return self._lock.take()
            except SwarmError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY_SECONDS)

    def _watch(self) -> None:
        while True:
            time.sleep(_ASK_SECONDS)
            self.look()

    def _take_again(self) -> None:
        """Wait for Postgres; end the process when somebody else took over, or it takes too long."""
        deadline = time.monotonic() + _LONGEST_WITHOUT
        while True:
            try:
                return self._lock.take()
            except RefusedError as error:
                _end(f"{error}; this daemon lost its place while Postgres was away")
            except DatabaseError as error:
                if time.monotonic() > deadline:
                    _end(str(error))
                time.sleep(_RETRY_SECONDS)


def _end(sentence: str) -> None:
    """At once: whatever the daemon's threads are about to do they may not do any more."""
    sys.stderr.write(f"dagster-daemon: {sentence}\n")
    sys.stderr.flush()
    os._exit(_REFUSED)


def main() -> None:
    """Hold the lock, then be the daemon; exit code 2 when another one is."""
    url = load_settings().core.database_url.get_secret_value()
    gate = Gate(SessionLock(url, _NUMBER, "the Dagster daemon"))
    try:
        gate.enter()
    except SwarmError as error:
        sys.stderr.write(f"dagster-daemon: {error}\n")
        sys.exit(_REFUSED)
    event.listen(Pool, "checkout", lambda *_: gate.wait())

    from dagster._daemon.cli import main as daemon  # noqa: PLC0415 - not before it is the only one

    daemon()


if __name__ == "__main__":
    main()
