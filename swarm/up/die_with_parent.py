"""``python -m swarm.up.die_with_parent PARENT COMMAND...``: become COMMAND, die with PARENT.

The wish survives ``exec``, and so does what is ignored: the usual signals are put right first. A
program of its own rather than a ``preexec_fn``, which may deadlock in a process that has threads.
Where the kernel knows no such wish, the next start sweeps by pid files (``processes.sweep``).
"""

import os
import sys

from swarm.up.kinship import end_with_parent, signals_as_usual


def main(arguments: list[str]) -> None:
    """Tie this process to its parent and exec the command; never returns."""
    parent, command = int(arguments[0]), arguments[1:]
    signals_as_usual()
    end_with_parent()
    if os.getppid() != parent:
        sys.exit("the supervisor died before this process could be tied to it")
    os.execvp(command[0], command)  # noqa: S606 - our own argv, no shell wanted


if __name__ == "__main__":
    main(sys.argv[1:])
