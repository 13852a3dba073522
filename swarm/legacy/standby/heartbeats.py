"""Is today's path alive, and how far behind? Read from its own files; alerted when it must live.

It must live while legacy publishes, and after a cutover until it is decommissioned (``countdown``):
a rollback to programs that do not run would stop production. What lives elsewhere: writing the
heartbeats (``swarm.legacy``), proving that it could take over (``proof``).
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, Field

from swarm.legacy.daemon import LONGEST_PAUSE
from swarm.legacy.follow import Follower
from swarm.legacy.home import LegacyFiles
from swarm.legacy.jsonl import read_state
from swarm.legacy.standby.countdown import expected
from swarm.models import Noun
from swarm.store.alerts import raise_alert, resolve
from swarm.store.database import Connection

STALE = "legacy.stale"

# A daemon in trouble waits up to 60 s between two turns; it beats its heart after each.
STALE_AFTER_SECONDS = 1.5 * LONGEST_PAUSE


class Heartbeat(Noun):
    """What one program of today's path last said. ``at`` None: it has never run on this home."""

    program: str
    at: AwareDatetime | None
    age_seconds: float | None
    stale: bool = Field(description="Whether the program must be taken for dead")
    lag_bytes: int = Field(description="What it has not handled yet, measured now")
    connected: bool | None = Field(default=None, description="Whether the sender had the ledger")


class LegacyPath(Noun):
    """Today's path: whether it must be running, and what its programs say."""

    expected: bool
    programs: tuple[Heartbeat, ...]


def read_heartbeats(files: LegacyFiles, now: datetime) -> tuple[Heartbeat, ...]:
    """Return the heartbeats of pipeline daemon and sender; the lag is measured, not believed."""
    return (
        _heartbeat(
            "pipeline_daemon",
            files.pipeline_heartbeat,
            Follower(files.work_orders, files.pipeline_state),
            now,
        ),
        _heartbeat(
            "publish_sender",
            files.sender_heartbeat,
            Follower(files.outbox, files.sender_state),
            now,
        ),
    )


def legacy_path(connection: Connection, files: LegacyFiles, now: datetime) -> LegacyPath:
    """Return the state of today's path."""
    return LegacyPath(expected=expected(connection), programs=read_heartbeats(files, now))


def watch(connection: Connection, files: LegacyFiles, now: datetime) -> int:
    """Alert programs that must run and do not, settle the others; returns how many are alerted."""
    path = legacy_path(connection, files, now)
    missing = [beat for beat in path.programs if path.expected and beat.stale]
    for beat in missing:
        raise_alert(connection, STALE, beat.program, next(complaints(beat)))
    for beat in path.programs:
        if beat not in missing:
            resolve(connection, STALE, beat.program)
    return len(missing)


def complaints(beat: Heartbeat) -> Iterator[str]:
    """Yield what is wrong with a program's life."""
    if beat.age_seconds is None:
        yield f"{beat.program} has never run on this home"
    elif beat.stale:
        yield f"{beat.program} last beat its heart {beat.age_seconds:.0f} s ago"


def _heartbeat(program: str, file: Path, follower: Follower, now: datetime) -> Heartbeat:
    beat = read_state(file)
    at = _moment(beat.get("at"))
    age = None if at is None else max((now - at).total_seconds(), 0.0)
    connected = beat.get("connected")
    return Heartbeat(
        program=program,
        at=at,
        age_seconds=age,
        stale=age is None or age > STALE_AFTER_SECONDS,
        lag_bytes=follower.lag_bytes(),
        connected=connected if isinstance(connected, bool) else None,
    )


def _moment(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at if at.tzinfo else None
