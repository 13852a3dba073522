"""``python -m swarm.up.fork_server SOCKET MODULE:FUNCTION``: loads code once, forks programs off.

Programs that are forked from one process share the memory of what it had loaded, and start without
importing it again: with Dagster's code and ours that is 180 MB and three seconds, once instead of
in each of ten programs.

Each connection to SOCKET is one program. The server forks before it reads: what it never learned (a
login, a key of a service) no program inherits from another. The child, and not the server, reads
what to run (:class:`ForkRequest`), becomes a child of the supervisor, answers its process id, waits
until that has arrived (``GO``), so that none runs unknown, and runs the module as ``python -m``
would. A server that dies takes no program along. It has one thread, for a fork copies only that.

What lives elsewhere: asking (``processes``), and what is loaded (``swarm_assets.runtime.preload``).
"""

import importlib
import json
import os
import runpy
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Self

from setproctitle import getproctitle, setproctitle

from swarm.up.kinship import end_with_parent
from swarm.up.shared_pages import keep_shared

_ASKED_SECONDS: Final = 5.0
_LARGEST_REQUEST: Final = 1 << 20
_BACKLOG: Final = 16
_END: Final = b"\n"

GO: Final = b"g"
"""What the supervisor says when it knows the program's process id."""


@dataclass(frozen=True, slots=True)
class ForkRequest:
    """One program: a module with its arguments, its whole environment, where and how it runs."""

    module: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    folder: str
    niceness: int = 0

    def encoded(self) -> bytes:
        """Return it as it is sent."""
        return json.dumps(asdict(self)).encode() + _END

    @classmethod
    def decoded(cls, said: bytes) -> Self:
        """Read it back; raises ``ValueError`` or ``TypeError`` for anything else."""
        return cls(**json.loads(said))


def main(arguments: list[str]) -> None:
    """Load, then fork until SIGTERM; in a child: run what was asked for."""
    address, (module, _, function) = Path(arguments[0]), arguments[1].partition(":")
    supervisor = os.getppid()
    address.unlink(missing_ok=True)  # that of a server that was killed answers nobody
    getproctitle()  # finds where the title is kept, as long as the environment is where it was
    getattr(importlib.import_module(module), function)()
    keep_shared()
    with closing(_listening(address)) as listener:
        connection = _forked_for(listener)
    _run(connection, supervisor)


def _listening(address: Path) -> socket.socket:
    """Return the server's socket; its name appears once it can be connected to."""
    listener = socket.socket(socket.AF_UNIX)
    made = address.with_suffix(".new")
    made.unlink(missing_ok=True)
    listener.bind(str(made))
    listener.listen(_BACKLOG)
    made.replace(address)
    return listener


def _forked_for(listener: socket.socket) -> socket.socket:
    """Fork a program for each connection; returns in the program alone, with its connection."""
    while True:
        connection, _ = listener.accept()
        between = os.fork()
        if not between:
            if os.fork():
                os._exit(0)  # leaves its child to the supervisor, which adopts orphans
            return connection
        connection.close()
        os.waitpid(between, 0)


def _run(connection: socket.socket, supervisor: int) -> None:
    with closing(connection):
        request, log = _read(connection)
        os.setsid()
        _become_child_of(supervisor)
        _settle(request, log)
        connection.sendall(str(os.getpid()).encode())
        if connection.recv(1) != GO:
            sys.exit("the supervisor did not wait for this program")
    sys.argv = [request.module, *request.arguments]
    runpy.run_module(request.module, run_name="__main__", alter_sys=True)


def _read(connection: socket.socket) -> tuple[ForkRequest, int]:
    """Return what to run and the descriptor of its log."""
    connection.settimeout(_ASKED_SECONDS)
    said, descriptors, _, _ = socket.recv_fds(connection, _LARGEST_REQUEST, 1)
    while not said.endswith(_END) and (more := connection.recv(_LARGEST_REQUEST)):
        said += more
    (log,) = descriptors
    return ForkRequest.decoded(said), log


def _become_child_of(supervisor: int) -> None:
    deadline = time.monotonic() + _ASKED_SECONDS
    while os.getppid() != supervisor and time.monotonic() < deadline:
        time.sleep(0.001)
    end_with_parent()
    if os.getppid() != supervisor:
        sys.exit("the supervisor died, or adopts no orphans")


def _settle(request: ForkRequest, log: int) -> None:
    """Be what ``exec`` would have made: environment, folder, output, name."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, standard in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, standard)
    os.close(nothing)
    os.close(log)
    os.environ.clear()
    os.environ.update(request.environment)
    time.tzset()
    os.chdir(request.folder)
    os.nice(request.niceness)
    setproctitle(" ".join((request.module, *request.arguments)))


if __name__ == "__main__":
    main(sys.argv[1:])
