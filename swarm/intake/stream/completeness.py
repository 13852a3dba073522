"""The count per generation: newlines = accepted + duplicate + quarantined + erased.

The difference must be 0, not small. Reads only; `swarm audit` calls it and names what differs.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from swarm.intake.stream import rows
from swarm.intake.stream.bookmarks import Bookmark, StreamFile, fits, open_stream
from swarm.intake.stream.tick import stream_name
from swarm.store.database import Connection, Database

_CHUNK = 1 << 20

_COUNTS = """
SELECT generation, count(*) AS rows,
       count(*) FILTER (WHERE status = 'accepted') AS accepted,
       count(*) FILTER (WHERE status = 'duplicate') AS duplicate,
       count(*) FILTER (WHERE status = 'quarantined') AS quarantined,
       count(*) FILTER (WHERE status = 'erased') AS erased
  FROM intake_line WHERE stream = %s GROUP BY generation
"""

_ORPHANS = """
SELECT DISTINCT l.work_order_key FROM intake_line l
  LEFT JOIN work_orders w ON w.key = l.work_order_key
 WHERE l.stream = %s AND l.status = 'accepted' AND w.key IS NULL ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class GenerationCount:
    """One generation: newlines in its file (None: it is gone), lines counted, rows by status."""

    generation: int
    newlines: int | None
    lines: int
    accepted: int
    duplicate: int
    quarantined: int
    erased: int = 0

    @property
    def difference(self) -> int:
        """How far the worst of file, counter and rows are apart."""
        rows = self.accepted + self.duplicate + self.quarantined + self.erased
        counts = [rows, self.lines, *([self.newlines] if self.newlines is not None else [])]
        return max(counts) - min(counts)


@dataclass(frozen=True, slots=True)
class CompletenessReport:
    """The count over all generations, and accepted lines whose work order does not exist."""

    generations: tuple[GenerationCount, ...]
    orphans: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether promise 1 holds for the intake."""
        return not self.orphans and all(g.difference == 0 for g in self.generations)


def count_lines(database: Database, stream_path: Path) -> CompletenessReport:
    """Count files against rows. Raises ``OSError`` when the live file is unreadable."""
    stream = stream_name(stream_path)
    with database.snapshot() as connection, open_stream(stream_path) as files:
        # One snapshot: a tick between two statements would look like a difference.
        counts = {r["generation"]: r for r in connection.execute(_COUNTS, (stream,)).fetchall()}
        counted = [
            _count(bookmark, counts.get(bookmark.generation, {}), files)
            for bookmark in rows.bookmarks(connection, stream)
        ]
        return CompletenessReport(tuple(counted), _orphans(connection, stream))


def _orphans(connection: Connection, stream: str) -> tuple[str, ...]:
    return tuple(row["work_order_key"] for row in connection.execute(_ORPHANS, (stream,)))


def _count(
    bookmark: Bookmark, row: dict[str, int], files: tuple[StreamFile, ...]
) -> GenerationCount:
    file = next((f for f in files if bookmark.offset and fits(f, bookmark)), None)
    return GenerationCount(
        generation=bookmark.generation,
        newlines=_newlines(file, bookmark.offset) if file else None,
        lines=bookmark.lines,
        accepted=row.get("accepted", 0),
        duplicate=row.get("duplicate", 0),
        quarantined=row.get("quarantined", 0),
        erased=row.get("erased", 0),
    )


def _newlines(file: StreamFile, end: int) -> int:
    count = 0
    for start in range(0, end, _CHUNK):
        count += os.pread(file.descriptor, min(_CHUNK, end - start), start).count(b"\n")
    return count
