"""The reaper of claims: SENDING that nobody recorded, once its owner provably sends no more.

Age alone proves nothing: a paused program may resume and post (model variants A and B). So an
owner on this machine is ended and its exit awaited, or known dead, before its claim becomes
UNKNOWN; the kernel may still flush queued bytes, hence the settling time after that. An owner
elsewhere cannot be proven dead: HELD, alerted, never sent again. Never: SENDING -> READY by age.
Source: publishing protocol, section 4. What lives elsewhere: ``swarm_jobs``' reaper
(``swarm.store.queue``).
"""

from collections.abc import Callable
from dataclasses import dataclass

from swarm.process_identity import Fate, ProcessIdentity, end, fate
from swarm.publishing.dispatch.deps import PublishingDeps
from swarm.publishing.ledger import endings
from swarm.publishing.ledger.states import LedgerState
from swarm.publishing.ledger.transitions import record_unknown
from swarm.store.alerts import raise_alert
from swarm.store.database import Row

_OVERDUE = """
SELECT work_order_key, fence, owner_host, owner_boot_id, owner_pid, owner_starttime
  FROM publication_ledger
 WHERE state = 'SENDING' AND intent_at < clock_timestamp() - make_interval(secs => %s)
 ORDER BY intent_at LIMIT 100
"""


@dataclass(frozen=True, slots=True)
class OverdueClaim:
    """A claim nobody recorded in time, and who holds it."""

    work_order_key: str
    fence: int
    owner: ProcessIdentity


@dataclass(frozen=True, slots=True)
class Reaped:
    """How many overdue claims became unknown, were held, or had to be left alone."""

    unknown: int = 0
    held: int = 0
    left: int = 0


def reap(deps: PublishingDeps, *, kill: Callable[[ProcessIdentity], bool] = end) -> Reaped:
    """Resolve overdue claims; two reapers and a recorder racing make one move each."""
    with deps.database.transaction() as connection:
        rows = connection.execute(_OVERDUE, (deps.overdue_seconds,)).fetchall()
    tally = {"unknown": 0, "held": 0, "left": 0}
    for row in rows:
        tally[_resolve(deps, _overdue(row), kill)] += 1
    return Reaped(**tally)


def _resolve(
    deps: PublishingDeps, claim: OverdueClaim, kill: Callable[[ProcessIdentity], bool]
) -> str:
    match fate(claim.owner):
        case Fate.DEAD:
            return _unknown(deps, claim, "its sender died before it could record")
        case Fate.ELSEWHERE:
            return _held(deps, claim, f"its sender on {claim.owner.host} cannot be proven dead")
        case Fate.OURSELVES:
            return _our_own(deps, claim)
        case Fate.ALIVE:
            return _alive(deps, claim, kill)


def _our_own(deps: PublishingDeps, claim: OverdueClaim) -> str:
    """A program never ends itself: it knows whether it still sends."""
    if deps.in_flight.posting(claim.work_order_key, claim.fence):
        return _left(deps, claim, "its sender hangs and only another program may end it")
    return _unknown(deps, claim, "its sender went on without recording")


def _alive(
    deps: PublishingDeps, claim: OverdueClaim, kill: Callable[[ProcessIdentity], bool]
) -> str:
    try:
        exited = kill(claim.owner)
    except PermissionError:
        return _held(deps, claim, "its sender lives and may not be ended by us")
    if not exited:
        return _left(deps, claim, "its sender was killed but has not exited yet")
    return _unknown(deps, claim, "its sender hung and was ended")


def _unknown(deps: PublishingDeps, claim: OverdueClaim, why: str) -> str:
    with deps.database.transaction() as connection:
        record_unknown(connection, claim.work_order_key, claim.fence, why)
    return "unknown"


def _held(deps: PublishingDeps, claim: OverdueClaim, why: str) -> str:
    with deps.database.transaction() as connection:
        endings.hold(
            connection,
            claim.work_order_key,
            claim.fence,
            why,
            deps.settle,
            states=[LedgerState.SENDING],
        )
    return "held"


def _left(deps: PublishingDeps, claim: OverdueClaim, why: str) -> str:
    with deps.database.transaction() as connection:
        raise_alert(connection, endings.STUCK, claim.work_order_key, why)
    return "left"


def _overdue(row: Row) -> OverdueClaim:
    owner = ProcessIdentity(
        host=row["owner_host"],
        boot_id=row["owner_boot_id"],
        pid=row["owner_pid"],
        starttime=row["owner_starttime"],
    )
    return OverdueClaim(row["work_order_key"], row["fence"], owner)
