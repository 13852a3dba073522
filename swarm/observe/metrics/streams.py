"""How far each file is read, and for how long something in it has waited; today's programs.

Measured at the files themselves, on the machine whose home holds them; where there is no intake
folder nothing is said. A stream that is read by our tables is compared with its bookmark, one that
is read by a program of today's path with that program's state file.
"""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from prometheus_client.core import Metric

from swarm.legacy.follow import Follower
from swarm.legacy.home import IntakeFiles, LegacyFiles
from swarm.legacy.standby.countdown import expected
from swarm.legacy.standby.heartbeats import read_heartbeats
from swarm.observe.metrics.metric import Gauge, Unit, family
from swarm.store.database import Connection

UNREAD: Final = Gauge(
    "swarm_stream_unread_bytes",
    "Bytes of each stream that its reader has not read.",
    labels=("reader", "stream"),
    unit=Unit.BYTES,
)
WAITED: Final = Gauge(
    "swarm_stream_lag_seconds",
    "For how long the oldest unread byte of each stream has at least been there.",
    labels=("reader", "stream"),
    unit=Unit.SECONDS,
)
LEGACY_BEAT: Final = Gauge(
    "swarm_legacy_heartbeat_seconds",
    "Age of the last heartbeat of each program of today's path; one that never ran: no sample.",
    labels=("program",),
    unit=Unit.SECONDS,
)
LEGACY_EXPECTED: Final = Gauge(
    "swarm_legacy_expected",
    "Whether today's path must be running: it publishes, or stands by.",
    unit=Unit.FLAG,
)
HOME_FREE: Final = Gauge(
    "swarm_home_free_bytes", "Free space of the disk SWARM_HOME lies on.", unit=Unit.BYTES
)
HOME_FREE_SHARE: Final = Gauge(
    "swarm_home_free_ratio", "The same as a share of the disk.", unit=Unit.RATIO
)

MEASURED: Final = (UNREAD, WAITED, LEGACY_BEAT, LEGACY_EXPECTED, HOME_FREE, HOME_FREE_SHARE)

_OFFSETS = """
SELECT DISTINCT ON (stream) stream, byte_offset FROM intake_offset
 WHERE closed_at IS NULL ORDER BY stream, generation DESC
"""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads which stream, and how many of its bytes are not read yet."""

    name: str
    stream: str
    unread: int
    size: int
    changed: float  # seconds since 1970: when the file was last written


class StreamWaits:
    """For how long something has been unread: since the look at which it was first seen.

    Kept by the process that looks; after a restart, since the file was last written.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._seen: dict[tuple[str, str], list[tuple[float, int]]] = {}

    def seconds(self, reader: Reader) -> float:
        """Return the wait of this reader's oldest unread byte, as far as it is known."""
        now, read = self._clock(), reader.size - reader.unread
        name = (reader.name, reader.stream)
        known = [(at, size) for at, size in self._seen.get(name, []) if read < size <= reader.size]
        if reader.unread and (not known or known[-1][1] < reader.size):
            known.append((min(now, reader.changed) if not known else now, reader.size))
        self._seen[name] = known
        return max(now - known[0][0], 0.0) if known else 0.0


class HomeFiles:
    """The files of one installation, measured at each reading."""

    def __init__(self, home: Path, clock: Callable[[], float] = time.time) -> None:
        self._home, self._intake, self._legacy = home, IntakeFiles(home), LegacyFiles(home)
        self._waiting = StreamWaits(clock)

    def families(self, connection: Connection) -> Iterator[Metric]:
        """Yield what is measured; the bookmarks are those of the caller's snapshot."""
        offsets = {row["stream"]: row["byte_offset"] for row in connection.execute(_OFFSETS)}
        must_run = expected(connection)
        yield from self._lags(offsets)
        yield family(LEGACY_EXPECTED, [((), float(must_run))])
        yield family(LEGACY_BEAT, self._beats())
        yield from self._disk()

    def _lags(self, offsets: Mapping[str, int]) -> Iterator[Metric]:
        readers = [*self._readers(offsets)]
        names = [(each.name, each.stream) for each in readers]
        yield family(UNREAD, zip(names, (float(r.unread) for r in readers), strict=True))
        yield family(WAITED, zip(names, map(self._waiting.seconds, readers), strict=True))

    def _readers(self, offsets: Mapping[str, int]) -> Iterator[Reader]:
        if not self._intake.work_orders.parent.is_dir():
            return
        for path in (self._intake.work_orders, self._intake.ignored, self._legacy.outbox):
            size, changed = _size(path)
            unread = max(size - offsets.get(path.stem, 0), 0)
            yield Reader("tables", path.stem, unread, size, changed)
        for program, path, state in self._followed():
            with suppress(OSError):
                size, changed = _size(path)
                yield Reader(program, path.stem, Follower(path, state).lag_bytes(), size, changed)

    def _followed(self) -> Iterator[tuple[str, Path, Path]]:
        yield "intake_stream_processor", self._intake.events, self._intake.processor_state
        if self._legacy.outbox.parent.is_dir():
            yield "pipeline_daemon", self._legacy.work_orders, self._legacy.pipeline_state
            yield "publish_sender", self._legacy.outbox, self._legacy.sender_state

    def _beats(self) -> Iterator[tuple[tuple[str, ...], float]]:
        for beat in read_heartbeats(self._legacy, datetime.now(UTC)):
            if beat.age_seconds is not None:
                yield (beat.program,), beat.age_seconds

    def _disk(self) -> Iterator[Metric]:
        with suppress(OSError):
            disk = shutil.disk_usage(self._home)
            yield family(HOME_FREE, [((), float(disk.free))])
            yield family(HOME_FREE_SHARE, [((), disk.free / disk.total)])


def _size(path: Path) -> tuple[int, float]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0.0
    return found.st_size, found.st_mtime
