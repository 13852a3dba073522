"""Parents and children as the kernel keeps them: who dies with whom, who inherits what of whom.

Linux only; elsewhere each of these does nothing. Bound to threads: a child is tied to the *thread*
that became its parent, so whoever starts programs does it from the main thread. What lives
elsewhere: starting and ending a program (``processes``).
"""

import ctypes
import os
import signal
import sys
from collections.abc import Container
from contextlib import suppress
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36


def end_with_parent() -> None:
    """Let the kernel send SIGTERM when the parent dies: a killed one cannot stop its children."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def signals_as_usual() -> None:
    """Neither ignore nor block what tells of an end or asks for one, whatever a shell left so.

    The background jobs of a script ignore SIGINT, children inherit that, and Dagster lets SIGTERM
    do whatever SIGINT does (``dagster._utils.interrupts``): its programs would not end.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def adopt_orphans() -> None:
    """Become the parent of whatever a descendant leaves behind, in the place of ``init``."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def bury_orphans(known: Container[int] = ()) -> None:
    """Collect the dead children nobody waits for; stops at one of ``known``, whose end somebody
    will ask about.
    """
    wanted = os.WEXITED | os.WNOHANG | os.WNOWAIT
    with suppress(ChildProcessError):
        while (dead := os.waitid(os.P_ALL, 0, wanted)) and dead.si_pid not in known:
            os.waitpid(dead.si_pid, 0)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
