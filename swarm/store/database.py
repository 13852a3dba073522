"""The door to Postgres: one pool, visible transactions, plain SQL.

What lives here: connecting, and that nothing but our error tree leaves a transaction. What does
not: which SQLSTATE is which error (``database_errors``), any statement about our tables (each room
keeps its own), Dagster's own storage.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

from swarm.store.database_errors import in_our_words

Connection: TypeAlias = psycopg.Connection[DictRow]

# Rows come back as dicts; the value types are the database's business, hence Any in this one alias.
Row: TypeAlias = dict[str, Any]

_SESSION_OPTIONS = (
    "-c search_path=swarm,public -c timezone=UTC "
    "-c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
)

_FRESH_SECONDS = 0.5
_used: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()

_SET_PATH = "SELECT set_config('search_path', %s, false)"


class Database:
    """A small connection pool on our schema ``swarm``.

    ``url`` is a libpq URL (``postgresql://``), TCP or unix socket. The pool opens lazily, so that a
    program can start while Postgres is away. A statement ends after ``statement_seconds``;
    ``read_only``: a transaction that writes must say so first.
    """

    def __init__(
        self,
        url: str,
        *,
        max_connections: int = 4,
        timeout: float = 10.0,
        idle: float = 600.0,
        statement_seconds: int = 30,
        read_only: bool = False,
    ) -> None:
        self.url = url
        options = f"{_SESSION_OPTIONS} -c statement_timeout={statement_seconds}s"
        options += " -c default_transaction_read_only=on" if read_only else ""
        self._pool = ConnectionPool(
            url,
            min_size=0,
            max_size=max_connections,
            timeout=timeout,
            max_idle=idle,
            open=False,
            check=_check,
            kwargs={"row_factory": dict_row, "options": options, "autocommit": False},
            connection_class=psycopg.Connection[DictRow],
        )

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection inside BEGIN .. COMMIT (READ COMMITTED); roll back on any error.

        Raises ``DatabaseUnavailableError`` when no connection can be had, it breaks on the way, or
        Postgres cannot do it now (a lock, a time limit, a full disk); ``DatabaseRefusedError`` when
        it will say no again.
        """
        with self._borrowed() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a connection that only reads, all of it at one moment; raises as ``transaction``.

        Between two statements of it nothing has changed, so their counts belong together.
        """
        with self.transaction() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield connection

    @contextmanager
    def autocommit(self, search_path: str) -> Iterator[Connection]:
        """Yield a connection of the same pool that commits each statement, on another schema.

        For a library that brings its own statements; raises as ``transaction`` does.
        """
        with self._borrowed() as connection:
            connection.set_autocommit(True)
            ours = connection.execute("SHOW search_path").fetchone()
            connection.execute(_SET_PATH, (search_path,))
            try:
                yield connection
            finally:
                if not connection.closed:
                    connection.execute(_SET_PATH, (ours["search_path"] if ours else "",))
                    connection.set_autocommit(False)

    @contextmanager
    def _borrowed(self) -> Iterator[Connection]:
        with in_our_words():
            self._pool.open()
            with self._pool.connection() as connection:
                yield connection
                _used[connection] = time.monotonic()

    def close(self) -> None:
        """Give every connection back to the server."""
        self._pool.close()


def _check(connection: Connection) -> None:
    """Ask the server whether a connection lives that nobody used for a moment: a work order borrows
    one 60 times, and a question before each is 6 % of its time. One that broke a moment ago fails
    like one that breaks in use: as ``DatabaseUnavailableError``.
    """
    if time.monotonic() - _used.get(connection, 0.0) > _FRESH_SECONDS:
        ConnectionPool.check_connection(connection)


def table_exists(connection: Connection, table: str) -> bool:
    """Whether ``schema.table`` is there: other programs' tables may not be."""
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL AS found", (table,)).fetchone()
    return bool(row and row["found"])
