"""How many turns of an intake program failed in a row: counted in a file, told as an alert.

The programs of the intake know no database, and one bad turn is no trouble. When turn after turn
fails nobody's mail is read any more, and that must not stand in a log alone. The file is written by
the program, read by the watchman.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from swarm.legacy.home import IntakeFiles
from swarm.legacy.jsonl import read_state, write_state
from swarm.store.alerts import raise_growing, resolve
from swarm.store.database import Database

T = TypeVar("T")

PATIENCE = 5  # failed turns in a row; with the pauses between them about a minute
FAILING = "intake.turns_fail"


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


def tell_failing_turns(database: Database, files: IntakeFiles) -> None:
    """Raise, or settle, the alert of each intake program by what its file says.

    It counts the failed turns, so that it is told again as long as they go on.
    """
    for program, path in files.turns.items():
        state = read_state(path)
        failed = state.get("failed")
        with database.transaction() as connection:
            if isinstance(failed, int) and failed >= PATIENCE:
                detail = f"every turn has failed since {state.get('since')}: {state.get('error')}"
                raise_growing(connection, FAILING, program, detail, total=failed)
            elif failed is not None:
                resolve(connection, FAILING, program)


def _failed(path: Path) -> int:
    failed = read_state(path).get("failed")
    return failed if isinstance(failed, int) else 0


def _note(path: Path, failed: int, error: str) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    since = read_state(path).get("since") if failed > 1 else now
    with suppress(OSError):  # a full disk is what the turn itself tells of
        write_state(path, {"failed": failed, "since": since, "error": error})
