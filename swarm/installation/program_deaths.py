"""How often each program died lately: kept by the supervisor in a file, read by the watchman.

The supervisor starts again whatever dies and has no database; one that dies again and again must
not stand on a screen alone. What lives elsewhere: starting again (``swarm.up.supervisor``), telling
of it (``swarm.watchman``).
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from swarm.installation.home import write_private
from swarm.models import Noun

STEADY_SECONDS = 60.0
"""A program that lived so long is not dying any more."""


class ProgramDeaths(Noun):
    """A program that died: how often in a row, how, and since when it runs again."""

    name: str
    deaths: int
    last: str
    died_at: AwareDatetime


_FILE = TypeAdapter(tuple[ProgramDeaths, ...])


def deaths_file(run: Path) -> Path:
    """Return where it stands, in the folder of what runs."""
    return run / "deaths.json"


def write_deaths(file: Path, deaths: Iterable[ProgramDeaths]) -> None:
    """Keep it; a full disk keeps nobody from starting programs again."""
    with suppress(OSError):
        write_private(file, _FILE.dump_json(tuple(deaths)).decode())


def read_deaths(file: Path) -> Mapping[str, ProgramDeaths]:
    """Return what is kept, by program; nothing when nothing died, or nobody supervises here."""
    try:
        found = _FILE.validate_python(json.loads(file.read_text("utf-8")))
    except (OSError, ValueError, ValidationError):
        return {}
    return {each.name: each for each in found}
