"""The pool of worker processes, minus a way in which one killed process stops all the others.

A broker without an event loop of its own (the folder) makes Celery use a pool whose processes share
one pipe of tasks and one of results, each behind a semaphore. An idle process waits for the next
task with the semaphore in its hand; killed there (by hand, for memory, by a revoke that came a
moment late) it never gives it back, and no process of that worker ever takes a task again, its
replacements included. Here the two are record locks of the kernel, which end with their owner.
What does not live here: who is killed and why, and what becomes of its run (``launcher``, reaper).
"""

import fcntl
import os
from types import TracebackType

from celery.concurrency.prefork import TaskPool


class KernelLock:
    """A lock between processes; the kernel takes it from one that dies.

    It does not tell threads of one process apart: only for what one thread of each process does.
    """

    def __init__(self) -> None:
        self._descriptor = os.memfd_create("worker-pool-lock")

    def acquire(self) -> None:
        """Wait until no other process holds it."""
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX)

    def release(self) -> None:
        """Give it back."""
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN)

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


class SturdyPool(TaskPool.BlockingPool):  # type: ignore[misc]
    """Celery's blocking pool, whose processes may be killed at any moment."""

    def _setup_queues(self) -> None:
        """Replace the locks that its children hold: of reading tasks and of writing results.

        The other two ends belong to the parent, which is not replaced, and to threads of it.
        """
        super()._setup_queues()
        self._inqueue._rlock = KernelLock()  # noqa: SLF001 - billiard offers no other way
        self._outqueue._wlock = KernelLock()  # noqa: SLF001 - as above


def use_sturdy_pool() -> None:
    """Let workers of this program be built on it; call it before the worker starts."""
    TaskPool.BlockingPool = SturdyPool
