"""Where a unix socket may lie: paths that every program on both ends can take.

A socket's path holds at most 107 bytes; Postgres' start script splits at blanks, gRPC reads ``%``
and ``#`` as parts of a URI. What does not fit gets a short folder of its own, closed to others.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from swarm.patterns import linear

_LONGEST = 100  # sun_path holds 108 bytes; gRPC adds a little
_PLAIN = linear(rb"[A-Za-z0-9._/+=@-]+")
_PREFIX = "swarm-socket-"


def fits(socket: Path) -> bool:
    """Whether a socket can be made and found under this path."""
    raw = os.fsencode(socket)
    return len(raw) <= _LONGEST and _PLAIN.fullmatch(raw) is not None


def folder_for(wanted: Path, name: str) -> Path:
    """Return ``wanted`` when a socket ``name`` fits there, else a new short folder (0700)."""
    return wanted if fits(wanted / name) else short_folder(name)


def short_folder(name: str) -> Path:
    """Make a short folder of our own for a socket; below /tmp when TMPDIR is a long one."""
    for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - mkdtemp makes it private
        if fits(Path(parent, f"{_PREFIX}12345678", name)):
            return Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    return Path(tempfile.mkdtemp(prefix=_PREFIX))


def remove_short(folder: Path) -> None:
    """Remove a folder made here once nothing but sockets and their locks is left in it."""
    if not folder.name.startswith(_PREFIX) or not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.is_socket() or path.suffix == ".lock":
            path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()
