"""The intake's rows in Postgres: every statement about intake lines and bookmarks.

Decides nothing (``tick`` does). All writes are set-based, so that a burst of 10,000 lines costs a
handful of statements. Everything here runs inside the caller's transaction.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from swarm.intake.stream.bookmarks import Bookmark
from swarm.intake.stream.lines import RawLine
from swarm.models import WorkOrder, WorkOrderState
from swarm.store import mail_search, transitions
from swarm.store.database import Connection, Row
from swarm.store.postgres_events import lock_with_job
from swarm.store.postgres_transitions import finish_run, move, save_job

REVISED = "revised after acceptance"


@dataclass(frozen=True, slots=True)
class LineRow:
    """What became of one line; ``reason`` is set for quarantined lines only."""

    raw: RawLine
    status: str
    work_order_key: str | None = None
    canonical_sha256: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class KnownWorkOrder:
    """An accepted work order and every body it was given (by hash), revisions included."""

    key: str
    original_id: str
    bodies: frozenset[str]


def try_lock(connection: Connection, stream: str) -> bool:
    """Take the stream's advisory lock until the transaction ends; False: another reader has it."""
    row = connection.execute(
        "SELECT pg_try_advisory_xact_lock(hashtextextended('intake:' || %s, 0)) AS got", (stream,)
    ).fetchone()
    return row is not None and bool(row["got"])


