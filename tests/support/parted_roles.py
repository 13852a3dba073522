"""A real embedded server on which every role has its own password, as a home has it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from swarm.installation.logins import Logins, of_embedded, passwords
from swarm.store import embedded
from swarm.store.database import Connection
from swarm.store.migrate import migrate
from swarm.store.roles import Role, url_as


@dataclass(frozen=True)
class Parted:
    """The server of one home, and who logs in how."""

    data: Path
    file: Path
    owner_url: str

    @property
    def logins(self) -> Logins:
        return of_embedded(self.owner_url, self.file)

    @property
    def superuser_url(self) -> str:
        known = passwords(self.file)
        return url_as(self.owner_url, embedded.SUPERUSER, known[embedded.SUPERUSER])

    def connect(self, role: Role) -> Connection:
        return connected(self.logins.url(role))

    def superuser(self) -> Connection:
        return connected(self.superuser_url)


def connected(url: str) -> Connection:
    return psycopg.connect(
        url, autocommit=True, row_factory=dict_row, options="-c search_path=swarm,public"
    )


@contextmanager
def parted_server() -> Iterator[Parted]:
    """Start a server as a keeper does, migrated by the owner."""
    folder = Path(tempfile.mkdtemp(prefix="swarm-parted-"))
    data, file = folder / "postgres", folder / "logins.json"
    try:
        owner_url = embedded.start(data, logins=passwords(file))
        migrate(owner_url)
        yield Parted(data, file, owner_url)
    finally:
        embedded.stop(data)
        shutil.rmtree(folder, ignore_errors=True)
