"""Erasing lines from the files of a home while the daemons that write and follow them go on.

A line is overwritten in place by a filler of its own length, under the lock its writers take, so no
offset moves; a follower's proof of its place is renewed with it. In other files (logs, keys handed
over) only the words that name somebody are overwritten. What lives elsewhere: the stream that
Postgres has bookmarks of (``swarm.intake.stream.blanking``).
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from swarm.errors import TransientError
from swarm.intake.stream import blanking, rows
from swarm.intake.stream.bookmarks import open_stream
from swarm.intake.stream.tick import stream_name
from swarm.legacy.home import IntakeFiles, LegacyFiles
from swarm.legacy.jsonl import locked, marker, read_state, write_state
from swarm.lifecycle.erasure_dagster import NOBODY
from swarm.store.database import Connection, Database
from swarm.store.tombstones import file_text

About = Callable[[bytes], bool]

_COMPRESSED = (".gz", ".zst", ".xz", ".bz2")
_OPAQUE = ("postgres", "sandbox", "run")  # a database, the doubles' database, sockets and settings
_PRECIOUS = ("key_secret", "tombstones")


def line_files(home: Path) -> list[tuple[Path, Path | None]]:
    """Return the files of lines that Postgres has no bookmark of, each with its follower's state;
    rotated ones as well.
    """
    intake = IntakeFiles(home)
    return [
        (path, intake.processor_state if path == intake.events else None)
        for path in _with_rotated(intake.events)
    ]


def streams(home: Path) -> tuple[tuple[Path, Path | None], ...]:
    """Return the streams that Postgres has bookmarks of, each with its other follower's state."""
    intake, legacy = IntakeFiles(home), LegacyFiles(home)
    return (
        (intake.work_orders, legacy.pipeline_state),
        (intake.ignored, None),
        (legacy.outbox, legacy.sender_state),
    )


def stream_files(home: Path) -> list[Path]:
    """Return the files of those streams, rotated ones as well."""
    return [path for stream, _ in streams(home) for path in _with_rotated(stream)]


def unreadable(home: Path) -> tuple[Path, ...]:
    """Return compressed files: nobody looks into them but a person."""
    return tuple(path for path in _walk(home) if path.suffix in _COMPRESSED)


def blank_lines(path: Path, state: Path | None, about: About) -> int:
    """Overwrite the lines of one file that ``about`` picks; returns how many."""
    with locked(path) as descriptor, _place_kept(descriptor, state):
        size = os.fstat(descriptor).st_size
        ranges = blanking.matching_lines(descriptor, size, about)
        if ranges:
            blanking.overwrite(descriptor, ranges)
    return len(ranges)


def count_lines_about(path: Path, about: About) -> int:
    """Return how many lines of a file ``about`` picks."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        return len(blanking.matching_lines(file.fileno(), size, about))


def blank_stream(database: Database, path: Path, state: Path | None, about: About) -> int:
    """Overwrite lines of a stream and move its bookmarks' proofs; returns how many.

    Two transactions, so that a kill between any two bytes is ended by whoever comes next. Raises
    ``TransientError`` while a reader holds the stream.
    """
    if not _with_rotated(path):
        return 0
    with locked(path) as descriptor, _place_kept(descriptor, state):
        with database.transaction() as connection:
            _hold(connection, path)
            _settle(connection, path)
            count = blanking.announce(connection, path, stream_name(path), about)
        with database.transaction() as connection:
            _hold(connection, path)
            _settle(connection, path)
    return count


def mask_words(home: Path, needles: Sequence[str]) -> Counter[str]:
    """Overwrite words that name somebody in all other files, byte for byte; returns how many."""
    lines = {path for path, _ in line_files(home)} | set(stream_files(home))
    counts = Counter[str]()
    for path in _walk(home):
        if path not in lines and path.suffix not in _COMPRESSED:
            counts[str(path.relative_to(home))] += _mask_file(path, needles)
    return +counts


def files_that_say(home: Path, needles: Sequence[str], about: About) -> Counter[str]:
    """Return how often the needles stand in which file of the home, the databases' own left out.

    In files of lines only the lines that ``about`` picks count: another mail may name him.
    """
    lines = {path for path, _ in line_files(home)} | set(stream_files(home))
    counts = Counter[str]()
    for path in _walk(home):
        name = str(path.relative_to(home))
        if path in lines:
            counts[name] += count_lines_about(path, about)
        else:
            said = _lowered(path)
            counts[name] += sum(said.count(n.encode()) for n in needles)
    return +counts


def write_tombstones(home: Path, hashes: Sequence[str]) -> None:
    """Tell the programs that know no database what they must not write again."""
    path = IntakeFiles(home).tombstones
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    with draft.open("w", encoding="ascii") as file:
        file.write(file_text(hashes))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def journalled(home: Path, keys: Sequence[str]) -> Iterator[str]:
    """Yield the work orders that today's sender has not settled with the ledger yet."""
    journal = LegacyFiles(home).outbox.parent / "journal.jsonl"
    said = journal.read_bytes() if journal.exists() else b""
    for key in keys:
        if key.encode() in said:
            yield f"{key} stands in the journal of today's sender: its publication is not settled"


@contextmanager
def _place_kept(descriptor: int, state: Path | None) -> Iterator[None]:
    """Renew a follower's proof of its place if it held before; else it reads from the start anyway.

    A follower that saves its place at this very moment may do so too: ids and tombstones make that
    harmless.
    """
    place = read_state(state) if state else {}
    offset = place.get("offset")
    holds = isinstance(offset, int) and place.get("marker") == marker(descriptor, offset)
    yield
    if holds and state and isinstance(offset, int):
        write_state(state, {**place, "marker": marker(descriptor, offset)})


def _hold(connection: Connection, path: Path) -> None:
    if not rows.lock_within(connection, stream_name(path), seconds=10):
        raise TransientError("another reader holds the stream", hint="try again in a moment")


def _settle(connection: Connection, path: Path) -> None:
    with open_stream(path) as files:
        blanking.settle(connection, stream_name(path), files)


def _mask_file(path: Path, needles: Sequence[str]) -> int:
    said = _lowered(path)
    found = [(said.find(n), n) for n in (needle.encode() for needle in needles) if n in said]
    if not found:
        return 0
    masked = 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        for needle in (needle.encode() for needle in needles):
            at = said.find(needle)
            while at >= 0:
                os.pwrite(descriptor, _mask(needle), at)
                masked, at = masked + 1, said.find(needle, at + len(needle))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return masked


def _lowered(path: Path) -> bytes:
    """What a file says; programs that run take some away between the look and the reading."""
    try:
        return path.read_bytes().lower()
    except FileNotFoundError:
        return b""


def _mask(needle: bytes) -> bytes:
    key = needle.startswith(b"wo_") and len(needle) == len(NOBODY)
    return NOBODY.encode() if key else b"-" * len(needle)


def _walk(home: Path) -> Iterator[Path]:
    for path in sorted(home.rglob("*")):
        top = path.relative_to(home).parts[0]
        if top not in _OPAQUE and path.name not in _PRECIOUS and _regular(path):
            yield path


def _regular(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _with_rotated(live: Path) -> list[Path]:
    return [
        path
        for path in sorted(live.parent.glob(f"{live.stem}*.jsonl*"))
        if _regular(path) and path.suffix not in (*_COMPRESSED, ".tmp")
    ]
