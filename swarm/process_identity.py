"""A process of this machine, told apart beyond doubt; whether it lives, and how to end it.

A process id alone is recycled; (boot, process-id namespace, pid, start time) is not. Linux only,
as ``/proc`` and pid file descriptors are. What lives elsewhere: when a process may be ended
(``swarm.publishing.dispatch.reaper``).
"""

import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path

from swarm.models import Noun

_PARENT_POLL_SECONDS = 1.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class ProcessIdentity(Noun):
    """A process. ``host`` includes the process-id namespace, so that containers do not mix up."""

    host: str
    boot_id: str
    pid: int
    starttime: int


class Fate(StrEnum):
    """What can be said about the owner of an old claim."""

    OURSELVES = "ourselves"
    DEAD = "dead"
    ALIVE = "alive"
    ELSEWHERE = "elsewhere"


def this_process() -> ProcessIdentity:
    """Describe the calling process. Never cache it across a fork."""
    pid = os.getpid()
    started = start_time(pid)
    if started is None:
        raise ProcessLookupError(pid)
    namespace = Path("/proc/self/ns/pid").readlink().name
    host = f"{socket.gethostname()}/{namespace}"
    return ProcessIdentity(host=host, boot_id=boot_id(), pid=pid, starttime=started)


def boot_id() -> str:
    """Return the name of this boot of the machine; another one voids pids and monotonic times."""
    return _BOOT_ID.read_text().strip()


def since_boot() -> float:
    """Seconds since boot, suspended time included: a clock that nobody sets."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def start_time(pid: int) -> int | None:
    """Return when a process started, in ticks since boot; None when it is gone or a zombie."""
    fields = _stat(pid)
    return None if not fields or fields[0] in {b"Z", b"X"} else int(fields[19])


def is_stopped(pid: int) -> bool:
    """Whether a process was sent SIGSTOP and nothing since. One under a debugger is not (``t``)."""
    return _stat(pid)[:1] == [b"T"]


def _stat(pid: int) -> list[bytes]:
    """The fields of ``/proc/PID/stat`` from the state on; empty when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return stat.rpartition(b")")[2].split()  # the name before it may hold blanks and brackets


class StoppedProcesses:
    """For how long this process has seen each process of its own stopped.

    Such a process lives, so nobody who asks for the dead finds it, and it keeps what it holds, a
    lock of the kernel's too. Whoever must be replaced when it dies must be when it stands still.
    """

    def __init__(self, longest: float, clock: Callable[[], float] = since_boot) -> None:
        self._longest, self._clock = longest, clock
        self._since: dict[int, float] = {}

    def too_long(self, pids: Iterable[int]) -> list[int]:
        """Return those stopped for longer than allowed; forgets the rest."""
        now, before = self._clock(), self._since
        self._since = {pid: before.get(pid, now) for pid in pids if is_stopped(pid)}
        return [pid for pid, since in self._since.items() if now - since > self._longest]


def fate(owner: ProcessIdentity) -> Fate:
    """Say what became of ``owner``, as far as this process can prove it."""
    us = this_process()
    if owner.host != us.host:
        return Fate.ELSEWHERE
    if owner.boot_id != us.boot_id:
        return Fate.DEAD
    if owner == us:
        return Fate.OURSELVES
    return Fate.ALIVE if start_time(owner.pid) == owner.starttime else Fate.DEAD


def end(owner: ProcessIdentity, *, wait_seconds: float = 5.0) -> bool:
    """Kill another process of this machine and wait for its exit; False when it did not exit.

    The pid is pinned by a file descriptor before its start time is compared, so that a recycled pid
    is never hit. SIGKILL also ends a stopped process. Raises ``PermissionError`` when not allowed.
    """
    try:
        descriptor = os.pidfd_open(owner.pid)
    except ProcessLookupError:
        return True
    try:
        if start_time(owner.pid) != owner.starttime:
            return True
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        return _exited(descriptor, wait_seconds)
    finally:
        os.close(descriptor)


def _exited(descriptor: int, wait_seconds: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)  # readable once the process has terminated
    return bool(poll.poll(wait_seconds * 1000))


def end_with(parent: int) -> None:
    """End this process soon after ``parent`` is gone, so that no orphan works on unseen.

    A poll from a thread, because ``PR_SET_PDEATHSIG`` watches the parent's *thread*, and one that
    forks (Celery's supervisor) may end before its children may.
    """
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PARENT_POLL_SECONDS)
    os._exit(1)
