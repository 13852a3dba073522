"""Processes at work on many work orders, driven by one thread; nobody's poison.

A process that dies or hangs names the work order it had begun. That one is tried once more, alone
and after all the others; when it kills again it is poisonous, and the rest is done. A process that
dies before it has begun anything says nothing of any work order. Processes may be kept for the next
call (their models are loaded); the kernel ends them with the thread that started them.
"""

import os
import selectors
import signal
import subprocess
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Final

from pydantic import ValidationError

from swarm.errors import DatabaseUnavailableError, RefusedError
from swarm.shadow.replay.task import DATABASE_AWAY, OTHER_ENGINE, Progress, ReplayTask

_START_SECONDS: Final = 120.0  # models are loaded, on a machine that has much else to do
_MOST_STARTS: Final = 3  # of a process that dies before it has begun anything
_SHARE: Final = 200  # keys told at once; a pipe holds ten times as many
_ENDING_SECONDS: Final = 10.0
_LONGEST_LINE: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Orders:
    """What is to be done, by whom."""

    program: tuple[str, ...]
    environment: Mapping[str, str]
    task: ReplayTask
    processes: int
    item_seconds: float
    keep: bool = False

    @property
    def kind(self) -> str:
        """Which kept processes will do."""
        return f"{self.program} {sorted(self.environment.items())}"


