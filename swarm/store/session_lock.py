"""A lock of the database that one session holds until it ends: for programs of which one may run.

The lock lives as long as its connection and no longer: a process that is killed frees it with its
last breath, a host that loses its power or its network within half a minute, for the server asks a
silent session whether it is there (`_PATIENCE`). What lives elsewhere: who holds one and what stops
when it is lost (``swarm_assets.runtime.one_daemon``), locks of one transaction (each beside its
statements).
"""

import os
import socket
from typing import Final

import psycopg
from psycopg.rows import DictRow, dict_row

from swarm.errors import RefusedError
from swarm.store.database_errors import in_our_words

_SPACE: Final = 7004
_LONGEST_NAME: Final = 63  # of application_name; what is longer Postgres cuts off
# Seconds. The server lets a silent session live for 25 s; a holder that heard nothing must have
# stopped before. Its own side gives up a dead connection after 5 s.
_PATIENCE: Final = (
    "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
)
_TAKE = "SELECT pg_try_advisory_lock(%s, %s) AS got"
_HOLDER = """
SELECT a.application_name AS name
  FROM pg_locks l JOIN pg_stat_activity a USING (pid)
 WHERE l.locktype = 'advisory' AND l.classid = %s AND l.objid = %s AND l.objsubid = 2 AND l.granted
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class SessionLock:
    """One lock, by number, held on a connection of its own. ``what`` names the holder to others."""

    def __init__(self, url: str, number: int, what: str) -> None:
        self._url, self._number, self._what = url, number, what
        self._connection: psycopg.Connection[DictRow] | None = None

    def take(self) -> None:
        """Take it on a new connection.

        Raises ``RefusedError`` that names who has it, ``DatabaseUnavailableError`` when nobody can
        be asked.
        """
        self.release()
        with in_our_words():
            name = f"{self._what} on {socket.gethostname()}, pid {os.getpid()}"[:_LONGEST_NAME]
            connection = psycopg.connect(
                self._url, autocommit=True, row_factory=dict_row, application_name=name,
                options=f"-c statement_timeout=5s {_PATIENCE}",
                connect_timeout=5, tcp_user_timeout=5000,  # milliseconds
                keepalives_idle=2, keepalives_interval=1, keepalives_count=3,
            )  # fmt: skip
            try:
                got = connection.execute(_TAKE, (_SPACE, self._number)).fetchone()
                holder = None if got and got["got"] else self._holder(connection)
            except psycopg.Error:
                connection.close()
                raise
        if holder is not None:
            connection.close()
            raise RefusedError(
                f"another one works on this database: {holder}",
                hint="one is enough; stop that one first",
            )
        self._connection = connection

    def held(self) -> bool:
        """Ask the server; False when the session that held it is gone."""
        if self._connection is None:
            return False
        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            self.release()
            return False
        return True

    def release(self) -> None:
        """End the session, and the lock with it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _holder(self, connection: psycopg.Connection[DictRow]) -> str:
        row = connection.execute(_HOLDER, (_SPACE, self._number)).fetchone()
        return str(row["name"]) if row and row["name"] else "a session of another login"
