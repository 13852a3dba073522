"""The nightly drill of the way back: a dry run of the rollback, kept with what it would have moved.

It holds when the dry run answers, and today's path was proven able to take over within a day where
that proof is asked for. Changes nothing but its own record. What lives elsewhere: the daily proof
of legacy (``swarm.legacy.standby``), the rollback (``switch.commands``).
"""

from datetime import date
from typing import Final

from psycopg.types.json import Jsonb
from pydantic import AwareDatetime

from swarm.errors import DatabaseError
from swarm.legacy.standby.countdown import expected
from swarm.models import Noun
from swarm.publishing.switch import commands
from swarm.store.alerts import raise_alert, resolve
from swarm.store.database import Connection, Database

FAILED: Final = "cutover.drill"
_SUBJECT: Final = "rollback"

_DONE = """
SELECT EXISTS (SELECT 1 FROM rollback_drills
                WHERE day = (clock_timestamp() AT TIME ZONE 'UTC')::date) AS done
"""

_PROVEN = """
SELECT EXISTS (SELECT 1 FROM legacy_proof WHERE holds
                AND at > clock_timestamp() - interval '25 hours') AS found
"""

_INSERT = """
INSERT INTO rollback_drills (day, holds, reasons, body)
VALUES ((clock_timestamp() AT TIME ZONE 'UTC')::date, %(holds)s, %(reasons)s, %(body)s)
RETURNING day, at
"""

_NEWEST = "SELECT day, holds, reasons, body, at FROM rollback_drills ORDER BY id DESC LIMIT 1"


class Drill(Noun):
    """One drill: whether the way back stands open, and what would go where."""

    day: date
    holds: bool
    reasons: tuple[str, ...]
    body: dict[str, int | str]
    at: AwareDatetime


def due(connection: Connection) -> bool:
    """Whether today's drill is still to be done."""
    row = connection.execute(_DONE).fetchone()
    return not (row and row["done"])


def drill(database: Database) -> Drill:
    """Do today's drill and keep it; one that does not hold is alerted until one does."""
    body, reasons = _rehearsed(database)
    with database.transaction() as connection:
        reasons += _against(connection)
        values = {"holds": not reasons, "reasons": Jsonb(reasons), "body": Jsonb(body)}
        row = connection.execute(_INSERT, values).fetchone() or {}
        if reasons:
            raise_alert(connection, FAILED, _SUBJECT, "; ".join(reasons))
        else:
            resolve(connection, FAILED, _SUBJECT)
    return Drill(holds=not reasons, reasons=tuple(reasons), body=body, **row)


def newest(connection: Connection) -> Drill | None:
    """Return the last drill."""
    row = connection.execute(_NEWEST).fetchone()
    return None if row is None else Drill.model_validate(row)


def _rehearsed(database: Database) -> tuple[dict[str, int | str], list[str]]:
    try:
        flip = commands.rollback(database, actor="drill", reason="the nightly drill", dry_run=True)
    except DatabaseError as error:
        return {}, [f"the dry run did not answer: {error.message}"]
    moved = {"ready": flip.ready, "pending_payload": flip.pending_payload}
    return {**moved, "in_flight": flip.in_flight, "from": flip.before.active.value}, []


def _against(connection: Connection) -> list[str]:
    if not expected(connection):
        return []
    row = connection.execute(_PROVEN).fetchone()
    proven = bool(row and row["found"])
    return [] if proven else ["today's path was not proven able to take over within a day"]


def sentence(done: Drill) -> str:
    """Say in one sentence what a drill showed."""
    said = "the way back is open" if done.holds else "the way back is not shown: "
    return said + "; ".join(done.reasons)
