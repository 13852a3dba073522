"""``swarm backup DIR``: a whole installation as it stands at one moment, running or stopped.

The order makes a copy of a running one consistent. *Positions first*: a position that is older than
its stream reads some lines again, which are known by their ids; one that is newer would skip them.
Then the database, one snapshot. *Streams last*: the database's bookmarks are then never beyond the
end of the file. The folder appears under its name when it is complete.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg

from swarm.errors import ConfigurationError, RefusedError
from swarm.installation.home import Home
from swarm.installation.logins import VARIABLES, passwords
from swarm.installation.urls import libpq_url
from swarm.lifecycle.backup.manifest import DUMP, FILES, MANIFEST, Manifest, hashes
from swarm.store import embedded
from swarm.store.database_errors import in_our_words
from swarm.store.dump import dump
from swarm.store.roles import Role

_SMALL: Final = (
    "key_secret",
    "world.json",
    "tolerances.toml",
    "knowledge",
    "intake/*.json",
    "intake/tombstones",
    "legacy/*.state.json",
    "legacy/**/journal.jsonl",
    "legacy/**/handed_over.keys",
    "sandbox",
)
"""Positions, the journal of today's sender, and what a person wrote; the doubles' state as well."""

_STREAMS: Final = ("intake/*.jsonl*", "legacy/*.jsonl*")

_ABOUT = """
SELECT (SELECT database_id::text FROM swarm.installation WHERE id = 1),
       (SELECT active FROM swarm.publisher_control WHERE id = 1)
"""
_MIGRATIONS = "SELECT name, sha256 FROM swarm.schema_migrations ORDER BY name"


def back_up(home: Home, user: Mapping[str, str], folder: Path) -> Manifest:
    """Write a backup of the installation in ``home`` into the new folder ``folder``.

    ``user`` is the environment: with ``DATABASE_URL`` that database is dumped, else the embedded
    one, which is started for the moment when nothing runs. Raises ``RefusedError`` when ``folder``
    exists, ``ConfigurationError`` when there is no installation, ``TransientError`` when the
    database cannot be dumped.
    """
    if folder.exists():
        raise RefusedError(f"{folder} is there already", hint="name a folder that is new")
    _require_installation(home)
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / FILES).mkdir(mode=0o700, parents=True)
    partial.chmod(0o700)
    try:
        manifest = _fill(home, user, partial)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    os.sync()  # a backup that a power cut takes away is none
    return manifest


def _fill(home: Home, user: Mapping[str, str], partial: Path) -> Manifest:
    at = datetime.now(UTC)
    _copy(home.root, partial / FILES, _SMALL)
    with _owner(home, user) as url, in_our_words():
        database_id, publisher, migrations = _about(url)
        dump(url, partial / DUMP)
    _copy(home.root, partial / FILES, _STREAMS)
    manifest = Manifest(
        at=at,
        database_id=database_id,
        publisher=publisher,
        migrations=migrations,
        files=hashes(partial),
    )
    (partial / MANIFEST).write_text(json.dumps(manifest.model_dump(mode="json"), indent=1), "utf-8")
    return manifest


def _require_installation(home: Home) -> None:
    if not (home.root / "world.json").exists():
        raise ConfigurationError(
            f"{home.root} holds no installation that was ever started",
            hint="set SWARM_HOME to the home to be backed up",
        )


@contextmanager
def _owner(home: Home, user: Mapping[str, str]) -> Iterator[str]:
    """Yield a URL that logs in as the owner of the tables; a stopped server runs meanwhile."""
    if own := user.get(VARIABLES[Role.OWNER]) or user.get("DATABASE_URL"):
        yield libpq_url(own)
        return
    running = home.run / "postgres.url"
    if running.exists():
        yield running.read_text("utf-8")
        return
    if not home.postgres.exists():
        raise ConfigurationError(
            f"{home.root} has no database of its own", hint="set DATABASE_URL to the one it uses"
        )
    home.run.mkdir(mode=0o700, exist_ok=True)
    with home.locked():
        url = embedded.start(home.postgres, logins=passwords(home.database_logins))
        try:
            yield url
        finally:
            embedded.stop(home.postgres)


def _about(url: str) -> tuple[str, str, dict[str, str]]:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(_ABOUT).fetchone() or ("", "")
        applied = connection.execute(_MIGRATIONS).fetchall()
    return str(row[0]), str(row[1]), {str(name): str(sha256) for name, sha256 in applied}


def _copy(root: Path, target: Path, patterns: tuple[str, ...]) -> None:
    """Copy what the patterns name, readable by its owner alone; what is not there is left out.

    What was copied before stays: the sender's journal is emptied once the ledger knows it, so the
    one from before the dump is the one that fits it.
    """
    for pattern in patterns:
        for found in root.glob(pattern):
            for source in found.rglob("*") if found.is_dir() else (found,):
                to = target / source.relative_to(root)
                if source.is_file() and not source.name.endswith(".tmp") and not to.exists():
                    to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    shutil.copyfile(source, to)
                    to.chmod(0o600)
