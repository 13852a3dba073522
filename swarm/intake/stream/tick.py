"""One tick of the intake: lines, work orders, jobs, alerts and offset in one transaction.

Either all of a tick is stored or none of it: a crash anywhere repeats the tick, and the work-order
key makes the repetition harmless. Called by the intake sensor; opens no run itself.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeAlias

from swarm.intake.stream import blanking, quarantine, rows
from swarm.intake.stream.bookmarks import (
    Bookmark,
    StreamFile,
    bookmark_for,
    fits,
    moved,
    open_stream,
)
from swarm.intake.stream.line import Accepted, Quarantined, dated_in_future, read_line
from swarm.intake.stream.lines import MAX_TICK_BYTES, MAX_TICK_LINES, RawLine, read_lines
from swarm.intake.stream.rows import LineRow
from swarm.intake.stream.sorted_out import OWN_ADDRESS, SUSPICIOUS
from swarm.models import WorkOrder
from swarm.store import tombstone_rows
from swarm.store.alerts import NewAlert, raise_growing, raise_many, resolve
from swarm.store.database import Connection, Database
from swarm.store.tombstones import ERASED, MailName, is_erased

PARTIAL_PATIENCE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes ``[start, end)`` of a vanished file that may hold lines nobody read."""

    generation: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one tick did. ``not_read`` says why it could not read; empty when it could."""

    not_read: str = ""
    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    erased: int = 0
    revised: int = 0
    held: tuple[str, ...] = ()
    accepted_keys: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    generation: int = 0
    backlog_bytes: int = 0

    @property
    def lines(self) -> int:
        """Complete lines consumed: each is one of accepted, duplicate, quarantined, erased."""
        return self.accepted + self.duplicate + self.quarantined + self.erased


BUSY = "another reader holds the stream"


def stream_name(stream_path: Path) -> str:
    """Return the name under which a stream's rows are kept."""
    return stream_path.stem


def ingest(
    database: Database,
    stream_path: Path,
    secret: str,
    *,
    now: datetime | None = None,
    max_bytes: int = MAX_TICK_BYTES,
    max_lines: int = MAX_TICK_LINES,
    keep: "Keep | None" = None,
) -> IngestReport:
    """Read what is new in the stream, at most one tick's share, and store all of it or none.

    ``keep`` says what the lines mean; without it they are work orders. ``now`` defaults to the
    database's clock. A missing or unreadable file is reported in ``not_read``, and raises an alert
    once there was something to lose. Raises ``DatabaseUnavailableError``.
    """
    stream = stream_name(stream_path)
    with database.transaction() as connection:
        if not rows.try_lock(connection, stream):
            return IngestReport(not_read=BUSY)
        moment = now or rows.database_now(connection)
        tick = _Tick(connection, stream, secret, moment, max_bytes, max_lines, keep or store_lines)
        try:
            with open_stream(stream_path) as files:
                return tick.run(files)
        except OSError as error:
            return tick.unreadable(os.strerror(error.errno) if error.errno else str(error))


