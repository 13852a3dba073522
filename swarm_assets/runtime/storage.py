"""Dagster's Postgres storage with one small connection pool per process.

Stock dagster-postgres opens a new connection for every storage call (413 in an eleven-asset run,
2.2 s instead of 0.5 s). Here run, event and schedule storage share one engine. What event log and
run storage do differently is in ``event_log`` and ``run_storage``; our own tables do not live here
at all: see ``swarm.store``.
"""

import os
import threading
from typing import TYPE_CHECKING, Self, TypedDict

from dagster._core.storage.config import PostgresStorageConfig
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import (
    create_pg_engine,
    get_token_provider_from_config,
    pg_url_from_config,
)
from sqlalchemy.engine import Engine, make_url

from swarm_assets.runtime import alembic_paths
from swarm_assets.runtime.broken_connections import replace_broken
from swarm_assets.runtime.event_log import LeanEventLog
from swarm_assets.runtime.run_storage import LeanRunStorage

if TYPE_CHECKING:
    from dagster_postgres.auth import PgTokenProvider

# A run commits about 150 times for the screen's sake. Should the database server itself crash, the
# last half second of that may be missing; what must not be lost is in our tables, which do wait.
_NO_WAIT = "-c synchronous_commit=off"

_REQUIRED_DRIVER = "postgresql+psycopg2://"

alembic_paths.install()  # whoever loads this storage creates, stamps or checks its tables


class PooledPostgresStorage(DagsterPostgresStorage):
    """``DagsterPostgresStorage`` whose three storages hold one pool.

    ``postgres_url`` must name psycopg2: with the bare scheme SQLAlchemy 2.1 picks psycopg 3, under
    which every run dies at its first event (``NOTIFY`` with a bound parameter is a syntax error).
    """

    def __init__(
        self,
        postgres_url: str,
        should_autocreate_tables: bool = True,  # noqa: FBT001, FBT002 - Dagster's own signature
        inst_data: ConfigurableClassData | None = None,
        token_provider: "PgTokenProvider | None" = None,
    ) -> None:
        if not postgres_url.startswith(_REQUIRED_DRIVER):
            raise ValueError(f"DAGSTER_POSTGRES_URL must start with {_REQUIRED_DRIVER}")
        # Once a process is enough to look whether the tables are there.
        autocreate = should_autocreate_tables and postgres_url not in _engines
        super().__init__(postgres_url, autocreate, inst_data, token_provider)
        self._run_storage = LeanRunStorage(
            postgres_url, should_autocreate_tables=False, token_provider=token_provider
        )
        self._event_log_storage = LeanEventLog(
            postgres_url, should_autocreate_tables=False, token_provider=token_provider
        )
        self.engine = _engine(postgres_url, token_provider)
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = self.engine  # noqa: SLF001 - Dagster offers no other way in

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData | None, config_value: PostgresStorageConfig
    ) -> Self:
        """Build from ``dagster.yaml``; every key that the stock class honours is honoured here."""
        return cls(
            inst_data=inst_data,
            postgres_url=pg_url_from_config(config_value),
            should_autocreate_tables=bool(config_value.get("should_autocreate_tables", True)),
            token_provider=get_token_provider_from_config(config_value),
        )


# One a process and URL: the code server makes an instance, and with it a storage, for every
# evaluation of a sensor; an engine each left a connection behind each time.
_engines: dict[str, Engine] = {}
_making = threading.Lock()


def _engine(postgres_url: str, token_provider: "PgTokenProvider | None") -> Engine:
    with _making:
        if postgres_url not in _engines:
            engine = create_pg_engine(
                postgres_url,
                token_provider,
                isolation_level="AUTOCOMMIT",
                **_pool_of_process,
                pool_recycle=3600,
                connect_args={"options": _session_options(postgres_url)},
            )
            replace_broken(engine)
            _engines[postgres_url] = engine
        return _engines[postgres_url]


class _Pool(TypedDict):
    pool_size: int
    max_overflow: int


_pool_of_process: _Pool = {"pool_size": 2, "max_overflow": 20}


def hold_one_connection() -> None:
    """Let this process keep one connection to Dagster's tables: run workers, of which many may be.

    One more while a call of Dagster's makes another on the way (a look for a table, once each).
    """
    _pool_of_process.update({"pool_size": 1, "max_overflow": 1})


def give_back_connections() -> None:
    """Close what no call holds at this moment; the next call connects anew."""
    for engine in list(_engines.values()):
        engine.dispose()


def _start_afresh() -> None:
    """Leave the parent's connections alone: shared over a fork, they would mix answers."""
    for engine in _engines.values():
        engine.dispose(close=False)
    _engines.clear()


os.register_at_fork(after_in_child=_start_afresh)


def _session_options(postgres_url: str) -> str:
    given = make_url(postgres_url).query.get("options", "")
    return f"{given if isinstance(given, str) else ' '.join(given)} {_NO_WAIT}".strip()
