"""The logs stay bounded: of each program the last 10 MB and the 10 MB before.

Whoever writes holds the file open for appending, so it can be copied aside and emptied under him:
he goes on at its new end and needs no signal. That is the one way that works for our programs,
Dagster's and Postgres' alike. A line written in the instant between copying and emptying can be
lost: it is a log, and no proof hangs on it.
"""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from swarm.installation.home import Home

MOST_BYTES: Final = 10 << 20
OLDER: Final = ".1"


def logs_of(home: Home) -> Iterator[Path]:
    """Yield every log of an installation that something still writes to."""
    yield from sorted(home.logs.glob("*.log"))
    yield home.postgres / "log"


def keep_bounded(home: Home, most_bytes: int = MOST_BYTES) -> tuple[str, ...]:
    """Put aside and empty each log that is larger; returns their names. Raises nothing.

    On a full disk the older half is given up, not the bound.
    """
    return tuple(log.name for log in logs_of(home) if _size(log) > most_bytes and _turn(log))


def _size(log: Path) -> int:
    try:
        return log.stat().st_size
    except OSError:
        return 0


def _turn(log: Path) -> bool:
    older = log.with_name(log.name + OLDER)
    try:
        with log.open("r+b") as now:
            try:
                with older.open("wb") as aside:
                    older.chmod(0o600)
                    shutil.copyfileobj(now, aside)
            except OSError:
                with suppress(OSError):
                    older.unlink(missing_ok=True)
            now.truncate(0)
    except OSError:
        return False
    return True
