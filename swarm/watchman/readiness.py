"""Is this installation ready to work? Each thing that must be so, by name, with why when it is not.

For a load balancer or an orchestrator that asks ``/readyz``. Reads only, each statement within two
seconds. What lives elsewhere: whether this process lives (``endpoint``), what wakes somebody
(``swarm.store.alerts``), the same for a person in front of the machine (``swarm doctor``).
"""

from collections.abc import Iterator
from typing import Final

from swarm.errors import DatabaseError
from swarm.observe.health import DAEMON, HealthCheck
from swarm.store.database import Connection, Database, table_exists
from swarm.store.migrate import not_among

INTAKE_FRESH: Final = 120.0
"""Seconds. It ticks every one to five; a tick that reads a full share takes some."""
WORKER_FRESH: Final = 60.0
"""Seconds, as the cutover counts it; a worker beats every ten."""

_STATEMENT = "SET LOCAL statement_timeout = 2000"

_APPLIED = "SELECT name FROM schema_migrations"

_DAEMON = """
SELECT extract(epoch FROM clock_timestamp() AT TIME ZONE 'UTC' - max(timestamp))::float AS age
  FROM public.daemon_heartbeats WHERE daemon_type = 'SENSOR'
"""

_INTAKE = """
SELECT extract(epoch FROM clock_timestamp())
       - max((instigator_body::jsonb->'job_specific_data'->>'last_tick_timestamp')::float) AS age
  FROM public.instigators
 WHERE instigator_type = 'SENSOR' AND instigator_body::jsonb->'origin'->>'job_name' = 'intake'
"""

_WORKER = """
SELECT extract(epoch FROM clock_timestamp() - max(at))::float AS age
  FROM engine_heartbeats WHERE role = 'workers'
"""

_NOT_ASKED = "not asked: the database does not answer"


def checks(database: Database) -> tuple[HealthCheck, ...]:
    """Ask everything; the database first, without which nothing else can be asked."""
    try:
        with database.transaction() as connection:
            connection.execute(_STATEMENT)
            return (HealthCheck(name="database", ok=True), *_asked(connection))
    except DatabaseError as error:
        return unanswered(error.message)


def unanswered(why: str) -> tuple[HealthCheck, ...]:
    """Return what is said when the database does not answer."""
    rest = ("migrations", "dagster_daemon", "intake", "worker")
    return (
        HealthCheck(name="database", ok=False, why=why),
        *(HealthCheck(name=name, ok=False, why=_NOT_ASKED) for name in rest),
    )


def _asked(connection: Connection) -> Iterator[HealthCheck]:
    yield _migrations(connection)
    yield _fresh(connection, "dagster_daemon", _DAEMON, DAEMON, "public.daemon_heartbeats")
    yield _fresh(connection, "intake", _INTAKE, INTAKE_FRESH, "public.instigators")
    yield _fresh(connection, "worker", _WORKER, WORKER_FRESH, "swarm.engine_heartbeats")


def _migrations(connection: Connection) -> HealthCheck:
    if not table_exists(connection, "swarm.schema_migrations"):
        return HealthCheck(name="migrations", ok=False, why="the database has none of our tables")
    waiting = not_among({row["name"] for row in connection.execute(_APPLIED)})
    why = f"not applied: {', '.join(waiting)}" if waiting else ""
    return HealthCheck(name="migrations", ok=not waiting, why=why)


def _fresh(connection: Connection, name: str, sql: str, longest: float, table: str) -> HealthCheck:
    if not table_exists(connection, table):
        return HealthCheck(name=name, ok=False, why=f"there is no table {table}: it has never run")
    row = connection.execute(sql).fetchone()
    age = None if row is None else row["age"]
    if age is None:
        return HealthCheck(name=name, ok=False, why="it has never said that it lives")
    if age > longest:
        why = f"last heard of {age:.0f} s ago, more than {longest:.0f}"
        return HealthCheck(name=name, ok=False, why=why)
    return HealthCheck(name=name, ok=True)
