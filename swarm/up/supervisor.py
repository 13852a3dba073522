"""Keeps programs running: starts them, restarts those that die or stand still, stops them.

Single-threaded: the owner calls :meth:`Supervisor.poll` a few times a second. What to run is
decided elsewhere (``programs``); this module knows no program by name.
"""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from swarm.clock import utc_now
from swarm.errors import TransientError
from swarm.installation.program_deaths import (
    STEADY_SECONDS,
    ProgramDeaths,
    deaths_file,
    write_deaths,
)
from swarm.process_identity import StoppedProcesses
from swarm.up.processes import ChildProcess, Program, ask_to_end, await_end, kill_group, spawn

_LOOK_SECONDS = 0.05
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 30.0
# A stopped parent of workers takes no run, and a round of publishing is given up after 30 s.
_LONGEST_STOP = 10.0


@dataclass(slots=True)
class Child:
    """A program with the process that runs it now, if any."""

    program: Program
    process: ChildProcess | None = None
    started: float = 0.0
    deaths: int = 0
    restart_at: float | None = None
    stood_still: bool = False
    last: str = ""
    died_at: datetime | None = None

    @property
    def running(self) -> bool:
        """Whether a process runs now."""
        return self.process is not None


@dataclass(frozen=True, slots=True)
class Death:
    """A child died and will be started again in ``delay`` seconds."""

    name: str
    returncode: int
    delay: float
    stood_still: bool = False

    def __str__(self) -> str:
        """How it ended, in words."""
        return f"{self.name} {self.how}; starting it again in {self.delay:g} s"

    @property
    def how(self) -> str:
        """How it ended, without its name."""
        stopped = f"was stopped for more than {_LONGEST_STOP:g} s and killed"
        return stopped if self.stood_still else describe_exit(self.returncode)


def describe_exit(returncode: int) -> str:
    """Say how a process ended."""
    if returncode >= 0:
        return f"exited with code {returncode}"
    try:
        return f"was killed by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"was killed by signal {-returncode}"


class Supervisor:
    """The children of one installation, in the order they were started."""

    def __init__(
        self, logs: Path, run: Path, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._logs = logs
        self._run = run
        self._clock = clock
        self._children: dict[str, Child] = {}
        self._once: Child | None = None
        self._stopped = StoppedProcesses(_LONGEST_STOP, clock)

    @property
    def children(self) -> tuple[Child, ...]:
        """Every child, started first comes first."""
        return tuple(self._children.values())

    def start(self, program: Program) -> None:
        """Start the program and keep it running from now on."""
        child = self._children[program.name] = Child(program)
        self._try_to_spawn(child)

    def poll(self) -> tuple[Death, ...]:
        """Notice deaths and start what is due again; returns the deaths since the last call.

        Whoever was stopped (SIGSTOP) is killed first, with what it started: it would never die.
        """
        self._kill_stopped()
        deaths = tuple(d for c in self.children if (d := self._notice(c)) is not None)
        if deaths:
            write_deaths(deaths_file(self._run), self._remembered())
        for child in self.children:
            if child.restart_at is not None and self._clock() >= child.restart_at:
                self._try_to_spawn(child)
        return deaths

    @property
    def pids(self) -> frozenset[int]:
        """The processes whose end is noticed here."""
        there = (*self.children, *([self._once] if self._once else ()))
        return frozenset(c.process.pid for c in there if c.process is not None)

    def run(self, program: Program, timeout: float, idle: Callable[[], None]) -> int:
        """Run a program to its end, calling ``idle`` in between; returns its exit code.

        Raises ``TransientError`` when it has not ended in time; nothing of it is left.
        """
        child = self._once = Child(program)
        codes: list[int] = []

        def ended() -> bool:
            if child.process is None:
                if self._clock() >= (child.restart_at or 0.0):
                    self._try_to_spawn(child)
            elif (code := child.process.poll()) is not None:
                codes.append(code)
            return bool(codes)

        try:
            self._wait(ended, program.name, "has not ended", timeout, idle)
        finally:
            self._once = None
            self._end_now(child)
        return codes[0]

    def _end_now(self, child: Child) -> None:
        if child.process is not None:
            kill_group(child.process.pid)
            child.process.wait()
        (self._run / f"{child.program.name}.pid").unlink(missing_ok=True)

    def wait_ready(self, name: str, timeout: float, idle: Callable[[], None]) -> None:
        """Wait until the program says it is ready, calling ``idle`` in between.

        Raises ``TransientError`` that names the log when it is not ready in time.
        """
        ready = self._children[name].program.ready
        if ready is not None:
            self._wait(ready, name, "was not ready", timeout, idle)

    def _wait(
        self,
        done: Callable[[], bool],
        name: str,
        failed: str,
        timeout: float,
        idle: Callable[[], None],
    ) -> None:
        deadline = self._clock() + timeout
        while not done():
            if self._clock() >= deadline:
                raise TransientError(
                    f"{name} {failed} after {timeout:g} s",
                    hint=f"its log is {self._logs / name}.log",
                )
            idle()
            time.sleep(_LOOK_SECONDS)

    def stop_all(self) -> None:
        """Stop every child for good: all but the foundations at once, then those one by one."""
        leaning = [c for c in reversed(self.children) if not c.program.foundation]
        foundations = [c for c in reversed(self.children) if c.program.foundation]
        self._children.clear()
        self._stop(leaning)
        for child in foundations:
            self._stop([child])

    def _stop(self, children: Sequence[Child]) -> None:
        """Ask all of them first: waiting for one by one would add up."""
        running = [(c.program, c.process) for c in children if c.process is not None]
        for _, process in running:
            if process.poll() is None:
                ask_to_end(process.pid)
        for program, process in running:
            await_end(process.pid, program.stop_seconds)
            process.wait()
        for child in children:
            (self._run / f"{child.program.name}.pid").unlink(missing_ok=True)

    def _kill_stopped(self) -> None:
        running = {c.process.pid: c for c in self.children if c.process is not None}
        for pid in self._stopped.too_long(running):
            running[pid].stood_still = True
            kill_group(pid)

    def _try_to_spawn(self, child: Child) -> None:
        """Start it, or try again soon: the server it is forked from may have died."""
        try:
            self._spawn(child)
        except TransientError:
            child.restart_at = self._clock() + _FIRST_DELAY

    def _spawn(self, child: Child) -> None:
        name = child.program.name
        child.restart_at, child.stood_still = None, False
        child.started = self._clock()
        child.process = spawn(child.program, self._logs / f"{name}.log", self._run / f"{name}.pid")

    def _remembered(self) -> Iterator[ProgramDeaths]:
        for child in self.children:
            if child.died_at is not None:
                yield ProgramDeaths(
                    name=child.program.name,
                    deaths=child.deaths,
                    last=child.last,
                    died_at=child.died_at,
                )

    def _notice(self, child: Child) -> Death | None:
        if child.process is None or (code := child.process.poll()) is None:
            return None
        kill_group(child.process.pid)  # what the dead one had started must not go on alone
        steady = self._clock() - child.started >= STEADY_SECONDS
        child.deaths = 1 if steady else child.deaths + 1
        delay = min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** (child.deaths - 1))
        child.process, child.restart_at = None, self._clock() + delay
        death = Death(child.program.name, code, delay, child.stood_still)
        child.last, child.died_at = death.how, utc_now()
        return death