@dataclass(slots=True)
class _Tick:
    """The work of one transaction, counted as it goes."""

    connection: Connection
    stream: str
    secret: str
    now: datetime
    bytes_left: int
    lines_left: int
    keep: "Keep"
    counts: Counter[str] = field(default_factory=Counter)
    held: list[str] = field(default_factory=list)
    accepted_keys: list[str] = field(default_factory=list)
    alerts: list[NewAlert] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    backlog: int = 0

    def run(self, files: Sequence[StreamFile]) -> IngestReport:
        blanking.settle(self.connection, self.stream, files)
        bookmarks = rows.bookmarks(self.connection, self.stream)
        has_live = any(file.live for file in files)
        if not has_live and not files:
            return self.missing(bookmarks)
        if has_live:
            bookmarks = self._close_vanished(files, bookmarks)
        for file in files:
            bookmarks = self._read_file(file, bookmarks)
        raise_many(self.connection, self.alerts)
        resolve(self.connection, "intake.unreadable", self.stream)
        return self._report(bookmarks)

    def missing(self, bookmarks: Sequence[Bookmark]) -> IngestReport:
        """No file at all: normal before the first mail, trouble afterwards."""
        if any(not b.closed for b in bookmarks):
            return self.unreadable("file is missing")
        return IngestReport(not_read="file is missing")

    def unreadable(self, why: str) -> IngestReport:
        """Say that nothing could be read, which is not the same as nothing being new."""
        alert = NewAlert("intake.unreadable", self.stream, f"the stream could not be read: {why}")
        raise_many(self.connection, [alert])
        return IngestReport(not_read=why)

    def _close_vanished(
        self, files: Sequence[StreamFile], bookmarks: Sequence[Bookmark]
    ) -> list[Bookmark]:
        """Close generations whose file is nowhere to be found, and say what may be missing."""
        kept = []
        for bookmark in bookmarks:
            if not bookmark.closed and not any(fits(file, bookmark) for file in files):
                bookmark = replace(bookmark, closed=True)  # noqa: PLW2901 - the closed one is kept
                rows.save_bookmark(self.connection, self.stream, bookmark)
                self._tell_gap(bookmark)
            kept.append(bookmark)
        return kept

    def _tell_gap(self, bookmark: Bookmark) -> None:
        gap = Gap(bookmark.generation, bookmark.offset, bookmark.size_seen)
        self.gaps.append(gap)
        detail = f"file replaced or truncated; bytes {gap.start} to {gap.end} or more may be unread"
        self.alerts.append(NewAlert("intake.gap", f"{self.stream}:{gap.generation}", detail))

    def _read_file(self, file: StreamFile, bookmarks: list[Bookmark]) -> list[Bookmark]:
        before = bookmark_for(file, bookmarks)
        if before is None:
            return bookmarks
        raw, offset = read_lines(
            file.descriptor,
            before.offset,
            file.size,
            max_bytes=self.bytes_left,
            max_lines=self.lines_left,
        )
        self._store(before.generation, raw)
        self.bytes_left -= offset - before.offset
        self.lines_left -= len(raw)
        self.backlog += file.size - offset
        after = self._turn(before, file, offset, len(raw))
        return [*(b for b in bookmarks if b.generation != after.generation), after]

    def _turn(self, before: Bookmark, file: StreamFile, offset: int, lines: int) -> Bookmark:
        """Move the bookmark; close a rotated file at its end, tell of an unfinished line."""
        after = moved(before, file, offset, lines)
        subject = f"{self.stream}:{before.generation}"
        partial = offset < file.size and self.bytes_left > 0 and self.lines_left > 0
        stale = partial and self._unchanged(before, after)
        if stale:
            detail = f"the last line, from byte {offset} on, has had no end for a minute"
            self.alerts.append(NewAlert("intake.partial_line", subject, detail))
        elif not partial:
            resolve(self.connection, "intake.partial_line", subject)
        closed = not file.live and (offset == file.size or stale)
        after = replace(after, closed=closed)
        if after != before:
            rows.save_bookmark(self.connection, self.stream, after)
        return after

    def _unchanged(self, before: Bookmark, after: Bookmark) -> bool:
        same = (before.offset, before.size_seen) == (after.offset, after.size_seen)
        age = self.now - before.updated_at if before.updated_at else timedelta(0)
        return same and age > PARTIAL_PATIENCE

    def _store(self, generation: int, raw: Sequence[RawLine]) -> None:
        outcome = self.keep(
            self.connection, self.stream, generation, raw, secret=self.secret, now=self.now
        )
        self.counts.update(outcome.counts)
        self.held.extend(outcome.held)
        self.accepted_keys.extend(outcome.accepted_keys)
        self.alerts.extend(outcome.alerts)

    def _report(self, bookmarks: Sequence[Bookmark]) -> IngestReport:
        return IngestReport(
            accepted=self.counts["accepted"],
            duplicate=self.counts["duplicate"],
            quarantined=self.counts["quarantined"],
            erased=self.counts[ERASED],
            revised=self.counts["revised"],
            held=tuple(self.held),
            accepted_keys=tuple(self.accepted_keys),
            gaps=tuple(self.gaps),
            generation=max((b.generation for b in bookmarks), default=0),
            backlog_bytes=self.backlog,
        )


# --- lines to rows --------------------------------------------------------------------------------


@dataclass(slots=True)
class StoredLines:
    """What became of a batch of lines."""

    counts: Counter[str] = field(default_factory=Counter)
    held: tuple[str, ...] = ()
    accepted_keys: tuple[str, ...] = ()
    alerts: list[NewAlert] = field(default_factory=list)


class Keep(Protocol):
    """Judges lines of one stream and writes every row that follows; holds its lock meanwhile."""

    def __call__(
        self,
        connection: Connection,
        stream: str,
        generation: int,
        raw: Sequence[RawLine],
        *,
        secret: str,
        now: datetime,
    ) -> StoredLines:
        """Store a batch; every line ends as accepted, duplicate, quarantined or erased."""
        ...


