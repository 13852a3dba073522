"""The door to Postgres: one pool, visible transactions, plain SQL.

What lives here: connecting, and turning a lost connection into ``DatabaseUnavailableError``.
What does not: any statement about our tables (each room keeps its own), Dagster's own storage.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from swarm.errors import DatabaseUnavailableError

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

        Raises ``DatabaseUnavailableError`` when no connection can be had or it breaks on the way.
        """
        self._pool.open()
        try:
            with self._pool.connection() as connection:
                yield connection
        except PoolTimeout as error:
            raise _unavailable() from error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if isinstance(error, psycopg.errors.QueryCanceled | psycopg.errors.LockNotAvailable):
                raise
            raise _unavailable() from error

    def close(self) -> None:
        """Give every connection back to the server."""
        self._pool.close()


def table_exists(connection: Connection, table: str) -> bool:
    """Whether ``schema.table`` is there: other programs' tables may not be."""
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL AS found", (table,)).fetchone()
    return bool(row and row["found"])


def _unavailable() -> DatabaseUnavailableError:
    return DatabaseUnavailableError(
        "Postgres cannot be reached", hint="check DATABASE_URL and that the server is up"
    )
