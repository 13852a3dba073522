"""Which engine each running process is, said by the process itself every few seconds.

The flip reads it, so what counts is what runs, not what the command line has installed. A process
that ends takes its row along; one that was killed falls silent, and whoever lives on its machine
removes the row. What lives elsewhere: what an engine is (``swarm.stages.engine``).
"""

from collections.abc import Iterable
from pathlib import Path

from psycopg.types.json import Jsonb
from pydantic import AwareDatetime, ValidationError

from swarm.cutover import tolerances
from swarm.models import Noun
from swarm.process_identity import Fate, ProcessIdentity, fate
from swarm.stages.engine import Engine
from swarm.store.database import Connection, Database

FRESH_SECONDS = 60  # as the database says it, too (``running_parts``)
EVERY_SECONDS = 10.0

_BEAT = """
INSERT INTO engine_heartbeats (process, role, engine, parts, tolerances_sha256, started_at, at)
VALUES (%(process)s, %(role)s, %(engine)s, %(parts)s, %(tolerances)s, clock_timestamp(),
        clock_timestamp())
ON CONFLICT (process) DO UPDATE
   SET role = excluded.role, engine = excluded.engine, parts = excluded.parts,
       tolerances_sha256 = excluded.tolerances_sha256, at = excluded.at
"""

_RUNNING = """
SELECT process, role, engine, parts, started_at, at FROM engine_heartbeats
 WHERE at > clock_timestamp() - make_interval(secs => %s) ORDER BY started_at DESC, process
"""

_NEWEST = """
SELECT process, role, engine, parts, started_at, at FROM engine_heartbeats
 ORDER BY at DESC, process LIMIT 1
"""


class LivingProcess(Noun):
    """A process that says it lives."""

    process: str
    role: str
    engine: str
    parts: Engine
    started_at: AwareDatetime
    at: AwareDatetime


class Pulse:
    """The heartbeat of one process. ``beat`` now and then; ``forget`` at its end."""

    def __init__(self, database: Database, process: str, role: str, engine: Engine, home: Path):
        self._database, self._home = database, home
        self._said = {
            "process": process,
            "role": role,
            "engine": engine.version,
            "parts": Jsonb(engine.model_dump(mode="json")),
        }

    def beat(self) -> None:
        """Say that this process lives; also removes rows of processes that ended here.

        Raises ``DatabaseError``; a beat that was missed is no harm, the next one comes.
        """
        said = self._said | {"tolerances": tolerances.fingerprint(self._home)}
        with self._database.transaction() as connection:
            connection.execute(_BEAT, said)
            _bury(connection)

    @staticmethod
    def forget(connection: Connection, process: str) -> None:
        """Take the row of a process away, as it ends."""
        _remove(connection, [process])


def running(connection: Connection) -> tuple[LivingProcess, ...]:
    """Return the processes that said so within a minute, the newest first."""
    rows = connection.execute(_RUNNING, (FRESH_SECONDS,))
    return tuple(LivingProcess.model_validate(row) for row in rows)


def last_known(connection: Connection) -> LivingProcess | None:
    """Return who beat last, however long ago."""
    row = connection.execute(_NEWEST).fetchone()
    return None if row is None else LivingProcess.model_validate(row)


def _bury(connection: Connection) -> None:
    names = [row["process"] for row in connection.execute("SELECT process FROM engine_heartbeats")]
    ended = [name for name in names if _ended(name)]
    if ended:
        _remove(connection, ended)


def _remove(connection: Connection, processes: Iterable[str]) -> None:
    connection.execute("DELETE FROM engine_heartbeats WHERE process = ANY(%s)", (list(processes),))


def _ended(name: str) -> bool:
    try:
        return fate(ProcessIdentity.model_validate_json(name)) is Fate.DEAD
    except ValidationError:
        return False  # not of our naming: nothing can be said
