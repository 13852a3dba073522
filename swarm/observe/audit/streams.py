"""The intake files against the lines that were read from them: counted, and hashed again.

A line in the file says what the mail said; its row keeps the hash. Lines are read one at a time by
their place, rows come through a cursor on the server, so memory stays small. Counting alone is
``intake.stream.completeness``.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from swarm.intake.stream import rows
from swarm.intake.stream.bookmarks import Bookmark, StreamFile, fits, open_stream
from swarm.intake.stream.completeness import count_lines
from swarm.intake.stream.line import Accepted, read_line
from swarm.intake.stream.tick import stream_name
from swarm.observe.audit.findings import Violation
from swarm.store.database import Connection, Database, Row

_CHUNK = 1 << 20

# An erased line is counted, and its bytes are nobody's business any more.
_LINES = """
SELECT byte_offset, length, line_sha256, canonical_sha256, status FROM intake_line
 WHERE stream = %s AND generation = %s AND line_sha256 <> 'erased' ORDER BY byte_offset
"""


Meaning = Callable[[bytes], str | None]
"""Hash of what a line says; None: nobody can read it."""


def _mail(data: bytes) -> str | None:
    read = read_line(data, "")
    return read.canonical_sha256 if isinstance(read, Accepted) else None


def check(
    database: Database, path: Path, *, meaning: Meaning = _mail
) -> Iterator[tuple[str, Violation]]:
    """Yield, by place in the stream, what is missing or was changed."""
    try:
        yield from _counts(database, path)
        with database.snapshot() as connection, open_stream(path) as files:
            for bookmark in rows.bookmarks(connection, stream_name(path)):
                yield from _generation(connection, path.stem, bookmark, files, meaning)
    except OSError as error:
        why = f"the stream could not be read: {type(error).__name__}"
        yield path.name, Violation(1, "stream_unread", why)


def _counts(database: Database, path: Path) -> Iterator[tuple[str, Violation]]:
    for count in count_lines(database, path).generations:
        if count.difference:
            said = (
                f"{count.newlines} newlines, {count.lines} lines consumed, "
                f"{count.accepted} accepted + {count.duplicate} duplicate"
                f" + {count.quarantined} quarantined + {count.erased} erased"
            )
            yield f"{path.name}:{count.generation}", Violation(1, "stream_count", said)


def _generation(
    connection: Connection,
    stream: str,
    bookmark: Bookmark,
    files: tuple[StreamFile, ...],
    meaning: Meaning,
) -> Iterator[tuple[str, Violation]]:
    if not bookmark.offset:
        return
    file = next((each for each in files if fits(each, bookmark)), None)
    place = f"{stream}:{bookmark.generation}"
    if file is None:
        if not bookmark.closed:
            said = "the file these lines were read from is gone, or was changed"
            yield place, Violation(1, "stream_changed", said)
        return
    with connection.cursor(name="audit_lines") as cursor:
        for row in cursor.execute(_LINES, (stream, bookmark.generation)):
            problem = _line(file, row, meaning)
            if problem:
                yield f"{place}:{row['byte_offset']}", Violation(1, "stream_changed", problem)


def _line(file: StreamFile, row: Row, meaning: Meaning) -> str | None:
    if _sha256(file, row["byte_offset"], row["length"]) != row["line_sha256"]:
        return "the line in the file is not the one that was read"
    if row["status"] != "duplicate":
        return None
    known = meaning(os.pread(file.descriptor, row["length"], row["byte_offset"]))
    return None if known == row["canonical_sha256"] else "a duplicate of something else"


def _sha256(file: StreamFile, offset: int, length: int) -> str:
    digest = hashlib.sha256()
    for start in range(offset, offset + length, _CHUNK):
        digest.update(os.pread(file.descriptor, min(_CHUNK, offset + length - start), start))
    return digest.hexdigest()
