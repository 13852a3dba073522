"""What a backup is: a folder with a manifest, a dump of the database, and files of the home.

    manifest.json     what follows, with the hash of every file
    database.dump     the whole database as one snapshot (``pg_dump``, custom format)
    home/...          files of the home, by the names they have there

Pure but for reading and hashing; nothing here knows Postgres.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from pydantic import AwareDatetime, ValidationError, field_validator

from swarm.errors import MalformedInputError, RefusedError
from swarm.models import Noun
from swarm.store.migrate import checksums

MANIFEST: Final = "manifest.json"
DUMP: Final = "database.dump"
FILES: Final = "home"

_CHUNK = 1 << 20


class Manifest(Noun):
    """What a backup holds. ``migrations``: name -> hash of each one its database had applied."""

    format: Literal[1] = 1
    at: AwareDatetime
    database_id: str
    publisher: str
    migrations: dict[str, str]
    files: dict[str, str]

    @field_validator("files")
    @classmethod
    def _stay_inside(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or not path.parts:
                raise ValueError("names a file outside the backup")
        return value


def read_whole(folder: Path) -> Manifest:
    """Return the manifest of a backup that is complete, unchanged and not of a newer program.

    Raises ``MalformedInputError`` for a folder that is no backup or was damaged, ``RefusedError``
    for one that this version cannot restore.
    """
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError, ValidationError) as error:
        raise MalformedInputError(
            f"{folder} is no backup: {MANIFEST} cannot be read",
            hint="name the folder that `swarm backup` has made",
        ) from error
    damaged = [name for name, sha256 in manifest.files.items() if _hash(folder / name) != sha256]
    if damaged:
        raise MalformedInputError(
            f"the backup is damaged: {', '.join(damaged[:3])}", hint="use another backup"
        )
    _require_known(manifest)
    return manifest


def hashes(folder: Path) -> dict[str, str]:
    """Return every file below ``folder`` by its name there, with its hash."""
    return {path.relative_to(folder).as_posix(): _hash(path) for path in _files(folder)}


def _require_known(manifest: Manifest) -> None:
    ours = checksums()
    foreign = [name for name, sha256 in manifest.migrations.items() if ours.get(name) != sha256]
    if foreign:
        raise RefusedError(
            f"the backup is of another version of this program: it does not know {foreign[-1]}",
            hint="restore it with the version that made it, or a newer one",
        )


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError:
        return "missing"
    return digest.hexdigest()
