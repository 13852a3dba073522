"""The door to Postgres: one pool, visible transactions, plain SQL.

What lives here: connecting, and that nothing but our error tree leaves a transaction. What does
not: which SQLSTATE is which error (``database_errors``), any statement about our tables (each room
keeps its own), Dagster's own storage.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

from swarm.store.database_errors import in_our_words

Connection: TypeAlias = psycopg.Connection[DictRow]

# Rows come back as dicts; the value types are the database's business, hence Any in this one alias.
Row: TypeAlias = dict[str, Any]

_SESSION_OPTIONS = (
    "-c search_path=swarm,public -c timezone=UTC "
    "-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
)


class Database:
    """A small connection pool on our schema ``swarm``.

    ``url`` is a libpq URL (``postgresql://``), TCP or unix socket. The pool opens lazily, so that a
    program can start while Postgres is away.
    """

    def __init__(self, url: str, *, max_connections: int = 4, timeout: float = 10.0) -> None:
        self.url = url
        self._pool = ConnectionPool(
            url,
            min_size=0,
            max_size=max_connections,
            timeout=timeout,
            open=False,
            check=ConnectionPool.check_connection,
            kwargs={"row_factory": dict_row, "options": _SESSION_OPTIONS, "autocommit": False},
            connection_class=psycopg.Connection[DictRow],
        )

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection inside BEGIN .. COMMIT (READ COMMITTED); roll back on any error.

        Raises ``DatabaseUnavailableError`` when no connection can be had, it breaks on the way, or
        Postgres cannot do it now (a lock, a time limit, a full disk); ``DatabaseRefusedError`` when
        it will say no again.
        """
        with in_our_words():
            self._pool.open()
            with self._pool.connection() as connection:
                yield connection

    def close(self) -> None:
        """Give every connection back to the server."""
        self._pool.close()


def table_exists(connection: Connection, table: str) -> bool:
    """Whether ``schema.table`` is there: other programs' tables may not be."""
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL AS found", (table,)).fetchone()
    return bool(row and row["found"])
