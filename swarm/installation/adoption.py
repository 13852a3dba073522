"""``swarm up --adopt``: a home moves to other services on purpose.

What was begun in the old world is closed, for it cannot be finished in the new one: its mails are
in another mailbox. The files of the old world are put aside, publishing goes to today's path, and
the database counts a new world, whose claims see nothing of the old one. All that is done in the
database is one transaction under the switch lock; repeating it after a crash is harmless. Never
from real services to doubles: real customers would wait for drafts in a sandbox.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from swarm.errors import RefusedError
from swarm.installation.home import Home
from swarm.installation.membership import (
    OTHER_DATABASE,
    OTHER_SECRET,
    database_differences,
    home_differences,
)
from swarm.models import Noun, WorkOrderState
from swarm.publishing.control import PublisherName, control_alone
from swarm.publishing.dispatch.settling import settle_work_order
from swarm.publishing.ledger import endings
from swarm.publishing.ledger.states import LedgerState
from swarm.publishing.switch import lease
from swarm.publishing.switch.commands import flip
from swarm.settings import Settings
from swarm.store import home_world, reply_outcomes, transitions, world_rows
from swarm.store.alerts import acknowledge_escalation
from swarm.store.database import Connection, Database
from swarm.store.postgres_events import lock_with_job
from swarm.store.postgres_transitions import finish_run, move, save_job
from swarm.store.world import Change, Kind, Places, Service, places, sentence

_OPEN_PUBLICATIONS = """
SELECT work_order_key, fence, state FROM publication_ledger
 WHERE state IN ('PENDING_PAYLOAD', 'READY', 'SENDING', 'ACCEPTED', 'UNKNOWN')
 ORDER BY work_order_key
"""

_OPEN_WORK_ORDERS = """
SELECT key FROM work_orders WHERE state IN ('accepted', 'running') ORDER BY key
"""

_OPEN_ESCALATIONS = "SELECT work_order_key FROM escalations WHERE acknowledged_at IS NULL"

_RESOLVE_ALERTS = """
UPDATE alerts SET resolved_at = now()
 WHERE resolved_at IS NULL AND subject IN (SELECT key FROM work_orders)
