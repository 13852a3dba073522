"""Migrations run up from empty, and again as a no-op."""

from pathlib import Path

import psycopg
import pytest

from swarm.errors import ConfigurationError
from swarm.store import embedded
from swarm.store.migrate import migrate, require_known

_MIGRATIONS = Path(embedded.__file__).parent / "migrations"

pytestmark = pytest.mark.integration


def test_an_empty_database_is_brought_up_and_a_second_run_changes_nothing(
    postgres_server: str,
) -> None:
    url = embedded.create_database(postgres_server, "migrate_from_empty")
    assert migrate(url) == tuple(sorted(path.name for path in _MIGRATIONS.glob("*.sql")))
    assert migrate(url) == ()


def test_an_edited_migration_is_named_and_refused(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE swarm.schema_migrations SET sha256 = 'x' WHERE name LIKE '0002%'"
        )
    with pytest.raises(ConfigurationError, match=r"0002_intake\.sql was edited"):
        migrate(database_url)


def test_a_database_that_a_newer_program_has_changed_is_refused(database_url: str) -> None:
    """A downgrade in place: the old program would not understand what the new one wrote."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO swarm.schema_migrations (name, sha256) VALUES ('9999_later.sql', 'x')"
        )
    for ask in (migrate, require_known):
        with pytest.raises(ConfigurationError, match=r"older than its database.*9999_later"):
            ask(database_url)


def test_a_tier_never_falls(database_url: str) -> None:
    """ES-02 holds in the database, whoever writes."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO swarm.work_orders (key, original_id, body, tier)"
            " VALUES (%s, 'x', '{}', 3)",
            ("wo_" + "a" * 24,),
        )
        with pytest.raises(psycopg.errors.RaiseException, match="ES-02"):
            connection.execute("UPDATE swarm.work_orders SET tier = 2")
