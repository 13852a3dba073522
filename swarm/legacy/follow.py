"""Following an append-only stream with an offset file of one's own: today's way, files only.

At least once: the state is saved after the batch was handled, so a crash repeats it, and whoever
writes keeps each id once (``jsonl.LineLog``). A file that is not the one known before is read anew.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from swarm.legacy.jsonl import complete_lines, marker, read_state, write_state

BATCH = 200  # lines between two fsyncs

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Follower:
    """One reader of ``stream``; how far it came stands in ``state``."""

    stream: Path
    state: Path

    def turn(self, handle: Callable[[Sequence[bytes]], None]) -> int:
        """Hand every complete new line to ``handle``, in batches; returns how many there were.

        A partial last line waits. When ``handle`` raises, its batch comes again at the next turn.
        """
        count = 0
        with self._opened() as descriptor:
            if descriptor is None:
                return 0
            for batch, offset in self._batches(descriptor):
                handle(batch)
                write_state(self.state, {"offset": offset, "marker": marker(descriptor, offset)})
                count += len(batch)
        return count

    def lag_bytes(self) -> int:
        """Return how many bytes of the stream were not handled yet."""
        with self._opened() as descriptor:
            if descriptor is None:
                return 0
            return os.fstat(descriptor).st_size - self._start(descriptor)

    def _batches(self, descriptor: int) -> Iterator[tuple[list[bytes], int]]:
        batch: list[bytes] = []
        start = end = self._start(descriptor)
        for line, offset in complete_lines(descriptor, start, os.fstat(descriptor).st_size):
            batch.append(line)
            end = offset
            if len(batch) == BATCH:
                yield batch, end
                batch = []
        if batch:
            yield batch, end

    def _start(self, descriptor: int) -> int:
        state = read_state(self.state)
        offset = state.get("offset")
        if not isinstance(offset, int) or os.fstat(descriptor).st_size < offset:
            return 0
        if state.get("marker") != marker(descriptor, offset):
            logger.warning(
                "%s is another file than before; reading it from the start", self.stream.name
            )
            return 0
        return offset

    @contextmanager
    def _opened(self) -> Iterator[int | None]:
        try:
            descriptor = os.open(self.stream, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            yield None
            return
        try:
            yield descriptor
        finally:
            os.close(descriptor)
