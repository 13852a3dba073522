"""A wait that ends, also for a library whose HTTP client cannot be handed in.

The call runs in a thread of its own. When time is up, or this process has grown by more than any
honest answer, the caller goes on and the thread is asked to stop: a library that reads piece by
piece stops at its next one. What lives elsewhere: our own bounded HTTP client, which cuts the
connection (``swarm.clients``).
"""

import ctypes
import resource
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotDoneError
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_MEMORY = Path("/proc/self/statm")
_LOOK_SECONDS = 0.05


class OutOfTimeError(Exception):
    """The call did not end in time."""


class OutOfBoundsError(Exception):
    """What the call reads is larger than any honest answer."""


class _StoppedError(BaseException):
    """Raised inside a call that nobody waits for; no ``except Exception`` holds it up."""


def within(seconds: float, call: Callable[[], T], *, most_bytes: int = 512 << 20) -> T:
    """Return what ``call`` returns, or raise what it raises.

    Raises ``OutOfTimeError``, and ``OutOfBoundsError`` when this process grew by ``most_bytes``
    meanwhile (where the system tells; another thread may be to blame, which a retry finds out).
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except _StoppedError:
            return
        except BaseException as error:  # noqa: BLE001 - handed over to whoever waits
            outcome.set_exception(error)

    thread = threading.Thread(target=run, name="swarm-model-call", daemon=True)
    thread.start()
    until, most = time.monotonic() + seconds, _resident_bytes() + most_bytes
    while True:
        try:
            return outcome.result(min(_LOOK_SECONDS, max(until - time.monotonic(), 0)))
        except NotDoneError:
            if outcome.done():  # the call's own error was a time-out
                raise
        if time.monotonic() >= until:
            _stop(thread)
            raise OutOfTimeError
        if _resident_bytes() > most:
            _stop(thread)
            raise OutOfBoundsError


def _resident_bytes() -> int:
    """Return how much memory this process holds; 0 where the system does not tell."""
    try:
        return int(_MEMORY.read_text("ascii").split()[1]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return 0


def _stop(thread: threading.Thread) -> None:
    if not thread.is_alive():
        return
    identity = ctypes.c_ulong(thread.ident or 0)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(identity, ctypes.py_object(_StoppedError))