def lock_within(connection: Connection, stream: str, *, seconds: float) -> bool:
    """Take the stream's lock as soon as the reader lets go of it; False: not in that time."""
    deadline = time.monotonic() + seconds
    while not (got := try_lock(connection, stream)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return got


def database_now(connection: Connection) -> datetime:
    """Return the database's clock: ours may be wrong, and every lease is measured by this one."""
    row = connection.execute("SELECT now() AS now").fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM has one row
    moment: datetime = row["now"]
    return moment


# --- bookmarks ------------------------------------------------------------------------------------

_BOOKMARKS = """
SELECT generation, byte_offset, marker_sha256, prefix_length, prefix_sha256, lines, size_seen,
       device, inode, closed_at IS NOT NULL AS closed, updated_at
  FROM intake_offset
 WHERE stream = %s
 ORDER BY generation
"""

_SAVE_BOOKMARK = """
INSERT INTO intake_offset (stream, generation, byte_offset, marker_sha256, prefix_length,
                           prefix_sha256, lines, size_seen, device, inode, closed_at)
VALUES (%(stream)s, %(generation)s, %(offset)s, %(marker)s, %(prefix_length)s, %(prefix)s,
        %(lines)s, %(size)s, %(device)s, %(inode)s, CASE WHEN %(closed)s THEN now() END)
ON CONFLICT (stream, generation) DO UPDATE
   SET byte_offset = excluded.byte_offset, marker_sha256 = excluded.marker_sha256,
       prefix_length = excluded.prefix_length, prefix_sha256 = excluded.prefix_sha256,
       lines = excluded.lines, size_seen = excluded.size_seen, device = excluded.device,
       inode = excluded.inode, closed_at = excluded.closed_at, updated_at = now()
"""


def bookmarks(connection: Connection, stream: str) -> list[Bookmark]:
    """Return every generation of the stream, oldest first."""
    return [_bookmark(row) for row in connection.execute(_BOOKMARKS, (stream,))]


def _bookmark(row: Row) -> Bookmark:
    return Bookmark(
        generation=row["generation"],
        offset=row["byte_offset"],
        marker_sha256=row["marker_sha256"],
        prefix_length=row["prefix_length"],
        prefix_sha256=row["prefix_sha256"],
        lines=row["lines"],
        size_seen=row["size_seen"],
        device=row["device"],
        inode=row["inode"],
        closed=row["closed"],
        updated_at=row["updated_at"],
    )


def save_bookmark(connection: Connection, stream: str, bookmark: Bookmark) -> None:
    """Write a generation's offset and proof; the caller holds the stream's lock."""
    connection.execute(
        _SAVE_BOOKMARK,
        {
            "stream": stream,
            "generation": bookmark.generation,
            "offset": bookmark.offset,
            "marker": bookmark.marker_sha256,
            "prefix_length": bookmark.prefix_length,
            "prefix": bookmark.prefix_sha256,
            "lines": bookmark.lines,
            "size": bookmark.size_seen,
            # unsigned 64 bit on some file systems; people read them, no code does
            "device": bookmark.device % (1 << 63),
            "inode": bookmark.inode % (1 << 63),
            "closed": bookmark.closed,
        },
    )


# --- work orders ----------------------------------------------------------------------------------

_KNOWN = """
SELECT w.key, w.original_id,
       array(SELECT l.canonical_sha256 FROM intake_line l
              WHERE l.work_order_key = w.key AND l.canonical_sha256 IS NOT NULL
                AND l.stream <> 'outbox'
             UNION SELECT r.canonical_sha256 FROM revision r
              WHERE r.work_order_key = w.key) AS bodies
  FROM work_orders w
 WHERE w.key = ANY(%(keys)s) OR w.original_id = ANY(%(ids)s)
"""

# Microseconds keep the order of the stream where all rows share one moment. It is the statement's:
# a rotated file and the live one are read in one transaction, whose now() stands still, and a
# statement takes longer than a microsecond a row, so that the next one's rows are all later.
_INSERT_WORK_ORDERS = """
INSERT INTO work_orders (key, original_id, body, accepted_at)
SELECT key, original_id, body, statement_timestamp() + place * interval '1 microsecond'
  FROM unnest(%(keys)s::text[], %(ids)s::text[], %(bodies)s::text[]::jsonb[])
       WITH ORDINALITY AS line (key, original_id, body, place)
"""

_INSERT_JOBS = """
INSERT INTO swarm_jobs (work_order_key, queued_at, not_before)
SELECT key, accepted_at, accepted_at FROM work_orders WHERE key = ANY(%(keys)s)
"""


def known_work_orders(
    connection: Connection, keys: Sequence[str], original_ids: Sequence[str]
) -> list[KnownWorkOrder]:
    """Return the accepted ones among these; by id as well, in case the key secret was changed."""
    rows = connection.execute(_KNOWN, {"keys": list(keys), "ids": list(original_ids)})
    return [
        KnownWorkOrder(row["key"], row["original_id"], frozenset(row["bodies"])) for row in rows
    ]


def accept(connection: Connection, work_orders: Sequence[WorkOrder]) -> None:
    """Insert new work orders, what they are found by, and their queued jobs, in stream order."""
    if not work_orders:
        return
    values = {
        "keys": [w.key for w in work_orders],
        "ids": [w.original_id for w in work_orders],
        "bodies": [w.model_dump_json() for w in work_orders],
    }
    connection.execute(_INSERT_WORK_ORDERS, values)
    connection.execute(_INSERT_JOBS, values)
    mail_search.remember(connection, work_orders)


# --- lines ----------------------------------------------------------------------------------------

# A replay meets its own rows again: only a quarantined line that can be read now changes.
_INSERT_LINES = """
INSERT INTO intake_line (stream, generation, byte_offset, length, line_sha256, canonical_sha256,
                         work_order_key, status)
SELECT %(stream)s, %(generation)s, line.*
  FROM unnest(%(offsets)s::bigint[], %(lengths)s::bigint[], %(shas)s::text[],
              %(canonical)s::text[], %(keys)s::text[], %(statuses)s::text[]) AS line
ON CONFLICT (stream, generation, byte_offset) DO UPDATE
   SET canonical_sha256 = excluded.canonical_sha256, work_order_key = excluded.work_order_key,
       status = excluded.status
 WHERE intake_line.status = 'quarantined' AND excluded.status <> 'quarantined'
"""

_INSERT_QUARANTINE = """
INSERT INTO quarantine (stream, generation, byte_offset, length, sha256, head, reason)
SELECT %(stream)s, %(generation)s, line.*
  FROM unnest(%(offsets)s::bigint[], %(lengths)s::bigint[], %(shas)s::text[], %(heads)s::bytea[],
              %(reasons)s::text[]) AS line
ON CONFLICT DO NOTHING
"""

_RELEASE_QUARANTINE = """
DELETE FROM quarantine
 WHERE stream = %(stream)s AND generation = %(generation)s AND byte_offset = ANY(%(offsets)s)
"""


def record_lines(
    connection: Connection, stream: str, generation: int, rows: Sequence[LineRow]
) -> bool:
    """Write what became of each line; a replayed one keeps its row unless it left quarantine.

    Returns whether the quarantine is another than before.
    """
    changed = 0
    bad = [row for row in rows if row.status == "quarantined"]
    good = [row for row in rows if row.status != "quarantined"]
    place = {"stream": stream, "generation": generation}
    if rows:
        connection.execute(_INSERT_LINES, place | _columns(rows))
    if bad:
        extra = {"heads": [r.raw.head for r in bad], "reasons": [r.reason for r in bad]}
        changed += connection.execute(_INSERT_QUARANTINE, place | _columns(bad) | extra).rowcount
    if good:
        changed += connection.execute(_RELEASE_QUARANTINE, place | _columns(good)).rowcount
    return changed > 0


def _columns(rows: Sequence[LineRow]) -> dict[str, object]:
    return {
        "offsets": [r.raw.offset for r in rows],
        "lengths": [r.raw.length for r in rows],
        "shas": [r.raw.sha256 for r in rows],
        "canonical": [r.canonical_sha256 for r in rows],
        "keys": [r.work_order_key for r in rows],
        "statuses": [r.status for r in rows],
    }


# --- revisions ------------------------------------------------------------------------------------

_INSERT_REVISIONS = """
INSERT INTO revision (work_order_key, canonical_sha256, body)
SELECT * FROM unnest(%(keys)s::text[], %(shas)s::text[], %(bodies)s::text[]::jsonb[])
ON CONFLICT DO NOTHING
"""


def record_revisions(connection: Connection, revisions: Sequence[tuple[WorkOrder, str]]) -> None:
    """Keep the other bodies of accepted work orders, each once."""
    if revisions:
        values = {
            "keys": [work_order.key for work_order, _ in revisions],
            "shas": [sha256 for _, sha256 in revisions],
            "bodies": [work_order.model_dump_json() for work_order, _ in revisions],
        }
        connection.execute(_INSERT_REVISIONS, values)


def hold(connection: Connection, keys: Sequence[str]) -> tuple[str, ...]:
    """Hold work orders not yet handed to publishing and fence their runs; returns those held.

    'publishing' is left to the publication ledger: a draft may be on its way, and a second state
    here would only hide that. Its revision raises the same alert. Keys are taken in one order, so
    that two readers cannot deadlock.
    """
    return tuple(key for key in sorted(keys) if _hold_one(connection, key))


def _hold_one(connection: Connection, key: str) -> bool:
    found = lock_with_job(connection, key)
    if found is None or not transitions.run_may_move(found[0].state):
        return False
    locked, job = found
    move(connection, locked, WorkOrderState.HELD, REVISED, actor="intake")
    save_job(connection, transitions.set_aside(job, REVISED))
    finish_run(connection, job.run_id, "fenced")
    return True
