"""What every level shares: one embedded Postgres for the session, a fresh database per test."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from swarm.store import embedded
from swarm.store.database import Database
from swarm.store.migrate import migrate

os.environ["LANGSMITH_TRACING"] = "false"
os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"


@pytest.fixture(scope="session")
def postgres_directory() -> Iterator[Path]:
    """Data directory of the session's server; removed at the end."""
    data = Path(tempfile.mkdtemp(prefix="swarm-pg-"))
    yield data
    shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(postgres_directory: Path) -> Iterator[str]:
    """URL of a real server, started once; holds a migrated database named ``template_swarm``."""
    url = embedded.start(postgres_directory)
    _trade_durability_for_speed(url)
    template = embedded.create_database(url, "template_swarm")
    migrate(template)
    yield url
    embedded.stop(postgres_directory)


def _trade_durability_for_speed(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            connection.execute(f"ALTER SYSTEM SET {setting}".encode())
        connection.execute("SELECT pg_reload_conf()")


@pytest.fixture
def database_url(postgres_server: str) -> Iterator[str]:
    """URL of a fresh, migrated database of this test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield embedded.create_database(postgres_server, name, template="template_swarm")
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Our pool on the test's own database."""
    database = Database(database_url)
    yield database
    database.close()
