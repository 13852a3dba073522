"""Which process serves a folder of data, as its ``postmaster.pid`` says, and whether it does still.

A number in a file proves nothing: after a crash, or in a container where numbers begin anew, it may
be a stranger's. Postgres works in its folder of data, and by that it is known. Standard library
only: a program that merely waits for the server asks here (``swarm.up.postgres_keeper``).
"""

import os
import sys
from pathlib import Path

FILE = "postmaster.pid"
_SOCKET_LINE = 4
_SOCKET_LOCK = ".s.PGSQL.5432.lock"


def server_of(data: Path) -> int | None:
    """Return the number of the living server of this folder; None when none is known to run."""
    lines = _lines(data)
    try:
        number = int(lines[0])
    except (IndexError, ValueError):
        return None
    # Negative: a server of one session, as ``initdb`` runs it.
    return number if number > 0 and _works_in(number, data) is not False else None


def forget_the_dead(data: Path) -> None:
    """Remove what a server left that is gone: whoever starts one would take a stranger that has its
    number for it, and cannot read what ``initdb`` leaves when it is killed (a file of few lines).
    """
    if not (data / FILE).exists() or server_of(data) is not None:
        return
    if folder := socket_folder(data):
        (folder / _SOCKET_LOCK).unlink(missing_ok=True)  # names the same process
    (data / FILE).unlink(missing_ok=True)


def socket_folder(data: Path) -> Path | None:
    """Return where the server's socket lies; None when the file does not say."""
    lines = _lines(data)
    return Path(os.fsdecode(lines[_SOCKET_LINE])) if len(lines) > _SOCKET_LINE else None


def _lines(data: Path) -> list[bytes]:
    """As bytes: the second line is a path of the user's."""
    try:
        return (data / FILE).read_bytes().splitlines()
    except OSError:
        return []


def _works_in(number: int, data: Path) -> bool | None:
    """None: there is such a process, and nobody lets us see where it works."""
    try:
        os.kill(number, 0)
        if sys.platform != "linux":
            return None
        return Path(f"/proc/{number}/cwd").samefile(data)
    except PermissionError:
        return None
    except (OSError, OverflowError):
        return False
