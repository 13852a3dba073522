"""Complete lines of a file: binary, split at ``b"\\n"`` only, never a partial last one.

No meaning of lines here (``line``), no opinion about which file it is (``bookmarks``).
"""

import hashlib
import os
from dataclasses import dataclass

MAX_LINE_BYTES = 1 << 20  # the writers cut bodies to fit; a longer line is not theirs
MAX_TICK_BYTES = 4 << 20  # one tick's share, so that a backlog cannot outlast the sensor's time-out
MAX_TICK_LINES = 10_000  # 4 MiB of "{}\n" would be 1.4 million rows
HEAD_BYTES = 4096  # of a quarantined line, kept for people


@dataclass(frozen=True, slots=True)
class RawLine:
    """One complete line, newline not counted. ``data`` is None when it was too long to keep."""

    offset: int
    length: int
    sha256: str
    data: bytes | None
    head: bytes


def read_lines(
    descriptor: int,
    start: int,
    size: int,
    *,
    max_bytes: int = MAX_TICK_BYTES,
    max_lines: int = MAX_TICK_LINES,
) -> tuple[tuple[RawLine, ...], int]:
    """Return complete lines of ``[start, size)`` and the offset behind the last of them.

    Stops once ``max_bytes`` or ``max_lines`` are reached. An oversized line is hashed in chunks and
    counts as one line; memory stays near 1 MiB whatever its length.
    """
    lines: list[RawLine] = []
    position = start
    while position < size and position - start < max_bytes and len(lines) < max_lines:
        block = os.pread(descriptor, min(MAX_LINE_BYTES + 1, size - position), position)
        cut = block.rfind(b"\n")
        if cut >= 0:
            pieces = block[:cut].split(b"\n")[: max_lines - len(lines)]
            lines.extend(_kept(pieces, position))
            position = lines[-1].offset + lines[-1].length + 1
            continue
        skipped = (
            _skip_oversized(descriptor, position, size) if len(block) > MAX_LINE_BYTES else None
        )
        if skipped is None:
            break  # the last line has no end yet
        lines.append(skipped)
        position += skipped.length + 1
    return tuple(lines), position


def _kept(pieces: list[bytes], position: int) -> list[RawLine]:
    lines = []
    for data in pieces:
        sha256 = hashlib.sha256(data).hexdigest()
        lines.append(RawLine(position, len(data), sha256, data, data[:HEAD_BYTES]))
        position += len(data) + 1
    return lines


def _skip_oversized(descriptor: int, start: int, size: int) -> RawLine | None:
    """Hash up to the next newline in chunks; None when there is none yet."""
    digest = hashlib.sha256()
    head = os.pread(descriptor, HEAD_BYTES, start)
    position = start
    while position < size:
        block = os.pread(descriptor, min(MAX_LINE_BYTES, size - position), position)
        if not block:
            return None  # truncated under our hands; the next tick sees it
        cut = block.find(b"\n")
        digest.update(block if cut < 0 else block[:cut])
        if cut >= 0:
            return RawLine(start, position + cut - start, digest.hexdigest(), None, head)
        position += len(block)
    return None
