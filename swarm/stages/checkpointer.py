"""The Postgres checkpointer of the graphs: own schema, plain JSON only.

``swarm.store.migrate`` creates its tables (``setup()`` runs CREATE INDEX CONCURRENTLY, which waits
for every open transaction: never at worker start)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg.rows import DictRow
from psycopg_pool import ConnectionPool

from swarm.store.database import Database

if TYPE_CHECKING:
    from langgraph.checkpoint.postgres import PostgresSaver

_SCHEMA = "langgraph"


@contextmanager
def postgres_checkpointer(url: str, *, max_connections: int = 2) -> "Iterator[PostgresSaver]":
    """Yield a saver on connections of its own, closed at the end."""
    database = Database(url, max_connections=max_connections)
    try:
        yield borrowing_checkpointer(database)
    finally:
        database.close()


def borrowing_checkpointer(database: Database) -> "PostgresSaver":
    """Return a saver on the connections of ``database``: it keeps none of its own between runs."""
    return _saver(_Borrowed(database))


class _Borrowed(ConnectionPool[psycopg.Connection[DictRow]]):
    """A pool to LangGraph, which takes no other door; it never opens a connection itself."""

    def __init__(self, database: Database) -> None:  # no pool of its own: super() is not called
        self._database = database

    @contextmanager
    def connection(self, timeout: float | None = None) -> Iterator[psycopg.Connection[DictRow]]:
        """Lend a connection for one statement or one batch of them."""
        _ = timeout  # the database's own
        with self._database.autocommit(_SCHEMA) as connection:
            yield connection


def _saver(pool: ConnectionPool[psycopg.Connection[DictRow]]) -> "PostgresSaver":
    from langgraph.checkpoint.postgres import PostgresSaver  # noqa: PLC0415 - costs a second
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer  # noqa: PLC0415

    # No module is allowed: a custom type in the state is an error, not a pickle by another name.
    return PostgresSaver(pool, serde=JsonPlusSerializer(allowed_msgpack_modules=None))
