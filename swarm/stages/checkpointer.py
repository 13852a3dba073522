"""The Postgres checkpointer of the graphs: own schema, own small pool, plain JSON only.

``swarm.store.migrate`` creates its tables (``setup()`` runs CREATE INDEX CONCURRENTLY, which waits
for every open transaction: never at worker start)."""

import atexit
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

if TYPE_CHECKING:
    from langgraph.checkpoint.postgres import PostgresSaver


@contextmanager
def postgres_checkpointer(url: str, *, max_connections: int = 2) -> "Iterator[PostgresSaver]":
    """Yield a saver on a pool of its own, closed at the end."""
    pool = _pool(url, max_connections)
    try:
        yield _saver(pool)
    finally:
        pool.close()


@lru_cache(maxsize=4)
def shared_checkpointer(url: str) -> "PostgresSaver":
    """Return this process's saver for ``url``: warm workers keep their connections between runs."""
    opened = ExitStack()
    atexit.register(opened.close)
    return opened.enter_context(postgres_checkpointer(url))


def _saver(pool: ConnectionPool[psycopg.Connection[DictRow]]) -> "PostgresSaver":
    from langgraph.checkpoint.postgres import PostgresSaver  # noqa: PLC0415 - costs a second
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer  # noqa: PLC0415

    # No module is allowed: a custom type in the state is an error, not a pickle by another name.
    return PostgresSaver(pool, serde=JsonPlusSerializer(allowed_msgpack_modules=None))


def _pool(url: str, max_connections: int) -> ConnectionPool[psycopg.Connection[DictRow]]:
    return ConnectionPool(
        url,
        min_size=0,
        max_size=max_connections,
        timeout=10.0,
        open=True,
        check=ConnectionPool.check_connection,
        connection_class=psycopg.Connection[DictRow],
        kwargs={
            "autocommit": True,
            "prepare_threshold": 0,
            "row_factory": dict_row,
            "options": "-c search_path=langgraph -c timezone=UTC -c statement_timeout=30s",
        },
    )
