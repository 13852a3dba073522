"""One child process: how it is named, started, recognised again and ended.

A program is executed, or forked off a process that has its code in memory (``fork_server``); from
then on there is no difference. A process is recognised by (pid, start time): a pid alone may have
been given to a stranger since.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from swarm.errors import TransientError
from swarm.process_identity import start_time
from swarm.up.fork_server import GO, ForkRequest

_PID_AND_START: Final = 2
_MODULE: Final = (sys.executable, "-m")
_FORK_SECONDS: Final = 5.0
_LONGEST_PID: Final = 20


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. ``ready`` says when others may lean on it; None: at once.

    A ``foundation`` is leant upon by the rest and stopped only after them. ``fork_from``: socket of
    the fork server that has the module of ``argv`` loaded; None: it is executed.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    ready: Callable[[], bool] | None = None
    stop_seconds: float = 10.0
    foundation: bool = False
    fork_from: Path | None = None
    niceness: int = 0


class ChildProcess(Protocol):
    """A process of ours, as ``subprocess.Popen`` is one."""

    pid: int

    def poll(self) -> int | None:
        """Return its exit code, negative for a signal; None while it runs."""

    def wait(self) -> int:
        """Wait for its end and return that."""


class ForkedProcess:
    """A child that was forked off by the fork server and left to this process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        """See :class:`ChildProcess`."""
        return self._ended(os.WNOHANG)

    def wait(self) -> int:
        """See :class:`ChildProcess`."""
        while (code := self._ended(0)) is None:
            pass
        return code

    def _ended(self, options: int) -> int | None:
        if self._code is None:
            try:
                pid, status = os.waitpid(self.pid, options)
            except ChildProcessError:  # somebody else collected it, as ``subprocess`` allows for
                pid, status = self.pid, 0
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """Return the argv of one of our modules under this very interpreter."""
    return (*_MODULE, module, *arguments)


def spawn(program: Program, log: Path, pid_file: Path) -> ChildProcess:
    """Start the program tied to this process, in a session of its own, output appended to ``log``.

    Call from the main thread only (see ``kinship``). Leaves ``pid_file`` for a later sweep. Raises
    ``TransientError`` when the server it is forked from does not answer.
    """
    work = pid_file.parent / "work"  # nothing lies there that a program could take for its own
    work.mkdir(mode=0o700, exist_ok=True)
    with log.open("ab") as output:
        if program.fork_from is None:
            process = _executed(program, work, output.fileno())
        else:
            process = _forked(program, program.fork_from, work, output.fileno())
    pid_file.write_text(f"{process.pid} {started_at(process.pid) or ''}", "ascii")
    return process


def _executed(program: Program, work: Path, log: int) -> ChildProcess:
    nice = ("nice", "-n", str(program.niceness)) if program.niceness else ()
    return subprocess.Popen(  # noqa: S603 - argv is ours, no shell
        (*python("swarm.up.die_with_parent", str(os.getpid())), *nice, *program.argv),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=dict(program.environment),
        cwd=work,
        start_new_session=True,
    )


def _forked(program: Program, server: Path, work: Path, log: int) -> ChildProcess:
    module, *arguments = program.argv[len(_MODULE) :]
    request = ForkRequest(module, arguments, program.environment, str(work), program.niceness)
    try:
        with closing(socket.socket(socket.AF_UNIX)) as connection:
            connection.settimeout(_FORK_SECONDS)
            connection.connect(str(server))
            socket.send_fds(connection, [b" "], [log])  # a blank before it changes no JSON
            connection.sendall(request.encoded())
            pid = int(connection.recv(_LONGEST_PID) or b"0")
            connection.sendall(GO)
    except OSError as error:
        raise TransientError(f"{program.name} could not be forked: {error}") from error
    if not pid:
        raise TransientError(f"{program.name} ended before it ran", hint="see fork-server.log")
    return ForkedProcess(pid)


def started_at(pid: int) -> str | None:
    """Return an opaque start time, equal for the same process; None: no such process."""
    if Path("/proc/self/stat").exists():
        started = start_time(pid)
        return None if started is None else str(started)
    answer = subprocess.run(  # noqa: S603 - constant argv and an integer
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "_".join(answer.stdout.split()) or None


def ask_to_end(pid: int) -> None:
    """Send SIGTERM to a group's leader alone: it ends its own in its own way (a Celery worker lets
    the run in hand finish; the same signal to its pool would kill that run).
    """
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)


def await_end(pid: int, grace: float) -> None:
    """Wait up to ``grace`` seconds for a group's leader, then kill what is left of the group."""
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline and started_at(pid) is not None:
        time.sleep(0.05)
    kill_group(pid)


def kill_group(pid: int) -> None:
    """Kill whatever is left of a process group; quiet when nothing is."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def sweep(run: Path, grace: float = 5.0) -> tuple[str, ...]:
    """End what an earlier, killed supervisor left behind; returns the names found alive.

    Only processes whose start time equals the recorded one are touched.
    """
    found = []
    for pid_file in sorted(run.glob("*.pid")):
        recorded = pid_file.read_text("ascii").split()
        if len(recorded) == _PID_AND_START and started_at(int(recorded[0])) == recorded[1]:
            found.append(pid_file.stem)
            ask_to_end(int(recorded[0]))
            await_end(int(recorded[0]), grace)
        pid_file.unlink()
    return tuple(found)
