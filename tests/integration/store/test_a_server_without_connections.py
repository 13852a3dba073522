"""A database server that takes no more connections: refused at the start, transient, alerted."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest

from swarm.errors import ConfigurationError, DatabaseUnavailableError
from swarm.store import alerts, embedded
from swarm.store.database import Database
from swarm.store.migrate import migrate
from swarm.up.connections import needed, require_connections

pytestmark = pytest.mark.integration

MOST = 20


@pytest.fixture(scope="module")
def small() -> Iterator[str]:
    """URL of a server of this module's own with twenty connections."""
    with tempfile.TemporaryDirectory(prefix="swarm-pg-", ignore_cleanup_errors=True) as folder:
        data = Path(folder) / "data"
        embedded.start(data)
        embedded.stop(data)
        url = embedded.start(data, max_connections=MOST + 5)
        embedded.stop(data)
        url = embedded.start(data, max_connections=MOST)  # the newest word counts
        migrate(url)
        yield url
        embedded.stop(data)


def taken(url: str, stack: ExitStack) -> int:
    """Take every connection there is."""
    plain = url.replace("postgres@", "ordinary@")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS ordinary")
        connection.execute("CREATE ROLE ordinary LOGIN")
    for count in range(100):
        try:
            stack.enter_context(closing(psycopg.connect(plain)))
        except psycopg.OperationalError:
            return count
    raise AssertionError("the server has no limit")


def test_the_embedded_server_has_the_connections_it_was_sized_to(small: str) -> None:
    with psycopg.connect(small) as connection:
        assert connection.execute("SHOW max_connections").fetchone() == (str(MOST),)


def test_more_workers_than_the_server_carries_are_refused_with_the_sum(small: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        require_connections(small, 16)
    assert str(needed(16)) in refused.value.message
    assert "--workers 16" in refused.value.message
    assert str(MOST - 3) in refused.value.message  # three are the superuser's


def test_a_server_with_room_takes_them(postgres_server: str) -> None:
    require_connections(postgres_server, 16)


@pytest.mark.fault("T25")
def test_a_full_server_is_a_transient_failure_and_the_next_try_works(small: str) -> None:
    database = Database(small.replace("postgres@", "ordinary@"), timeout=2.0)
    with ExitStack() as stack:
        taken(small, stack)
        with pytest.raises(DatabaseUnavailableError), database.transaction():
            pass
    with database.transaction() as connection:
        assert connection.execute("SELECT 1 AS one").fetchone() == {"one": 1}
    database.close()


@pytest.mark.fault("T25")
def test_a_nearly_full_server_is_alerted_once_and_the_alert_ends_with_the_trouble(
    small: str,
) -> None:
    database = Database(small)
    with database.transaction() as connection:  # kept open in the pool, as the sensors' is
        assert not alerts.watch_connections(connection)
    with ExitStack() as stack:
        taken(small, stack)
        with database.transaction() as connection:
            assert alerts.watch_connections(connection)
            assert alerts.watch_connections(connection)
            (alert,) = alerts.open_alerts(connection)
            assert alert.kind == alerts.CONNECTIONS
            assert f"of {MOST - 3} connections" in alert.detail
    while True:
        with database.transaction() as connection:
            alerts.watch_connections(connection)
            if not alerts.open_alerts(connection):
                break
    database.close()
