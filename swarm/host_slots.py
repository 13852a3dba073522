"""At most so many holders at once over all processes of a host: each slot is a lock of a file.

The kernel frees a lock with its process, so a holder that is killed leaves no slot taken. Slots are
tried in a random order and asked for again after a moment: nobody stands in line, which is fair
enough for holders of seconds.
"""

import fcntl
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, Protocol

_FIRST_WAIT: Final = 0.02
_LONGEST_WAIT: Final = 0.2


class NoSlotError(Exception):
    """Every slot was held for as long as one was waited for."""


class Slots(Protocol):
    """Slots of one kind."""

    def held(self, within: float) -> AbstractContextManager[None]:
        """Hold a slot; raises ``NoSlotError`` when none is free for ``within`` seconds."""
        ...


class ProcessSlots:
    """The slots of a program that has no home to share them in. Thread-safe."""

    def __init__(self, most: int) -> None:
        self._free = threading.BoundedSemaphore(most)

    @contextmanager
    def held(self, within: float) -> Iterator[None]:
        """Hold a slot; see the protocol."""
        if not self._free.acquire(timeout=within):
            raise NoSlotError
        try:
            yield
        finally:
            self._free.release()


class HostSlots:
    """``most`` slots of one kind, below ``folder``, which is made when first used. Thread-safe."""

    def __init__(self, folder: Path, kind: str, most: int) -> None:
        self._folder, self._kind, self._most = folder, kind, most

    @classmethod
    def of_home(cls, home: Path, kind: str, most: int) -> "HostSlots":
        """Return the slots that all programs of a home share."""
        return cls(home / "run" / "turns", kind, most)

    @contextmanager
    def held(self, within: float) -> Iterator[None]:
        """Hold a slot; see the protocol."""
        slot = self._taken(within)
        try:
            yield
        finally:
            os.close(slot)

    def _taken(self, within: float) -> int:
        deadline, wait = time.monotonic() + within, _FIRST_WAIT
        while (slot := self._free()) is None:
            if time.monotonic() >= deadline:
                raise NoSlotError
            time.sleep(random.uniform(wait / 2, wait))  # noqa: S311 - no secret
            wait = min(wait * 2, _LONGEST_WAIT)
        return slot

    def _free(self) -> int | None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in random.sample(range(self._most), self._most):
            slot = os.open(self._folder / f"{self._kind}-{number}", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(slot, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(slot)
            else:
                return slot
        return None
