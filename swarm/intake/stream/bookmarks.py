"""Which file continues which bookmark: identity by content, never by name, inode or time.

A bookmark fits a file when the file is at least as long as the offset, begins with the same bytes
and has the same bytes right before the offset. Known losses of other readers (inode reuse, stale
offsets, copytruncate) come from believing less than that. Reads files; knows no database and no
line.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from swarm.patterns import linear

PREFIX_BYTES = 1024
MARKER_BYTES = 256
_COMPRESSED = (".gz", ".zst", ".xz", ".bz2", ".tmp")


@dataclass(frozen=True, slots=True)
class Bookmark:
    """How far a generation (one file, by content) was read, with the proof of it."""

    generation: int
    offset: int = 0
    marker_sha256: str = ""
    prefix_length: int = 0
    prefix_sha256: str = ""
    lines: int = 0
    size_seen: int = 0
    device: int = 0
    inode: int = 0
    closed: bool = False
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StreamFile:
    """An opened file of the stream; ``live`` is the one the writer appends to."""

    descriptor: int
    size: int
    device: int
    inode: int
    modified_ns: int
    live: bool


def fits(file: StreamFile, bookmark: Bookmark) -> bool:
    """Whether the bookmark's offset is proven for this file."""
    return (
        file.size >= bookmark.offset
        and begins_like(file, bookmark)
        and _marker(file.descriptor, bookmark.offset) == bookmark.marker_sha256
    )


def begins_like(file: StreamFile, bookmark: Bookmark) -> bool:
    """Whether the file has the bookmark's first bytes (true of an older copy as well)."""
    return (
        file.size >= bookmark.prefix_length
        and _prefix(file.descriptor, bookmark.prefix_length) == bookmark.prefix_sha256
    )


def fresh(generation: int) -> Bookmark:
    """Return a bookmark at the start of a file not seen before."""
    nothing = hashlib.sha256(b"").hexdigest()
    return Bookmark(generation, marker_sha256=nothing, prefix_sha256=nothing)


def moved(bookmark: Bookmark, file: StreamFile, offset: int, lines: int) -> Bookmark:
    """Return the bookmark at a new offset, its proof taken from the file itself."""
    length = min(PREFIX_BYTES, offset)
    return replace(
        bookmark,
        offset=offset,
        marker_sha256=_marker(file.descriptor, offset),
        prefix_length=length,
        prefix_sha256=_prefix(file.descriptor, length),
        lines=bookmark.lines + lines,
        size_seen=file.size,
        device=file.device,
        inode=file.inode,
    )


def bookmark_for(file: StreamFile, bookmarks: Sequence[Bookmark]) -> Bookmark | None:
    """Return the bookmark from which to read this file; None when it is not to be read.

    A file that fits goes on where it was left, even one closed long ago: a writer may have held it
    open across a rotation. One that fits nothing starts a new generation at 0, except an older copy
    lying beside the live file, whose lines were all read already.
    """
    proven = sorted((b for b in bookmarks if b.offset), key=lambda b: -b.generation)
    for bookmark in proven:
        if fits(file, bookmark):
            return bookmark
    known = any(begins_like(file, b) for b in proven)
    if file.size == 0 or (known and not file.live):
        return None
    unbegun = [b for b in bookmarks if not b.offset and not b.closed]
    return unbegun[-1] if unbegun else fresh(max((b.generation for b in bookmarks), default=0) + 1)


@contextmanager
def open_stream(live: Path) -> Iterator[tuple[StreamFile, ...]]:
    """Open the live file and its rotated siblings once each; rotated ones first, oldest first.

    The live file is opened before the folder is listed: a rename in between then shows the same
    inode twice, never not at all. Raises ``OSError`` when the live file exists but cannot be read;
    a missing live file is left out.
    """
    with ExitStack() as stack:
        first = _open(live, live=True, stack=stack) if live.exists() else None
        siblings = [_sibling(path, stack) for path in _rotated(live)]
        others = {(f.device, f.inode): f for f in siblings if f is not None}
        if first is not None:
            others.pop((first.device, first.inode), None)
        ordered = sorted(others.values(), key=lambda f: f.modified_ns)
        yield (*ordered, first) if first is not None else tuple(ordered)


def _sibling(path: Path, stack: ExitStack) -> StreamFile | None:
    try:
        return _open(path, live=False, stack=stack)
    except (FileNotFoundError, PermissionError):
        return None  # gone again, or not ours to read: an unread bookmark then shows as a gap


def _open(path: Path, *, live: bool, stack: ExitStack) -> StreamFile:
    # O_NONBLOCK: opening a fifo somebody put there must not hang the sensor.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    stack.callback(os.close, descriptor)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise IsADirectoryError(f"{path.name} is not a regular file")
    return StreamFile(
        descriptor, status.st_size, status.st_dev, status.st_ino, status.st_mtime_ns, live
    )


def _rotated(live: Path) -> list[Path]:
    name = linear(rf"{re.escape(live.stem)}(?:[.-].{{0,255}})?\.jsonl(?:[.-].{{0,255}})?")
    return [
        path
        for path in live.parent.glob(f"{live.stem}*.jsonl*")
        if path != live and name.fullmatch(path.name) and not path.name.endswith(_COMPRESSED)
        if path.is_file()
    ]


def _prefix(descriptor: int, length: int) -> str:
    return hashlib.sha256(os.pread(descriptor, length, 0)).hexdigest()


def _marker(descriptor: int, offset: int) -> str:
    start = max(0, offset - MARKER_BYTES)
    return hashlib.sha256(os.pread(descriptor, offset - start, start)).hexdigest()
