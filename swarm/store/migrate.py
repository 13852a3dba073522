"""Applies ``migrations/*.sql`` in order, once each, and notices when an applied file was edited.

LangGraph's checkpoint tables live in the schema ``langgraph`` and are set up here too, because
their set-up needs autocommit and must never run at worker start.
"""

import hashlib
from collections.abc import Set
from importlib import resources

import psycopg

from swarm.errors import ConfigurationError
from swarm.store import grants, mail_search

_LOCK = 7000  # one migrator at a time; 7001 is the publisher switch

_SESSION = "-c search_path=swarm,public -c swarm.migrating=on"

_MAY_MIGRATE = """
SELECT coalesce((SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'swarm'),
                has_database_privilege(current_database(), 'CREATE'))
"""

_HAS_TABLE = "SELECT to_regclass('swarm.schema_migrations') IS NOT NULL"

_BOOKKEEPING = """
CREATE SCHEMA IF NOT EXISTS swarm;
CREATE SCHEMA IF NOT EXISTS langgraph;
CREATE TABLE IF NOT EXISTS swarm.schema_migrations (
    name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
"""


def migrate(url: str) -> tuple[str, ...]:
    """Bring the database at ``url`` up to date; returns the names applied now (empty: no-op).

    Raises ``ConfigurationError`` when an already applied migration differs from its file, or when a
    newer program has been here: what it wrote this one would not understand.
    """
    with psycopg.connect(url, autocommit=True, options=_SESSION) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        connection.execute(_BOOKKEEPING)
        _require_known(connection)
        applied = tuple(n for n, sql in scripts() if _apply(connection, n, sql))
    _set_up_checkpoints(url)
    lay_down_rights(url)
    mail_search.catch_up(url)
    return applied


def lay_down_rights(url: str) -> None:
    """Give each role its rights on whatever tables there are now; again after Dagster's came."""
    with psycopg.connect(url, autocommit=True, options=_SESSION) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        with connection.transaction():
            grants.apply(connection)


def may_migrate(url: str) -> bool:
    """Whether this login may change tables; a service's may not, where the roles are parted."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(_MAY_MIGRATE).fetchone()
    return bool(row and row[0])


def pending(url: str) -> tuple[str, ...]:
    """Return the names of migrations not yet applied at ``url``; changes nothing."""
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute(_HAS_TABLE).fetchone() != (True,):
            return not_among(frozenset())
        rows = connection.execute("SELECT name FROM swarm.schema_migrations").fetchall()
    return not_among({row[0] for row in rows})


def not_among(applied: Set[str]) -> tuple[str, ...]:
    """Return the names of this program's migrations that are not among those, in order."""
    return tuple(name for name, _ in scripts() if name not in applied)


def scripts() -> list[tuple[str, str]]:
    """Return every migration in order: its name and its SQL."""
    folder = resources.files("swarm.store") / "migrations"
    files = [f for f in folder.iterdir() if f.name.endswith(".sql")]
    return [(f.name, f.read_text("utf-8")) for f in sorted(files, key=lambda f: f.name)]


def require_known(url: str) -> None:
    """Raise ``ConfigurationError`` when a newer program changed the database; changes nothing."""
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute(_HAS_TABLE).fetchone() == (True,):
            _require_known(connection)


def _require_known(connection: psycopg.Connection) -> None:
    known = {name for name, _ in scripts()}
    rows = connection.execute("SELECT name FROM swarm.schema_migrations ORDER BY name").fetchall()
    if unknown := [row[0] for row in rows if row[0] not in known]:
        raise ConfigurationError(
            f"this program is older than its database, which knows {unknown[-1]}",
            hint="start the newer version, or restore the backup from before the upgrade"
            " (docs/upgrade.md)",
        )


def checksums() -> dict[str, str]:
    """Return the hash of every migration this program knows, by its name."""
    return {name: _sha256(sql) for name, sql in scripts()}


def _sha256(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()


def _apply(connection: psycopg.Connection, name: str, sql: str) -> bool:
    sha256 = _sha256(sql)
    row = connection.execute(
        "SELECT sha256 FROM schema_migrations WHERE name = %s", (name,)
    ).fetchone()
    if row is not None:
        if row[0] != sha256:
            raise ConfigurationError(
                f"migration {name} was edited after it was applied",
                hint="restore the file and add a new migration instead",
            )
        return False
    with connection.transaction():
        connection.execute(sql.encode())
        connection.execute(
            "INSERT INTO schema_migrations (name, sha256) VALUES (%s, %s)", (name, sha256)
        )
    return True


def _set_up_checkpoints(url: str) -> None:
    """Create LangGraph's tables; without LangGraph there are no checkpoints to keep."""
    try:
        from langgraph.checkpoint.postgres import PostgresSaver  # noqa: PLC0415 - costs a second
    except ImportError:
        return
    with psycopg.connect(
        url,
        autocommit=True,
        prepare_threshold=0,
        options="-c search_path=langgraph",
        row_factory=psycopg.rows.dict_row,
    ) as connection:
        PostgresSaver(connection).setup()
