"""Taking whole files of history into our tables, whatever their length: in batches, once each.

Idempotent: what is known by its key stays as it is, so a cut-short import is launched again and the
same file twice changes nothing. A dry run reads the same way and writes nothing. A work order that
is live already, and what was erased, is refused. What lives elsewhere: lines (``lines``).
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from pydantic import Field

from swarm.intake.stream.keys import work_order_key
from swarm.intake.stream.lines import MAX_LINE_BYTES, RawLine, read_lines
from swarm.models import Noun, canonical_sha256
from swarm.shadow.history import rows
from swarm.shadow.history.lines import (
    LabelLine,
    Misfit,
    OrderLine,
    OutcomeLine,
    SentLine,
    label_line,
    order_line,
    outcome_line,
    sent_line,
)
from swarm.shadow.history.mapping import Mapping
from swarm.store.database import Connection, Database
from swarm.store.tombstone_rows import known
from swarm.store.tombstones import MailName, is_erased, tombstone

_BATCH_LINES: Final = 500
_MOST_TOLD: Final = 1_000  # misfits by line; the rest is counted

FITS, KNOWN, TWICE, ERASED, LIVE, ORPHAN, MISFIT = (
    "new", "known", "twice", "erased", "live", "orphan", "misfit"
)  # fmt: skip


class Told(Noun):
    """A line that does not fit, by its number."""

    line: int
    reason: str


class FileReport(Noun):
    """What became of the lines of one file. ``counts``: new, known, twice (in this file), erased,
    live (a work order of the running installation), orphan (of no work order imported), misfit.
    """

    file: str
    lines: int
    counts: dict[str, int]
    misfits: tuple[Told, ...] = ()
    more_misfits: int = 0


class ImportReport(Noun):
    """What an import did, or would do."""

    dry_run: bool
    number: int | None = Field(default=None, description="In history_imports; None: nothing new")
    files: dict[str, FileReport]


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one import."""

    orders: Path
    outbox: Path
    sent: Path | None = None
    labels: Path | None = None

    def given(self) -> dict[str, Path]:
        """Return them by what they are."""
        named = {
            "orders": self.orders, "outbox": self.outbox, "sent": self.sent, "labels": self.labels
        }  # fmt: skip
        return {name: path for name, path in named.items() if path is not None}


@dataclass(frozen=True, slots=True)
class Importer:
    """What an import needs of an installation."""

    database: Database
    secret: str
    mapping: Mapping
    actor: str
    signature: str = ""

    def take_in(self, files: Files, *, dry_run: bool = False) -> ImportReport:
        """Read the files in order and store what is new.

        Raises ``OSError`` when a file cannot be read, and ``DatabaseError``.
        """
        work = _Work(self, dry_run=dry_run, files=_named(files))
        reports = {name: work.read(path, _TAKERS[name]) for name, path in files.given().items()}
        if work.number is not None:
            with self.database.transaction() as connection:
                counts = {name: report.counts for name, report in reports.items()}
                rows.finish(connection, work.number, counts)
        return ImportReport(dry_run=dry_run, number=work.number, files=reports)


@dataclass(slots=True)
class _Work:
    """One import under way."""

    how: Importer
    dry_run: bool
    files: Sequence[dict[str, object]]
    number: int | None = None
    seen: set[bytes] = field(default_factory=set)  # of this file: eight bytes a key
    orders: set[bytes] = field(default_factory=set)  # of the orders file

    def read(self, path: Path, take: "Taker") -> FileReport:
        """Read one file in batches; each is one transaction."""
        counts, told, lines = Counter[str](), list[Told](), 0
        self.seen = set()
        for batch in _batches(path):
            with self.how.database.transaction() as connection:
                if self.dry_run:
                    connection.execute("SET TRANSACTION READ ONLY")
                for number, fate in take(self, connection, batch, lines + 1):
                    if isinstance(fate, Misfit):
                        told.append(Told(line=number, reason=fate.reason))
                    counts[MISFIT if isinstance(fate, Misfit) else fate] += 1
            lines += len(batch)
            del told[_MOST_TOLD:]
        return FileReport(
            file=path.name,
            lines=lines,
            counts=dict(sorted(counts.items())),
            misfits=tuple(told),
            more_misfits=max(0, counts[MISFIT] - len(told)),
        )

    def first_time(self, key: str) -> bool:
        """Whether a key was not seen in this file before."""
        short = _short(key)
        fresh = short not in self.seen
        self.seen.add(short)
        return fresh

    def begun(self, connection: Connection) -> int:
        """Return the number of this import, made when the first row needs it."""
        if self.number is None:
            mapping = canonical_sha256(self.how.mapping.model_dump(mode="json"))
            self.number = rows.begin(connection, self.how.actor, mapping, self.files)
        return self.number


Batch = Sequence[RawLine]
Fates = Iterator[tuple[int, str | Misfit]]
Taker = Callable[[_Work, Connection, Batch, int], Fates]
Read = TypeVar("Read", OutcomeLine, SentLine, LabelLine)
T = TypeVar("T")


def _orders(work: _Work, connection: Connection, batch: Batch, first: int) -> Fates:
    secret, mapping = work.how.secret, work.how.mapping
    good: list[tuple[int, OrderLine]] = []
    for number, raw in enumerate(batch, first):
        read = _line(raw, lambda data: order_line(data, mapping, secret))
        if isinstance(read, OrderLine):
            good.append((number, read))
        else:
            yield number, read
    dead = known(connection, {h for _, line in good for h in _names(line, secret)})
    there = rows.states(connection, [line.order.key for _, line in good])
    fresh: list[OrderLine] = []
    for number, line in good:
        key = line.order.key
        if not dead.isdisjoint(_names(line, secret)):
            yield number, ERASED
            continue
        new = work.first_time(key)
        if there.get(key) == rows.HISTORY or key not in there:
            work.orders.add(_short(key))
        if not new:
            yield number, TWICE
        elif key in there:
            yield number, LIVE if there[key] == rows.LIVE else KNOWN
        else:
            fresh.append(line)
            yield number, FITS
    if fresh and not work.dry_run:
        rows.add_orders(connection, work.begun(connection), fresh)


