"""Append-only JSONL files shared by processes, and small state files. No meaning of lines here."""

import fcntl
import hashlib
import json
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from swarm.patterns import linear

logger = logging.getLogger(__name__)

_CHUNK = 1 << 20
_MARKER = 256

# Every line of ours begins with its ids, so that a log is its own index.
_HEAD = linear(
    rb'\{"schema_version":"1","id":"([^"\\]{1,512})"(?:,"message_id":"((?:[^"\\]|\\.){1,1024})")?'
)


class LineLog:
    """A log of lines with ids, each id once, whoever else appends to it.

    ``refuses`` says which lines must not be written at all (``swarm.store.tombstones``).
    """

    def __init__(self, path: Path, refuses: Callable[[bytes], bool] = lambda _line: False) -> None:
        self.path = path
        self._refuses = refuses
        self._known: set[bytes] = set()
        self._scanned = 0
        self._doubtful = False

    def append(self, lines: Iterable[bytes]) -> list[bool]:
        """Append lines whose id and message id are new, fsynced; returns which ones were new.

        An id is known only once its line is durable: a write that failed (a full disk) leaves
        nothing behind, in the file or in memory, and the same lines may simply be appended again.
        A line that somebody was killed in the middle of is closed first, so that it cannot swallow
        the next one.
        """
        with locked(self.path) as descriptor:
            self._settle_doubts(descriptor)
            self._scan(descriptor)
            answers, fresh, ids = self._sorted(lines)
            if fresh:
                self._doubtful = True
                _write(descriptor, _torn_end(descriptor) + b"".join(fresh))
                self._doubtful = False
                self._known |= ids
                self._scanned = os.fstat(descriptor).st_size
            return answers

    def knows(self, *ids: str) -> bool:
        """Whether one of these ids stands in the log already, as far as it was read."""
        return not self._known.isdisjoint(each.encode() for each in ids)

    def _sorted(self, lines: Iterable[bytes]) -> tuple[list[bool], list[bytes], set[bytes]]:
        """Say which lines are new; return those, and their ids. Remembers nothing."""
        answers: list[bool] = []
        fresh: list[bytes] = []
        ids: set[bytes] = set()
        for line in lines:
            own = set(ids_of(line))
            new = self._known.isdisjoint(own) and ids.isdisjoint(own)
            refused = new and self._refuses(line)
            if refused:
                logger.warning("a mail that was erased came again: not in %s", self.path.name)
            answers.append(new and not refused)
            if answers[-1]:
                ids |= own
                fresh.append(line)
        return answers, fresh, ids

    def _settle_doubts(self, descriptor: int) -> None:
        """Make durable what a failed append may have left: reading it is no proof of that."""
        if self._doubtful:
            os.fsync(descriptor)
            self._doubtful = False

    def _scan(self, descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        if size < self._scanned:
            self._scanned = 0  # rotated or cut; known ids stay known
        for line, end in complete_lines(descriptor, self._scanned, size):
            self._known |= set(ids_of(line))
            self._scanned = end


def ids_of(line: bytes) -> tuple[bytes, ...]:
    """Return the id of a line, and its message id if there is one; () when it has none."""
    found = _HEAD.match(line)
    return tuple(part for part in found.groups() if part) if found else ()


def complete_lines(descriptor: int, start: int, size: int) -> Iterator[tuple[bytes, int]]:
    """Yield complete lines of ``[start, size)`` without newline, each with the offset behind it."""
    rest, position = b"", start
    end = start
    while position < size:
        block = os.pread(descriptor, min(_CHUNK, size - position), position)
        if not block:
            return
        position += len(block)
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            end += len(line) + 1
            yield line, end


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Open for appending under an exclusive lock; the file may be rotated while we wait for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _same_file(descriptor, path):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _same_file(descriptor: int, path: Path) -> bool:
    mine = os.fstat(descriptor)
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    return (mine.st_dev, mine.st_ino) == (named.st_dev, named.st_ino)


def _torn_end(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    return b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""


def _write(descriptor: int, data: bytes) -> None:
    """Append durably or not at all; raises ``OSError`` with the file as it was."""
    start = os.fstat(descriptor).st_size
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    except OSError:
        with suppress(OSError):  # what cannot be cut off is closed as a torn line, or read as known
            os.ftruncate(descriptor, start)
            os.fsync(descriptor)
        raise


# --- state ----------------------------------------------------------------------------------------


def write_state(path: Path, state: dict[str, object]) -> None:
    """Replace a state file in one step: a crash leaves the old or the new one.

    Each writer drafts in a file of its own: an erasure renews a place that its follower saves.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}-{threading.get_native_id()}.tmp")
    try:
        with draft.open("w", encoding="utf-8") as file:
            json.dump(state, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_state(path: Path) -> dict[str, object]:
    """Return the state; an absent or unreadable one is empty, which only costs reading again."""
    try:
        state = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def marker(descriptor: int, offset: int) -> str:
    """Return a hash of the bytes right before an offset: proof that it is still the same file."""
    start = max(0, offset - _MARKER)
    return hashlib.sha256(os.pread(descriptor, offset - start, start)).hexdigest()
