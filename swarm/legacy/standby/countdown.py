"""Hot standby: how long today's path stays ready after a cutover, and when it may be taken down.

Fourteen days from the cutover, each day after it proven (``proof``), nothing of legacy's
left in flight. A rollback ends the count; the next cutover begins it anew. Days are UTC. Rules are
pure and return their reasons. Source: cutover protocol, section 7.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from pydantic import AwareDatetime

from swarm.errors import RefusedError
from swarm.models import Noun
from swarm.publishing.control import control_alone
from swarm.publishing.switch.commands import require_actor
from swarm.store.database import Connection, Database

HOT_DAYS = 14

_EXPECTED = """
SELECT c.active = 'legacy'
       OR (SELECT max(epoch) FROM publisher_history WHERE active = 'legacy')
          > coalesce((SELECT max(epoch) FROM legacy_decommission), -1) AS expected
  FROM publisher_control c WHERE c.id = 1
"""

# The reign of the swarm that lasts until now, if legacy was in office before.
_STANDBY = """
SELECT c.active, c.epoch,
       (SELECT min(h.at) FROM publisher_history h
         WHERE h.active = 'swarm'
           AND h.epoch > (SELECT max(epoch) FROM publisher_history WHERE active <> 'swarm')
           AND EXISTS (SELECT 1 FROM publisher_history WHERE active = 'legacy')) AS cutover_at,
       (SELECT coalesce(array_agg(DISTINCT day ORDER BY day), '{}')
          FROM legacy_proof WHERE holds) AS proven,
       (SELECT count(*) FROM publication_ledger
         WHERE publisher = 'legacy' AND state NOT IN ('CONFIRMED', 'HELD', 'DEAD')) AS unresolved,
       EXISTS (SELECT 1 FROM publisher_lease WHERE released_at IS NULL) AS lease_held
  FROM publisher_control c WHERE c.id = 1
"""

_DECOMMISSION = """
INSERT INTO legacy_decommission (epoch, at, actor, reason)
VALUES (%(epoch)s, %(at)s, %(actor)s, %(reason)s) ON CONFLICT (epoch) DO NOTHING
"""


class Standby(Noun):
    """What decides whether legacy may be taken down. ``cutover_at`` None: there was no cutover."""

    active: str
    epoch: int
    cutover_at: AwareDatetime | None
    proven: tuple[date, ...]
    unresolved: int
    lease_held: bool


def expected(connection: Connection) -> bool:
    """Whether today's path must be running: in office, or standing by."""
    row = connection.execute(_EXPECTED).fetchone()
    return bool(row and row["expected"])


def standby(connection: Connection) -> Standby:
    """Read what decides."""
    return Standby.model_validate(connection.execute(_STANDBY).fetchone())


def refusals(now: datetime, state: Standby) -> tuple[str, ...]:
    """Return every reason against taking legacy down; empty means it may be."""
    return tuple(_refusals(now, state))


def decommission(
    database: Database, *, actor: str, reason: str, now: datetime, dry_run: bool = False
) -> Standby:
    """Note that legacy need not run any more; a later rollback voids it.

    Raises ``RefusedError`` naming every reason against it; nothing has changed then.
    """
    require_actor(actor, reason)
    with database.transaction() as connection:
        control_alone(connection)  # no rollback slips in between
        state = standby(connection)
        if reasons := refusals(now, state):
            raise RefusedError(
                "legacy may not be taken down: " + "; ".join(reasons),
                hint="`swarm legacy show` lists the days that are proven",
            )
        if not dry_run:
            columns = {"epoch": state.epoch, "at": now, "actor": actor, "reason": reason}
            connection.execute(_DECOMMISSION, columns)
    return state


def missing_days(now: datetime, cutover_at: datetime, proven: tuple[date, ...]) -> list[date]:
    """Return the days without a proof, from the day after the cutover to today."""
    first, today = utc_day(cutover_at) + timedelta(days=1), utc_day(now)
    days = (first + timedelta(days=n) for n in range((today - first).days + 1))
    return [day for day in days if day not in proven]


def utc_day(moment: datetime) -> date:
    """Return the calendar day of a moment, UTC."""
    return moment.astimezone(UTC).date()


def _refusals(now: datetime, state: Standby) -> Iterator[str]:
    if state.active != "swarm":
        yield f"the publisher is {state.active}, not swarm"
    if state.cutover_at is None:
        yield "there was no cutover from legacy"
    else:
        yield from _too_early(now, state.cutover_at, state.proven)
    if state.unresolved:
        yield f"{state.unresolved} publications of legacy are not resolved"
    if state.lease_held:
        yield "legacy has not given back its lease"


def _too_early(now: datetime, cutover_at: datetime, proven: tuple[date, ...]) -> Iterator[str]:
    hot_until = cutover_at + timedelta(days=HOT_DAYS)
    if now < hot_until:
        yield f"day {HOT_DAYS} after the cutover is {hot_until:%Y-%m-%d %H:%M} UTC"
    if missing := missing_days(now, cutover_at, proven):
        yield "no proof that legacy could take over on " + ", ".join(map(str, missing))
