"""One child process: how it is named, started, recognised again and ended.

A process is recognised by (pid, start time): a pid alone may have been given to a stranger since.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from swarm.process_identity import start_time

_PID_AND_START = 2


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. ``ready`` says when others may lean on it; None: at once.

    A ``foundation`` is leant upon by the rest and stopped only after them.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    ready: Callable[[], bool] | None = None
    stop_seconds: float = 10.0
    foundation: bool = False


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """Return the argv of one of our modules under this very interpreter."""
    return (sys.executable, "-m", module, *arguments)


def spawn(program: Program, log: Path, pid_file: Path) -> subprocess.Popen[bytes]:
    """Start the program tied to this process, in a session of its own, output appended to ``log``.

    Call from the main thread only (see ``die_with_parent``). Leaves ``pid_file`` for a later sweep.
    """
    argv = (*python("swarm.up.die_with_parent", str(os.getpid())), *program.argv)
    work = pid_file.parent / "work"  # nothing lies there that a program could take for its own
    work.mkdir(mode=0o700, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - argv is ours, no shell
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(program.environment),
            cwd=work,
            start_new_session=True,
        )
    pid_file.write_text(f"{process.pid} {started_at(process.pid) or ''}", "ascii")
    return process


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
