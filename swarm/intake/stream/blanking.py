"""Overwriting erased lines of the stream in place, so that every offset and bookmark stays valid.

A line becomes a filler of its own length. The bookmark's proof covers some of these bytes, so the
ranges and the proof they lead to are committed first (``announce``); overwriting and moving the
proof is a redo that anybody ends after a kill, the reader before it reads (``settle``). What lives
elsewhere: which lines (``swarm.lifecycle``), other files (there too).
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from psycopg.types.json import Jsonb

from swarm.intake.stream import rows
from swarm.intake.stream.bookmarks import (
    MARKER_BYTES,
    Bookmark,
    StreamFile,
    fits,
    open_stream,
)
from swarm.store.database import Connection
from swarm.store.tombstones import ERASED, erased_line, is_erased

Range = tuple[int, int]
"""Offset and length of a line."""

_CHUNK = 1 << 20

_ANNOUNCE = """
INSERT INTO intake_blanking (stream, generation, ranges, marker_sha256, prefix_sha256)
VALUES (%(stream)s, %(generation)s, %(ranges)s, %(marker)s, %(prefix)s)
"""

_ANNOUNCED = """
SELECT b.generation, b.ranges, b.marker_sha256, b.prefix_sha256, o.byte_offset, o.prefix_length
  FROM intake_blanking b JOIN intake_offset o USING (stream, generation)
 WHERE b.stream = %s FOR UPDATE OF b
"""

_MOVE_PROOF = """
UPDATE intake_offset SET marker_sha256 = %(marker)s, prefix_sha256 = %(prefix)s
 WHERE stream = %(stream)s AND generation = %(generation)s
"""

# What a line said and whose it was; that there was one is still counted (promise 1).
_FORGET_LINES = """
UPDATE intake_line
   SET status = %(erased)s, work_order_key = NULL, canonical_sha256 = NULL, line_sha256 = %(erased)s
 WHERE stream = %(stream)s AND generation = %(generation)s AND byte_offset = ANY(%(offsets)s)
"""

_FORGET_HEADS = """
DELETE FROM quarantine
 WHERE stream = %(stream)s AND generation = %(generation)s AND byte_offset = ANY(%(offsets)s)
"""

_DONE = "DELETE FROM intake_blanking WHERE stream = %(stream)s AND generation = %(generation)s"


@dataclass(frozen=True, slots=True)
class BookmarkProof:
    """What proves a bookmark, as it is once the ranges are overwritten."""

    marker_sha256: str
    prefix_sha256: str


def announce(
    connection: Connection, stream_path: Path, stream: str, about: Callable[[bytes], bool]
) -> int:
    """Commit to overwriting the lines that ``about`` picks; returns how many there are.

    The caller holds the stream's lock and has settled what was announced before. A file no bookmark
    is about is overwritten at once: there is no proof to keep.
    """
    bookmarks = [b for b in rows.bookmarks(connection, stream) if b.offset]
    count = 0
    with open_stream(stream_path) as files:
        for file in files:
            if ranges := matching_lines(file.descriptor, file.size, about):
                count += len(ranges)
                _announce_file(connection, stream, file, ranges, bookmarks)
    return count


def settle(connection: Connection, stream: str, files: Sequence[StreamFile]) -> None:
    """Overwrite what was announced and move the bookmarks' proofs; the caller holds the lock."""
    for row in connection.execute(_ANNOUNCED, (stream,)).fetchall():
        ranges = [(int(start), int(length)) for start, length in row["ranges"]]
        wanted = BookmarkProof(row["marker_sha256"], row["prefix_sha256"])
        place = {"stream": stream, "generation": row["generation"]}
        for file in files:
            if _proof(file, row["byte_offset"], row["prefix_length"], ranges) == wanted:
                overwrite(file.descriptor, ranges)
                proof = {"marker": wanted.marker_sha256, "prefix": wanted.prefix_sha256}
                connection.execute(_MOVE_PROOF, place | proof)
        offsets = {"offsets": [start for start, _ in ranges], "erased": ERASED}
        connection.execute(_FORGET_LINES, place | offsets)
        connection.execute(_FORGET_HEADS, place | offsets)
        connection.execute(_DONE, place)


def matching_lines(descriptor: int, size: int, about: Callable[[bytes], bool]) -> list[Range]:
    """Return the complete lines of a file that ``about`` picks and that still say something."""
    found, start, rest = list[Range](), 0, b""
    for position in range(0, size, _CHUNK):
        *lines, rest = (rest + os.pread(descriptor, _CHUNK, position)).split(b"\n")
        for line in lines:
            if not is_erased(line) and about(line):
                found.append((start, len(line)))
            start += len(line) + 1
    return found


def overwrite(descriptor: int, ranges: Sequence[Range]) -> None:
    """Put a filler of the same length over each range of an opened file, durably."""
    # The same open file under another mode: by its path it could be another file by now.
    with closing(os.fdopen(os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY), "wb", 0)) as file:
        for start, length in ranges:
            os.pwrite(file.fileno(), erased_line(length), start)
        os.fsync(file.fileno())


def _announce_file(
    connection: Connection,
    stream: str,
    file: StreamFile,
    ranges: Sequence[Range],
    bookmarks: Sequence[Bookmark],
) -> None:
    proven = [bookmark for bookmark in bookmarks if fits(file, bookmark)]
    for bookmark in proven:
        proof = _proof(file, bookmark.offset, bookmark.prefix_length, ranges)
        place = {"stream": stream, "generation": bookmark.generation, "ranges": Jsonb(ranges)}
        hashes = {"marker": proof.marker_sha256, "prefix": proof.prefix_sha256}
        connection.execute(_ANNOUNCE + " ON CONFLICT DO NOTHING", place | hashes)
    if not proven:
        overwrite(file.descriptor, ranges)


def _proof(file: StreamFile, offset: int, prefix: int, ranges: Sequence[Range]) -> BookmarkProof:
    """What proves the bookmark at ``offset``, were the ranges overwritten already."""
    return BookmarkProof(
        marker_sha256=_hash(file.descriptor, max(0, offset - MARKER_BYTES), offset, ranges),
        prefix_sha256=_hash(file.descriptor, 0, prefix, ranges),
    )


def _hash(descriptor: int, start: int, end: int, ranges: Sequence[Range]) -> str:
    data = bytearray(os.pread(descriptor, end - start, start))
    for at, length in ranges:
        first, last = max(at, start), min(at + length, end)
        if first < last:
            data[first - start : last - start] = erased_line(length)[first - at : last - at]
    return hashlib.sha256(data).hexdigest()
