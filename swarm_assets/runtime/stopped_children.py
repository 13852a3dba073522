"""The parent of worker processes replaces one that was stopped (SIGSTOP), idle or not.

Such a process lives, so neither Celery nor the reaper calls it dead, and it keeps what it holds: an
idle one the lock of the pipe of tasks (``worker_pool``), so that no other process of its pool takes
a task; a busy one its run. Killed, it gives both back, and Celery forks another. What does not live
here: the parent's own standing still (``swarm.up.supervisor``; the sensor of publications alerts).
"""

import logging
import os
import signal
import threading
import time
from contextlib import suppress
from typing import Final

from celery.concurrency.prefork import TaskPool

from swarm.process_identity import StoppedProcesses

# Before a round of publishing is given up for lost (30 s), and after any short look at a process.
_LONGEST_STOP: Final = 10.0
_POLL_SECONDS: Final = 1.0

_log = logging.getLogger(__name__)


def watch(pool: TaskPool) -> None:
    """Look after the processes of a pool, of whatever kind, from a thread of their parent."""
    threading.Thread(target=_replace_stopped, args=(pool,), daemon=True).start()


def _replace_stopped(workers: TaskPool) -> None:
    stopped = StoppedProcesses(_LONGEST_STOP)
    while (pool := workers._pool) is not None:  # noqa: SLF001 - None when the worker has ended
        for pid in stopped.too_long([process.pid for process in pool._pool]):  # noqa: SLF001 - as above
            _log.warning("process %d was stopped for more than %g s: replaced", pid, _LONGEST_STOP)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)  # ours and not waited for: no stranger has its number
        time.sleep(_POLL_SECONDS)