def _outbox(work: _Work, connection: Connection, batch: Batch, first: int) -> Fates:
    return _Reading(work, connection, batch, first).take(
        lambda data: outcome_line(data, work.how.mapping),
        lambda found: rows.with_outcome(connection, [key for key, _ in found]),
        lambda kept: rows.add_outcomes(
            connection, [(key, line, batch[n - first].sha256) for n, key, line in kept]
        ),
    )


def _sent(work: _Work, connection: Connection, batch: Batch, first: int) -> Fates:
    return _Reading(work, connection, batch, first).take(
        lambda data: sent_line(data, work.how.mapping),
        lambda found: rows.with_reply(connection, [key for key, _ in found]),
        lambda kept: rows.add_replies(
            connection, [(key, line) for _, key, line in kept], work.how.signature
        ),
    )


def _labels(work: _Work, connection: Connection, batch: Batch, first: int) -> Fates:
    return _Reading(work, connection, batch, first, live=True).take(
        lambda data: label_line(data, work.how.mapping),
        lambda found: rows.labelled_so(connection, found),
        lambda kept: rows.add_labels(
            connection, [(key, line) for _, key, line in kept], work.how.actor
        ),
    )


_TAKERS: Final[dict[str, Taker]] = {
    "orders": _orders, "outbox": _outbox, "sent": _sent, "labels": _labels
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Reading:
    """Lines about work orders: whether each is of one that was imported."""

    work: _Work
    connection: Connection
    batch: Batch
    first: int
    live: bool = False  # whether one of the running installation will do as well

    def take(
        self,
        read: Callable[[bytes], Read | Misfit],
        known_of: Callable[[Sequence[tuple[str, Read]]], Set[str]],
        add: Callable[[Sequence[tuple[int, str, Read]]], object],
    ) -> Fates:
        """Yield each line's number and fate, then add what fits: number, key and line."""
        kept: list[tuple[int, str, Read]] = []
        for number, key, line, fate in self._lines(read, known_of):
            if fate == FITS and line is not None:
                kept.append((number, key, line))
            yield number, fate
        if kept and not self.work.dry_run:
            self.work.begun(self.connection)
            add(kept)

    def _lines(
        self,
        read: Callable[[bytes], Read | Misfit],
        known_of: Callable[[Sequence[tuple[str, Read]]], Set[str]],
    ) -> Iterator[tuple[int, str, Read | None, str | Misfit]]:
        """Yield each line with its number, key and fate."""
        secret = self.work.how.secret
        found = [(n, _line(raw, read)) for n, raw in enumerate(self.batch, self.first)]
        lines = [line for _, line in found if not isinstance(line, (Misfit, str))]
        keyed = [(work_order_key(secret, line.id), line) for line in lines]
        there = rows.states(self.connection, [key for key, _ in keyed])
        before = known_of(keyed)
        dead = known(self.connection, {tombstone(secret, "id", line.id) for line in lines})
        for number, line in found:
            if isinstance(line, (Misfit, str)):
                yield number, "", None, line
                continue
            key = work_order_key(secret, line.id)
            erased = tombstone(secret, "id", line.id) in dead
            fate = ERASED if erased else self._fate(key, there.get(key))
            yield number, key, line, KNOWN if fate == FITS and key in before else fate

    def _fate(self, key: str, state: str | None) -> str:
        if not self.work.first_time(key):
            return TWICE
        if state == rows.LIVE:
            return FITS if self.live else LIVE
        return FITS if state == rows.HISTORY or _short(key) in self.work.orders else ORPHAN


def _line(raw: RawLine, read: Callable[[bytes], T]) -> T | Misfit | str:
    if raw.data is None:
        return Misfit(f"longer than {MAX_LINE_BYTES} bytes")
    return ERASED if is_erased(raw.data) else read(raw.data)


def _short(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=8).digest()


def _names(line: OrderLine, secret: str) -> frozenset[str]:
    order = line.order
    name = MailName(
        id=order.original_id,
        message_id=order.ref.message_id or "",
        internet_message_id=order.ref.internet_message_id or "",
        sender=order.sender.address.strip().casefold(),
    )
    return name.tombstones(secret) | {tombstone(secret, "id", order.key)}


def _batches(path: Path) -> Iterator[Batch]:
    """Yield the lines of a file, the last one too when nothing ends it; memory stays bounded."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size, position = os.fstat(descriptor).st_size, 0
        while position < size:
            lines, after = read_lines(descriptor, position, size, max_lines=_BATCH_LINES)
            if not lines:
                rest = os.pread(descriptor, MAX_LINE_BYTES + 1, position)
                data = rest if len(rest) <= MAX_LINE_BYTES else None
                yield [RawLine(position, size - position, _sha256(rest), data, b"")]
                return
            yield lines
            position = after
    finally:
        os.close(descriptor)


def _named(files: Files) -> list[dict[str, object]]:
    """Return name, size and hash of each file."""
    told: list[dict[str, object]] = []
    for kind, path in files.given().items():
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        told.append({"kind": kind, "bytes": path.stat().st_size, "sha256": digest})
    return told


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
