"""``swarm restore DIR``: a backup becomes an installation again, in an empty home.

It comes back fenced: nobody is publisher, no certificate holds, no lease stands, and the database
says that it was restored. What was drafted after the backup it does not know, so it may publish
only after ``reconciling``. A home that could be started appears last, by one rename: a restore that
is interrupted leaves nothing that publishes. With a ``DATABASE_URL`` of one's own the fence is laid
right after the dump; in between only a home can start that the database refuses as a stranger.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from swarm.errors import RefusedError
from swarm.installation.home import Home
from swarm.installation.logins import Logins, of_embedded, of_user, passwords
from swarm.lifecycle.backup.manifest import DUMP, FILES, Manifest, read_whole
from swarm.publishing.control import PublisherName, control_alone
from swarm.publishing.switch import lease
from swarm.publishing.switch.commands import flip
from swarm.store import embedded
from swarm.store.database import Database
from swarm.store.database_errors import in_our_words
from swarm.store.dump import load
from swarm.store.migrate import migrate
from swarm.store.restored import note_restored
from swarm.store.roles import Role

_VOID = "SELECT swarm.void_certificates(%s, %s)"


def restore(folder: Path, home: Home, user: Mapping[str, str], *, actor: str) -> Manifest:
    """Fill the empty ``home`` (and its database) from the backup in ``folder``.

    The database is brought up to date with this version. Raises ``RefusedError`` when home or
    database hold something or the backup is newer than this program, ``MalformedInputError`` when
    the backup is damaged, ``TransientError`` when the database could not be filled.
    """
    manifest = read_whole(folder)
    _require_empty(home)
    aside = Home(home.root.with_name(f"{home.root.name}.restoring"))
    shutil.rmtree(aside.root, ignore_errors=True)
    try:
        aside.prepare()
        shutil.copytree(folder / FILES, aside.root, dirs_exist_ok=True)
        with _database(aside, user) as logins, in_our_words():
            load(logins.url(Role.OWNER), folder / DUMP)
            migrate(logins.url(Role.OWNER))
            _fence(logins, manifest, actor)
        if home.root.exists():
            home.root.rmdir()
        aside.root.rename(home.root)
    finally:
        shutil.rmtree(aside.root, ignore_errors=True)
    return manifest


def _require_empty(home: Home) -> None:
    if home.root.exists() and (not home.root.is_dir() or any(home.root.iterdir())):
        raise RefusedError(
            f"{home.root} is not empty: a restore never overwrites",
            hint="set SWARM_HOME to a folder that is empty or not there",
        )


@contextmanager
def _database(home: Home, user: Mapping[str, str]) -> Iterator[Logins]:
    if user.get("DATABASE_URL"):
        yield of_user(user)
        return
    url = embedded.start(home.postgres, logins=passwords(home.database_logins))
    try:
        yield of_embedded(url, home.database_logins)
    finally:
        embedded.stop(home.postgres)


def _fence(logins: Logins, manifest: Manifest, actor: str) -> None:
    """Take publishing away and mark the ledger as one that may not know what was drafted."""
    why = f"restored from the backup of {manifest.at:%F %H:%M} UTC"
    database = Database(logins.url(Role.WORKER), max_connections=1)
    with closing(database), database.transaction() as connection:
        control_alone(connection)
        held = lease.unreleased(connection)
        if held is not None:  # its journal is in the backup; whoever held it is another home
            lease.release(connection, held.holder)
        connection.execute(_VOID, (why, actor))
        flip(connection, PublisherName.NONE, actor=actor, reason=why)
        note_restored(connection, manifest.at, actor=actor)
