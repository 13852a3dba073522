"""The world as the home remembers it: ``world.json``, for programs that may find no database.

Written by ``swarm up`` once the database agreed. A program of today's path must not need Postgres
to know that its mailbox or hook is another one than yesterday. A home without the file (a worker
host of many) remembers nothing. What lives elsewhere: nouns (``world``), rows (``world_rows``).
"""

import os
import uuid
from pathlib import Path

from pydantic import ValidationError

from swarm.errors import MalformedInputError, RefusedError
from swarm.models import Noun
from swarm.settings import Settings
from swarm.store.world import REMEDY, Places, Service, ServicePlace, changes, places, sentence


class HomeWorld(Noun):
    """What a home knows of itself. ``database_id`` None: it has not met its database yet."""

    home_id: str
    database_id: str | None = None
    places: tuple[ServicePlace, ...] = ()

    @property
    def by_service(self) -> Places:
        """Where each service was."""
        return {place.service: place for place in self.places}


def read(home: Path) -> HomeWorld | None:
    """Return what the home remembers; None when it never started.

    Raises ``MalformedInputError``: a home that cannot say which world it is in must not guess.
    """
    path = _path(home)
    try:
        return HomeWorld.model_validate_json(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, ValidationError) as error:
        raise MalformedInputError(
            f"{path} cannot be read", hint="restore it, or use another SWARM_HOME"
        ) from error


def read_or_new(home: Path) -> HomeWorld:
    """Return what the home remembers, or a new name for one that never started."""
    return read(home) or HomeWorld(home_id=uuid.uuid4().hex)


def write(home: Path, world: HomeWorld) -> None:
    """Keep it, whole or not at all, readable by its owner alone."""
    path = _path(home)
    temporary = path.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(world.model_dump_json(indent=1))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def require_home(settings: Settings, *asked: Service) -> None:
    """Raise ``RefusedError`` when one of the services ``asked`` is not where this home knows it."""
    known = read(settings.core.swarm_home)
    if known is None:
        return
    wanted = {service: place for service, place in places(settings).items() if service in asked}
    different = changes(known.by_service, wanted)
    if different:
        raise RefusedError(
            f"{settings.core.swarm_home} lives in another world: {sentence(different)}", hint=REMEDY
        )


def _path(home: Path) -> Path:
    return home / "world.json"
