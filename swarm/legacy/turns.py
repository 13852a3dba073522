"""How many turns of an intake program failed in a row, counted in a file.

The programs of the intake know no database, and one bad turn is no trouble. When turn after turn
fails nobody's mail is read any more, and that must not stand in a log alone: the watchman reads the
file and tells (``swarm.watchman.failing_turns``).
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from swarm.legacy.jsonl import read_state, write_state

T = TypeVar("T")


def counted(turn: Callable[[], T], path: Path) -> Callable[[], T]:
    """Return ``turn``, its failures in a row counted in ``path``; raises what ``turn`` raises."""

    def watched() -> T:
        try:
            done = turn()
        except Exception as error:
            _note(path, _failed(path) + 1, type(error).__name__)
            raise
        if _failed(path):
            _note(path, 0, "")
        return done

    return watched


def _failed(path: Path) -> int:
    failed = read_state(path).get("failed")
    return failed if isinstance(failed, int) else 0


def _note(path: Path, failed: int, error: str) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    since = read_state(path).get("since") if failed > 1 else now
    with suppress(OSError):  # a full disk is what the turn itself tells of
        write_state(path, {"failed": failed, "since": since, "error": error})
