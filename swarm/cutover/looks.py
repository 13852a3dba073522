"""Looks planned ahead: only at one of them can the gates earn a certificate.

Whoever looks until it fits proves nothing, so a look is planned before its time, cannot be moved,
and each one of an engine may spend less of the error (``statistics.alpha_of_look``). A look that
nobody came to within half an hour is over. Time is the database's.
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import AwareDatetime

from swarm.cutover import statistics
from swarm.cutover.report import Looking
from swarm.errors import RefusedError
from swarm.models import Noun
from swarm.store.database import Connection, Database

LATEST_MINUTES = 30  # as the database says it, too (``look_problem``)

_DUE = """
SELECT l.at FROM looks l
 WHERE l.at <= clock_timestamp()
   AND l.at > clock_timestamp() - make_interval(mins => %s)
   AND NOT EXISTS (SELECT 1 FROM readiness_reports r WHERE r.look = l.at)
 ORDER BY l.at LIMIT 1
"""

_ALL = """
SELECT l.at, l.planned_at, l.actor, r.id AS report_id, r.engine,
       l.at <= clock_timestamp() - make_interval(mins => %s) AND r.id IS NULL AS missed
  FROM looks l LEFT JOIN readiness_reports r ON r.look = l.at
 ORDER BY l.at DESC LIMIT 100
"""

_PLAN = """
INSERT INTO looks (at, actor) SELECT %(at)s::timestamptz, %(actor)s
 WHERE %(at)s::timestamptz > clock_timestamp()
ON CONFLICT (at) DO NOTHING RETURNING at
"""

_BEFORE = """
SELECT count(*) AS n FROM readiness_reports WHERE engine = %s AND look IS NOT NULL
"""


class Look(Noun):
    """A planned look and what became of it."""

    at: AwareDatetime
    planned_at: AwareDatetime
    actor: str
    report_id: int | None
    engine: str | None
    missed: bool


def plan(database: Database, times: Sequence[datetime], *, actor: str) -> tuple[Look, ...]:
    """Plan looks; returns all there are. Raises ``RefusedError``: all or none are planned."""
    if not actor.strip():
        raise RefusedError("a look must say who plans it", hint="give --actor")
    with database.transaction() as connection:
        for at in times:
            if connection.execute(_PLAN, {"at": at, "actor": actor}).fetchone() is None:
                raise RefusedError(
                    f"{at.isoformat()} is past already, or planned",
                    hint="a look is planned ahead: who looks until it fits proves nothing",
                )
        return planned(connection)


def planned(connection: Connection) -> tuple[Look, ...]:
    """Return the looks, the latest first."""
    return tuple(Look.model_validate(r) for r in connection.execute(_ALL, (LATEST_MINUTES,)))


def due(connection: Connection) -> datetime | None:
    """Return the planned look whose time has come and that nobody took yet."""
    row = connection.execute(_DUE, (LATEST_MINUTES,)).fetchone()
    return None if row is None else row["at"]


def looking(connection: Connection, engine: str, look: datetime | None) -> Looking:
    """Return which look of this engine this is, or would be, and what it may spend."""
    row = connection.execute(_BEFORE, (engine,)).fetchone() or {"n": 0}
    number = int(row["n"]) + 1
    return Looking(look=look, number=number, alpha=statistics.alpha_of_look(number))