def store_lines(
    connection: Connection,
    stream: str,
    generation: int,
    raw: Sequence[RawLine],
    *,
    secret: str,
    now: datetime,
) -> StoredLines:
    """Judge lines and write every row that follows; the caller holds the stream's lock."""
    if not raw:
        return StoredLines()
    judged = [(line, _judge(line, secret)) for line in raw]
    verdicts = _refusing_the_erased(connection, judged, secret)
    batch = _Batch(_known_bodies(connection, [v for _, v in verdicts if isinstance(v, Accepted)]))
    placed = [batch.place(line, verdict) for line, verdict in verdicts]
    rows.accept(connection, batch.new)
    if rows.record_lines(connection, stream, generation, placed):
        quarantine.tell(connection, stream, generation)
    _tell_own_address(connection, batch.new)
    rows.record_revisions(connection, batch.revisions)
    held = rows.hold(connection, sorted({w.key for w, _ in batch.revisions}))
    _tell_revised(connection, batch, set(held))
    if batch.refused:
        detail = "lines of erased mails came again and were refused"
        raise_growing(connection, "intake.erased_again", f"{stream}:{generation}", detail)
    return StoredLines(
        counts=Counter(row.status for row in placed) + Counter(revised=len(batch.revisions)),
        held=held,
        accepted_keys=tuple(w.key for w in batch.new),
        alerts=_alerts(batch, now=now),
    )


@dataclass(frozen=True, slots=True)
class Erased:
    """A line of an erased mail: blanked already, or come again and refused."""

    refused: bool = False


Judgement: TypeAlias = Accepted | Quarantined | Erased


def _judge(line: RawLine, secret: str) -> Judgement:
    if line.data is None:
        return Quarantined("oversized line")
    return Erased() if is_erased(line.data) else read_line(line.data, secret)


def _refusing_the_erased(
    connection: Connection, judged: Sequence[tuple[RawLine, Judgement]], secret: str
) -> list[tuple[RawLine, Judgement]]:
    """Refuse every mail that has a tombstone, under whichever of its names."""
    hashes = {
        id(verdict): _mail_name(verdict.work_order).tombstones(secret)
        for _, verdict in judged
        if isinstance(verdict, Accepted)
    }
    met = tombstone_rows.known(connection, frozenset[str]().union(*hashes.values()))
    return [
        (line, Erased(refused=True) if met & hashes.get(id(verdict), frozenset()) else verdict)
        for line, verdict in judged
    ]


def _mail_name(order: WorkOrder) -> MailName:
    return MailName(
        id=order.original_id,
        message_id=order.ref.message_id or "",
        internet_message_id=order.ref.internet_message_id or "",
        sender=order.sender.address,
    )


def _known_bodies(
    connection: Connection, accepted: Sequence[Accepted]
) -> dict[str, tuple[str, set[str]]]:
    """Return, by key and by id, the stored key and the body hashes of work orders known already."""
    found = rows.known_work_orders(
        connection,
        [a.work_order.key for a in accepted],
        [a.work_order.original_id for a in accepted],
    )
    known: dict[str, tuple[str, set[str]]] = {}
    for work_order in found:
        entry = (work_order.key, set(work_order.bodies))
        known[work_order.key] = known["id:" + work_order.original_id] = entry
    return known


class _Batch:
    """Sorts the lines of one batch into new work orders, duplicates and revisions."""

    def __init__(self, known: dict[str, tuple[str, set[str]]]) -> None:
        self.known = known
        self.new: list[WorkOrder] = []
        self.revisions: list[tuple[WorkOrder, str]] = []
        self.refused = 0

    def place(self, line: RawLine, verdict: Judgement) -> LineRow:
        if isinstance(verdict, Erased):
            self.refused += verdict.refused
            return LineRow(replace(line, sha256=ERASED), ERASED)
        if isinstance(verdict, Quarantined):
            return LineRow(line, "quarantined", reason=verdict.reason)
        work_order, sha256 = verdict.work_order, verdict.canonical_sha256
        entry = self.known.get(work_order.key) or self.known.get("id:" + work_order.original_id)
        if entry is None:
            self.known[work_order.key] = (work_order.key, {sha256})
            self.new.append(work_order)
            return LineRow(line, "accepted", work_order.key, sha256)
        key, bodies = entry
        if sha256 not in bodies:
            bodies.add(sha256)
            self.revisions.append((work_order.model_copy(update={"key": key}), sha256))
        return LineRow(line, "duplicate", key, sha256)


def _tell_own_address(connection: Connection, new: Sequence[WorkOrder]) -> None:
    """Tell of mails in our own name that ask to be answered elsewhere: a web form, or a forger."""
    for work_order in new:
        if work_order.sender.address.lower() == work_order.ref.mailbox.lower():
            detail = "mails in our own name asked for an answer elsewhere: is that our web form?"
            raise_growing(connection, SUSPICIOUS, OWN_ADDRESS, detail)


def _tell_revised(connection: Connection, batch: _Batch, held: set[str]) -> None:
    for key in sorted({w.key for w, _ in batch.revisions}):
        effect = "it is held" if key in held else "it was past holding"
        detail = f"the same id arrived with another body; {effect}"
        raise_growing(connection, "intake.revised", key, detail)


def _alerts(batch: _Batch, *, now: datetime) -> list[NewAlert]:
    return [
        NewAlert("intake.future_date", w.key, "received_at is more than 24 h in the future")
        for w in batch.new
        if dated_in_future(w, now)
    ]