"""

_CLOSE_STREAMS = "UPDATE intake_offset SET closed_at = now() WHERE closed_at IS NULL"

_NEW_WORLD = "UPDATE installation SET world = world + 1, changed_at = now() WHERE id = 1"

_NEW_HOME = "UPDATE installation SET home_id = %s, changed_at = now() WHERE id = 1"

_PUT_ASIDE = ("intake", "legacy", "sandbox", "broker")


class Adopted(Noun):
    """What an adoption did."""

    publisher: PublisherName
    closed: int
    differences: tuple[str, ...]
    put_aside: str

    def __str__(self) -> str:
        """Say it in one sentence."""
        files = f", files of the old world are in {self.put_aside}" if self.put_aside else ""
        return (
            f"adopted ({'; '.join(self.differences)}): {self.closed} open work orders closed,"
            f" publisher {self.publisher}{files}"
        )


def adopt(home: Home, settings: Settings, database: Database, *, actor: str) -> Adopted | None:
    """Move this home to the services of ``settings``; None when nothing differs.

    Raises ``RefusedError`` when that would take real work into the sandbox, or when the secret
    differs: under other keys every mail would be a new work order.
    """
    with database.transaction() as connection:
        found = _differences(connection, home, settings)
    if not found:
        return None
    _require_adoptable(found)
    closes = OTHER_DATABASE in found or any(c.closes for c in found if isinstance(c, Change))
    aside = _put_aside(home) if closes else ""
    with database.transaction() as connection:
        control_alone(connection)
        closed = _close_all(connection, f"closed by {actor}: {sentence(found)}") if closes else 0
        publisher = _appoint(connection, places(settings), actor, sentence(found))
        _move(connection, home, found, actor)
    return Adopted(
        publisher=publisher,
        closed=closed,
        differences=tuple(str(each) for each in found),
        put_aside=aside,
    )


def _differences(
    connection: Connection, home: Home, settings: Settings
) -> tuple[Change | str, ...]:
    of_database = tuple(database_differences(connection, home, settings))
    told = {str(each) for each in of_database}
    of_home = home_differences(home, settings)
    return (*of_database, *(change for change in of_home if str(change) not in told))


def _require_adoptable(found: Sequence[Change | str]) -> None:
    if OTHER_SECRET in found:
        raise RefusedError(
            f"not to be adopted: {OTHER_SECRET}",
            hint="set SWARM_KEY_SECRET to the old one (the file key_secret of the old home)",
        )
    into_the_sandbox = [c for c in found if isinstance(c, Change) and c.into_the_sandbox]
    if into_the_sandbox:
        raise RefusedError(
            f"not to be adopted: {sentence(into_the_sandbox)}; real work would end in a sandbox",
            hint="set the services' variables again, or start the sandbox in a SWARM_HOME of its"
            " own (`swarm home new DIR`)",
        )


def _close_all(connection: Connection, why: str) -> int:
    """Hold every open publication and work order, and take what waited for a person off the list.

    Whoever still works on one is fenced off.
    """
    closed = sum(_hold_publication(connection, *row, why) for row in _publications(connection))
    keys = [row["key"] for row in connection.execute(_OPEN_WORK_ORDERS).fetchall()]
    closed += sum(_hold_work_order(connection, key, why) for key in keys)
    for row in connection.execute(_OPEN_ESCALATIONS).fetchall():
        acknowledge_escalation(connection, row["work_order_key"], why)
    connection.execute(_RESOLVE_ALERTS)
    connection.execute(_CLOSE_STREAMS)
    reply_outcomes.stop_looking(connection, "its mailbox was left before anybody had acted")
    connection.execute(_NEW_WORLD)
    return closed


def _publications(connection: Connection) -> list[tuple[str, int, LedgerState]]:
    rows = connection.execute(_OPEN_PUBLICATIONS).fetchall()
    return [(row["work_order_key"], row["fence"], LedgerState(row["state"])) for row in rows]


def _hold_publication(
    connection: Connection, key: str, fence: int, state: LedgerState, why: str
) -> bool:
    return endings.hold(connection, key, fence, why, settle_work_order, states=[state], alert=False)


def _hold_work_order(connection: Connection, key: str, why: str) -> bool:
    found = lock_with_job(connection, key)
    if found is None:
        return False
    locked, job = found
    move(connection, locked, WorkOrderState.HELD, why, actor="adoption")
    save_job(connection, transitions.set_aside(job, why))
    finish_run(connection, job.run_id, "fenced")
    return True


def _appoint(connection: Connection, here: Places, actor: str, why: str) -> PublisherName:
    """Today's path publishes to a real hook until a cutover; to a double the swarm may."""
    held = lease.unreleased(connection)
    if held is not None:
        lease.release(connection, held.holder)
    real = here[Service.HOOK].kind is Kind.REAL
    to = PublisherName.LEGACY if real else PublisherName.SWARM
    return flip(connection, to, actor=actor, reason=f"adopted: {why}").after.active


def _move(connection: Connection, home: Home, found: Sequence[Change | str], actor: str) -> None:
    world = home_world.read_or_new(home.root)
    connection.execute(_NEW_HOME, (world.home_id,))
    world_rows.move(connection, (c for c in found if isinstance(c, Change)), actor=actor)
    for each in found:
        if isinstance(each, str):
            world_rows.note(connection, each, actor=actor)
    home_world.write(home.root, world.model_copy(update={"database_id": None, "places": ()}))


def _put_aside(home: Home) -> str:
    """Move the old world's files away: its mails must not be read again as if they were new."""
    present = [name for name in _PUT_ASIDE if (home.root / name).exists()]
    if not present:
        return ""
    aside = Path(home.root, f"before-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}")
    aside.mkdir(mode=0o700)
    for name in present:
        (home.root / name).rename(aside / name)
    home.prepare()
    return aside.name
