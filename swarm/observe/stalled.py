"""What stands still or fails in numbers: streams nobody reads on, runs that mostly fail.

What lives elsewhere: each mail's or run's own trouble, alerted where it happens; when a trouble
becomes an alert (``swarm.watchman``).
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from swarm.observe.trouble import Trouble
from swarm.store.database import Connection

LAG: Final = "intake.lag"
RUNS: Final = "runs.failing"

_OFFSETS = """
SELECT DISTINCT ON (stream) stream, byte_offset FROM intake_offset
 WHERE stream = ANY(%s) ORDER BY stream, generation DESC
"""

_RUNS = """
SELECT count(*)::int AS ended, count(*) FILTER (WHERE outcome = 'failed')::int AS failed
  FROM workflow_runs
 WHERE finished_at > now() - interval '15 minutes'
   AND outcome IN ('failed', 'publishing', 'published', 'escalated', 'declined', 'held')
"""

# Five failures are no bad luck with one mail; half of all runs are no bad mails.
_FAILED_AT_LEAST: Final = 5
_SHARE: Final = 0.5
_PEEK_BYTES: Final = 1 << 20


def lags(connection: Connection, streams: Collection[Path]) -> Iterator[Trouble]:
    """Yield the streams with a whole line that was not read; the same place twice: nobody reads.

    A line without an end is told by the intake itself.
    """
    names = [path.stem for path in streams]
    rows = connection.execute(_OFFSETS, (names,)).fetchall()
    read = {row["stream"]: int(row["byte_offset"]) for row in rows}
    for path in streams:
        place = read.get(path.stem, 0)
        if _whole_line_after(path, place):
            detail = f"nobody reads on from byte {place} of {path.stem}"
            yield Trouble(LAG, path.stem, detail, mark=str(place))


def failing_runs(connection: Connection) -> Iterator[Trouble]:
    """Yield a trouble while half of the last quarter of an hour's runs failed, five at least."""
    row = connection.execute(_RUNS).fetchone() or {"ended": 0, "failed": 0}
    if row["failed"] >= _FAILED_AT_LEAST and row["failed"] >= _SHARE * row["ended"]:
        detail = f"{row['failed']} of {row['ended']} runs of the last 15 minutes failed"
        yield Trouble(RUNS, "runs", detail)


def _whole_line_after(path: Path, place: int) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(place)
            return b"\n" in file.read(_PEEK_BYTES)
    except OSError:
        return False  # what cannot be read, the reader itself tells
