"""Reading a generation again: after a parser fix, or when a restored backup lost work orders.

Safe at any time: known work orders stay as they are, quarantined lines that can be read now leave
quarantine, and the offset does not move.
"""

import os
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from swarm.errors import RefusedError, TransientError
from swarm.intake.stream import rows
from swarm.intake.stream.bookmarks import Bookmark, StreamFile, fits, open_stream
from swarm.intake.stream.lines import read_lines
from swarm.intake.stream.tick import Keep, store_lines, stream_name
from swarm.store.alerts import raise_many
from swarm.store.database import Connection, Database


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What reading again changed. ``accepted`` counts work orders that were missing until now."""

    lines: int
    accepted: int
    duplicate: int
    quarantined: int
    next_offset: int


def replay(
    database: Database,
    stream_path: Path,
    secret: str,
    *,
    generation: int,
    from_offset: int = 0,
    until: int | None = None,
    now: datetime | None = None,
    keep: Keep = store_lines,
) -> ReplayReport:
    """Read a generation again from a line start up to its stored offset, one batch per transaction.

    ``until`` ends it earlier, behind a line. Raises ``RefusedError`` when the generation, its file
    or the line start cannot be found, and ``TransientError`` while another reader holds the stream.
    """
    counts: Counter[str] = Counter()
    position, end = from_offset, from_offset + 1
    while position < end:
        with database.transaction() as connection, open_stream(stream_path) as files:
            bookmark, file = _find(connection, stream_name(stream_path), generation, files)
            end = bookmark.offset if until is None else min(bookmark.offset, until)
            _check_line_start(file, position, end)
            raw, position = read_lines(file.descriptor, position, end)
            moment = now or rows.database_now(connection)
            stored = keep(
                connection,
                stream_name(stream_path),
                generation,
                raw,
                secret=secret,
                now=moment,
            )
            raise_many(connection, stored.alerts)
            counts.update(stored.counts)
    lines = sum(counts[status] for status in ("accepted", "duplicate", "quarantined", "erased"))
    return ReplayReport(
        lines, counts["accepted"], counts["duplicate"], counts["quarantined"], position
    )


def _find(
    connection: Connection, stream: str, generation: int, files: tuple[StreamFile, ...]
) -> tuple[Bookmark, StreamFile]:
    if not rows.try_lock(connection, stream):
        raise TransientError("another reader holds the stream", hint="try again in a moment")
    bookmarks = {b.generation: b for b in rows.bookmarks(connection, stream)}
    if generation not in bookmarks:
        raise RefusedError(f"the stream has no generation {generation}")
    for file in files:
        if bookmarks[generation].offset and fits(file, bookmarks[generation]):
            return bookmarks[generation], file
    raise RefusedError(
        f"no file holds generation {generation}", hint="put the rotated file beside the live one"
    )


def _check_line_start(file: StreamFile, position: int, end: int) -> None:
    at_start = position == 0 or os.pread(file.descriptor, 1, position - 1) == b"\n"
    if not at_start or not 0 <= position <= end:
        raise RefusedError(f"no line begins at byte {position}")