@dataclass
class _Child:
    """A process, and what is known of its work."""

    process: "subprocess.Popen[bytes]"
    kind: str
    keys: list[str] = field(default_factory=list)
    heard: float = 0.0
    begun: str = ""
    started: bool = False
    rest: bytes = b""
    stored: set[str] = field(default_factory=set)

    @property
    def out(self) -> IO[bytes]:
        assert self.process.stdout is not None  # noqa: S101 - asked for when it was started
        return self.process.stdout

    @property
    def told(self) -> IO[bytes]:
        assert self.process.stdin is not None  # noqa: S101 - as above
        return self.process.stdin

    def end(self) -> int:
        """Kill what still runs; returns the exit code."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with suppress(BrokenPipeError):
            self.told.close()
        self.out.close()
        return self.process.wait()


_kept: list[_Child] = []


def _taken(kind: str) -> _Child | None:
    """Return a kept process of this kind; those of other kinds, and dead ones, end."""
    while _kept:
        child = _kept.pop()
        if child.kind == kind and child.process.poll() is None:
            return child
        child.end()
    return None


def _let_go() -> None:
    """Have kept processes end by themselves: nothing more is asked of them."""
    for child in _kept:
        with suppress(BrokenPipeError):
            child.told.close()
    while _kept:
        child = _kept.pop()
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(_ENDING_SECONDS)
        child.end()


class Crowd:
    """The processes of one call. ``poisonous`` says of each how it killed."""

    def __init__(self, orders: Orders) -> None:
        self.poisonous: dict[str, str] = {}
        self.left: list[str] = []
        self.paid = 0.0
        self._orders = orders
        self._suspects = Counter[str]()
        self._false_starts = 0
        self._shares: deque[list[str]] = deque()
        self._children: list[_Child] = []
        self._selector = selectors.DefaultSelector()

    def work(self, keys: Sequence[str], seconds: float) -> None:
        """Do all of it, as far as the time goes.

        Raises ``RefusedError`` when the program is another engine or does not start, and
        ``DatabaseUnavailableError``.
        """
        self._shares.extend(_shared(keys, self._orders.processes))
        end = time.monotonic() + seconds
        try:
            while (self._shares or self._children) and time.monotonic() < end:
                while self._shares and len(self._children) < self._orders.processes:
                    self._start(self._shares.popleft())
                self._listen()
                self._end_what_hangs()
        finally:
            self._end_all()

    def _start(self, keys: list[str]) -> None:
        kind = self._orders.kind
        child = _taken(kind) or _Child(self._spawned(), kind)
        child.keys, child.stored, child.begun = keys, set(), ""
        child.heard, child.rest = time.monotonic(), b""
        os.set_blocking(child.out.fileno(), False)
        self._children.append(child)
        self._selector.register(child.out, selectors.EVENT_READ, child)
        lines = [self._orders.task.model_dump_json(), *keys, "", ""]
        with suppress(BrokenPipeError):  # it is dead, and its other pipe says so
            child.told.write("\n".join(lines).encode())
            child.told.flush()

    def _spawned(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603
            self._orders.program,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a traceback may quote mail
            env=dict(self._orders.environment),
            start_new_session=True,
        )

    def _listen(self) -> None:
        for ready, _ in self._selector.select(timeout=1.0):
            child: _Child = ready.data
            block = child.out.read(1 << 16)
            if block == b"":
                self._ended(child)
            elif block is not None:
                self._hear(child, block)

    def _hear(self, child: _Child, block: bytes) -> None:
        child.heard = time.monotonic()
        *lines, rest = (child.rest + block).split(b"\n")
        child.rest = rest[-_LONGEST_LINE:]
        for line in lines:
            try:
                self._told(child, Progress.model_validate_json(line))
            except ValidationError:
                continue  # a library's print

    def _told(self, child: _Child, said: Progress) -> None:
        if said.other_engine:
            raise _another_engine()
        child.begun = said.begin or child.begun
        child.started = child.started or bool(said.begin)
        self.paid += said.paid
        if said.stored:
            child.stored.update(said.stored)
            child.begun = ""
        if said.finished:
            self._finished(child)

    def _finished(self, child: _Child) -> None:
        self._selector.unregister(child.out)
        self._children.remove(child)
        _kept.append(child)

    def _end_what_hangs(self) -> None:
        now = time.monotonic()
        for child in self._children:
            patience = self._orders.item_seconds if child.started else _START_SECONDS
            if now - child.heard > patience:
                with suppress(ProcessLookupError):  # its pipe ends, as if it had died by itself
                    os.killpg(child.process.pid, signal.SIGKILL)

    def _ended(self, child: _Child) -> None:
        self._selector.unregister(child.out)
        self._children.remove(child)
        code = child.process.wait()
        child.end()
        remaining = [key for key in child.keys if key not in child.stored]
        if code == OTHER_ENGINE:
            raise _another_engine()
        if code == DATABASE_AWAY:
            raise DatabaseUnavailableError("a replaying process found the database away")
        if remaining:
            self._blame(child, remaining, code)

    def _blame(self, child: _Child, remaining: list[str], code: int) -> None:
        """Find who killed it; the others go on, the suspect comes last and alone."""
        suspect = child.begun
        if not suspect:
            self._false_starts += 1
            if self._false_starts >= _MOST_STARTS:
                raise RefusedError(f"the replaying program does not start (exit code {code})")
            self._shares.append(remaining)
            return
        self._suspects[suspect] += 1
        innocent = [key for key in remaining if key != suspect]
        if innocent:
            self._shares.append(innocent)
        if self._suspects[suspect] > 1:
            self.poisonous[suspect] = f"signal {-code}" if code < 0 else f"exit code {code}"
        else:
            self._shares.append([suspect])

    def _end_all(self) -> None:
        for child in self._children:
            child.end()
            self.left += [key for key in child.keys if key not in child.stored]
        self._children.clear()
        self.left += [key for share in self._shares for key in share]
        self._selector.close()
        if not self._orders.keep:
            _let_go()


def _another_engine() -> RefusedError:
    return RefusedError(
        "the code on the disk is another engine than the one that runs",
        hint="restart `swarm up`, then launch the backfill again",
    )


def _shared(keys: Sequence[str], processes: int) -> list[list[str]]:
    """Cut the keys into shares: one a process, smaller ones where there are many keys."""
    size = min(_SHARE, max(1, -(-len(keys) // processes)))
    return [list(keys[n : n + size]) for n in range(0, len(keys), size)]
