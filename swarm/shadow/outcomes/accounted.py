"""What today's path handled and of which no outcome is here: each lost one, named.

Three ways to lose one, asked three ways: its row was deleted (the lines that were read name it),
its line was never read or cannot be (the outbox has it), it was never written (today's path went
past the work order). Reads only. An installation without today's path has nothing to lose. What
lives elsewhere: newlines against rows (``swarm.intake.stream.completeness``), telling people
(``swarm.observe.audit``).
"""

import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from swarm.intake.stream import rows
from swarm.intake.stream.bookmarks import StreamFile, fits, open_stream
from swarm.intake.stream.keys import work_order_key
from swarm.intake.stream.tick import stream_name
from swarm.legacy.follow import Follower
from swarm.legacy.home import LegacyFiles
from swarm.legacy.jsonl import complete_lines, ids_of
from swarm.store.database import Connection, Database

LOST: Final = "legacy_outcome_lost"
UNREADABLE: Final = "legacy_outcome_unreadable"
UNREAD: Final = "legacy_outcomes_unread"

_LATE_SECONDS = 120.0  # the reader comes every few seconds
_PILED_UP = 16 << 20  # bytes: so many are late however young the newest is

_DELETED = """
SELECT DISTINCT l.work_order_key AS key FROM intake_line l
  LEFT JOIN legacy_outcomes o ON o.work_order_key = l.work_order_key
 WHERE l.stream = %s AND l.status IN ('accepted', 'duplicate')
   AND l.work_order_key IS NOT NULL AND o.work_order_key IS NULL
 ORDER BY 1
"""

_QUARANTINED = """
SELECT stream || ':' || generation || ':' || byte_offset AS place, reason FROM quarantine
 WHERE stream = %s AND discarded_at IS NULL ORDER BY generation, byte_offset
"""

_HANDLED = """
SELECT l.work_order_key AS key FROM intake_line l
  LEFT JOIN legacy_outcomes o ON o.work_order_key = l.work_order_key
 WHERE l.stream = %(stream)s AND l.generation = %(generation)s AND l.status = 'accepted'
   AND l.byte_offset + l.length < %(end)s AND l.work_order_key IS NOT NULL
   AND o.work_order_key IS NULL
 ORDER BY l.byte_offset
"""


class Unaccounted(NamedTuple):
    """One outcome that is missing: a stable name, whose it is, and what is wrong."""

    check: str
    subject: str
    detail: str


def unaccounted(database: Database, files: LegacyFiles, secret: str) -> Iterator[Unaccounted]:
    """Yield each missing outcome. Raises ``OSError`` when a file cannot be read."""
    end, stream = _handled_until(files), stream_name(files.outbox)
    with (
        database.snapshot() as connection,
        open_stream(files.outbox) as outbox,
        open_stream(files.work_orders) as orders,
    ):
        for row in connection.execute(_DELETED, (stream,)):
            said = "its line was read from today's outbox, and its outcome is gone"
            yield Unaccounted(LOST, row["key"], said)
        for row in connection.execute(_QUARANTINED, (stream,)):
            said = f"a line of today's outbox cannot be read: {row['reason']}"
            yield Unaccounted(UNREADABLE, row["place"], said)
        waiting, late = _unread(connection, stream, outbox)
        if late:
            said = f"{late} bytes of today's outbox wait to be read"
            yield Unaccounted(UNREAD, stream, said)
        known = {work_order_key(secret, name) for name in waiting}
        for key in _handled(connection, stream_name(files.work_orders), orders, end):
            if key not in known:
                said = "today's path went past it, and its outbox has no line about it"
                yield Unaccounted(LOST, key, said)


def _handled_until(files: LegacyFiles) -> int:
    """How far today's pipeline has come in the live file; asked before anything else is read."""
    if not files.pipeline_state.exists() or not files.work_orders.exists():
        return 0
    size = files.work_orders.stat().st_size
    return max(0, size - Follower(files.work_orders, files.pipeline_state).lag_bytes())


def _handled(
    connection: Connection, stream: str, files: tuple[StreamFile, ...], end: int
) -> Iterator[str]:
    """Yield the work orders before ``end`` in the live file that have no outcome."""
    live = next((file for file in files if file.live), None)
    for bookmark in rows.bookmarks(connection, stream) if live and end else ():
        if live and bookmark.offset and fits(live, bookmark):
            place = {"stream": stream, "generation": bookmark.generation, "end": end + 1}
            for row in connection.execute(_HANDLED, place).fetchall():
                yield row["key"]


def _unread(
    connection: Connection, stream: str, files: tuple[StreamFile, ...]
) -> tuple[set[str], int]:
    """Return the ids in lines that nobody has read yet, and how many bytes of them are late."""
    ids, late, bookmarks = set[str](), 0, rows.bookmarks(connection, stream)
    for file in files:
        known = [b for b in bookmarks if b.offset and fits(file, b)]
        start = end = max((b.offset for b in known), default=0)
        for line, reached in complete_lines(file.descriptor, start, file.size):
            ids |= {name.decode("utf-8", "replace") for name in ids_of(line)[:1]}
            end = reached
        if end - start and (_is_old(file) or end - start > _PILED_UP):
            late += end - start
    return ids, late


def _is_old(file: StreamFile) -> bool:
    return time.time() - file.modified_ns / 1e9 > _LATE_SECONDS
