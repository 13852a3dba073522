"""A server that believed everybody, with everything owned by its superuser, is parted in place."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from parted_roles import Parted

from swarm.installation.logins import passwords
from swarm.observe.audit import schema
from swarm.store import embedded, role_setup
from swarm.store.migrate import lay_down_rights, migrate
from swarm.store.roles import Role, url_as
from swarm.store.writers import foreign_writers

pytestmark = pytest.mark.integration

KEY = "wo_" + "b" * 24
OF_WRITERS = ("0055_writers.sql", "0064_the_desk_is_a_service.sql")


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="swarm-before-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def as_it_was(data: Path) -> None:
    """The code before: `initdb`'s trust, one superuser who owns all, no writers."""
    url = embedded.start(data)
    migrate(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET search_path = swarm")
        connection.execute(
            "INSERT INTO work_orders (key, original_id, body) VALUES (%s, 'x', '{}')", (KEY,)
        )
        connection.execute("CREATE TABLE public.event_logs (id serial PRIMARY KEY, event text)")
        connection.execute("INSERT INTO public.event_logs (event) VALUES ('one')")
        _forget_the_writers(connection)
    embedded.stop(data)


def _forget_the_writers(connection: psycopg.Connection) -> None:
    """Take migrations 0055 and 0064 back: each table as it was before."""
    named = (
        "SELECT relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " WHERE attname = 'writer' AND relkind = 'r' AND relnamespace = 'swarm'::regnamespace"
    )
    connection.execute("DROP TABLE foreign_writes, service_writers")
    connection.execute("DROP FUNCTION stamp_writer, note_foreign_write CASCADE")
    for (table,) in connection.execute(named).fetchall():
        connection.execute(f"ALTER TABLE {table} DROP COLUMN writer")
    connection.execute("DELETE FROM schema_migrations WHERE name = ANY(%s)", (list(OF_WRITERS),))


def test_it_keeps_its_data_and_parts_its_roles(folder: Path) -> None:
    data, file = folder / "postgres", folder / "logins"
    as_it_was(data)
    try:
        url = embedded.start(data, logins=passwords(file))
        assert migrate(url) == OF_WRITERS
        lay_down_rights(url)
        parted = Parted(data, file, url)
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(url_as(url, embedded.SUPERUSER, "")).close()
        with parted.connect(Role.WORKER) as worker:
            assert role_setup.problems(worker) == ()
            row = worker.execute("SELECT key, writer FROM work_orders").fetchone()
            assert row == {"key": KEY, "writer": "before"}
            worker.execute("UPDATE work_orders SET tier = 2")
            assert worker.execute("SELECT writer FROM work_orders").fetchone() == {
                "writer": "swarm_worker"
            }
            worker.execute("INSERT INTO public.event_logs (event) VALUES ('two')")
            assert worker.execute("SELECT count(*) AS n FROM public.event_logs").fetchone() == {
                "n": 2
            }
        with parted.connect(Role.KEEPER) as keeper:
            assert foreign_writers(keeper, None) == ()
            assert list(schema.check(keeper, None)) == []
        embedded.stop(data)
        assert embedded.start(data, logins=passwords(file)) == url, "a second start finds it done"
    finally:
        embedded.stop(data)
