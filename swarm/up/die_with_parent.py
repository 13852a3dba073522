"""``python -m swarm.up.die_with_parent PARENT COMMAND...``: become COMMAND, die with PARENT.

A killed supervisor cannot stop its children; the kernel can (Linux ``PR_SET_PDEATHSIG``). The
wish survives ``exec``. It is bound to the parent's *thread*, so the supervisor spawns from its
main thread only. Elsewhere the next start sweeps by pid files (``processes.sweep``). A program of
its own rather than a ``preexec_fn``, which may deadlock in a process that has threads.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Tie this process to its parent and exec the command; never returns."""
    parent, command = int(arguments[0]), arguments[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the supervisor died before this process could be tied to it")
    os.execvp(command[0], command)  # noqa: S606 - our own argv, no shell wanted


if __name__ == "__main__":
    main(sys.argv[1:])
