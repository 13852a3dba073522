"""What an installation stands on: disk, logs, rights of the home, locale, clock. Changes nothing.

What lives elsewhere: packages and settings (``diagnosis``), who answers (``reaching``,
``reaching_graph``, ``postgres_trouble``).
"""

import locale
import os
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from swarm.cli.findings import Finding, Health
from swarm.installation.home import Home
from swarm.up.logs import MOST_BYTES, logs_of

_LITTLE: Final = 10 << 30  # bytes free: a year of mail, its database and its logs
_NONE_LEFT: Final = 1 << 30
_SKEW_NOTED, _SKEW_BAD = 5.0, 120.0  # seconds; tokens live longer, but logs no longer agree
_SECRETS: Final = ("key_secret", "database_logins.json", "run/environment.json")


def ground(home: Home) -> Iterator[Finding]:
    """Look at what the home lies on; it need not exist yet."""
    yield _disk(home.root)
    yield _rights(home)
    yield _logs(home)
    yield _locale()


def skew(name: str, theirs: datetime) -> Finding:
    """Compare this machine's clock with another's, as it was a moment ago. Both in UTC."""
    seconds = (datetime.now(UTC) - theirs).total_seconds()
    if abs(seconds) < _SKEW_NOTED:
        return Finding(area="clock", name=name, health=Health.GOOD, detail="agrees with this one")
    way = "ahead of" if seconds > 0 else "behind"
    return Finding(
        area="clock",
        name=name,
        health=Health.BAD if abs(seconds) > _SKEW_BAD else Health.NOTE,
        detail=f"this machine is {abs(seconds):.0f} s {way} it",
        helps="let a time service set this machine's clock: `timedatectl set-ntp true`",
    )


def _disk(root: Path) -> Finding:
    nearest = next(path for path in (root, *root.parents) if path.exists())
    free = shutil.disk_usage(nearest).free
    health = Health.BAD if free < _NONE_LEFT else Health.NOTE if free < _LITTLE else Health.GOOD
    return Finding(
        area="machine",
        name="disk",
        health=health,
        detail=f"{free / (1 << 30):.1f} GB free where SWARM_HOME lies",
        helps="" if health is Health.GOOD else "make room, or move the home to a larger disk",
    )


def _rights(home: Home) -> Finding:
    """Secrets and mail text are their owner's alone."""
    files = [home.root / name for name in _SECRETS]
    folders = [home.events.parent, home.run, home.root / "legacy"]
    open_to_others = [
        path
        for path in (*files, *folders)
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o007
    ]
    if open_to_others:
        named = ", ".join(path.name for path in open_to_others)
        return Finding(
            area="machine",
            name="rights",
            health=Health.BAD,
            detail=f"others may read {named}",
            helps=f"chmod -R go= {home.root}, but for postgres/ when root runs it",
        )
    said = "secrets and mail are this user's alone" if home.root.exists() else "no home yet"
    return Finding(area="machine", name="rights", health=Health.GOOD, detail=said)


def _logs(home: Home) -> Finding:
    sizes = [path.stat().st_size for path in logs_of(home) if path.exists()]
    large = sum(size > 2 * MOST_BYTES for size in sizes)
    return Finding(
        area="machine",
        name="logs",
        health=Health.NOTE if large else Health.GOOD,
        detail=f"{sum(sizes) / (1 << 20):.1f} MB in {len(sizes)} files",
        helps="`swarm up` bounds them while it runs; is it running?" if large else "",
    )


def _locale() -> Finding:
    """Our programs run in C.UTF-8 whatever the shell says; the shell's own shows our words."""
    wanted = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or "C"
    try:
        locale.setlocale(locale.LC_CTYPE, "")
    except locale.Error:
        return Finding(
            area="machine",
            name="locale",
            health=Health.NOTE,
            detail=f"{wanted} is not installed here; the programs use C.UTF-8 all the same",
            helps="unset LC_ALL, or install the locale",
        )
    return Finding(area="machine", name="locale", health=Health.GOOD, detail=wanted)
