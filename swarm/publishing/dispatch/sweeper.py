"""The sweeper settles what was left behind: used-up attempts, payloads that never come.

Each ends or is alerted, so that every state has an enabled move to an end (proof I5). All moves
are compare-and-set. What lives elsewhere: claims of the dead (``reaper``), doubtful ones
(``reconciler``).
"""

from dataclasses import dataclass

from swarm.publishing.dispatch.deps import PublishingDeps
from swarm.publishing.ledger import endings
from swarm.publishing.ledger.states import LedgerState
from swarm.publishing.ledger.transitions import Office
from swarm.store.alerts import raise_alert
from swarm.store.database import Connection, Row
from swarm.store.escalation_policy import DESKED

_USED_UP = """
SELECT work_order_key, fence, attempts, ever_uncertain, last_error, publisher, epoch
  FROM publication_ledger
 WHERE state = 'READY' AND (attempts >= %(max_attempts)s OR ever_uncertain) LIMIT 100
"""

# A row whose own pipeline has decided against publishing gets no payload any more, and no claim.
_DECLINED = """
SELECT l.work_order_key, l.fence, l.state, l.publisher, l.epoch, w.state AS decided
  FROM publication_ledger l JOIN work_orders w ON w.key = l.work_order_key
 WHERE l.state IN ('PENDING_PAYLOAD', 'READY') AND l.publisher = 'swarm'
   AND w.state IN ('escalated', 'declined', 'held', 'dead') LIMIT 100
"""

_WAITING_LONG = """
SELECT work_order_key, publisher FROM publication_ledger
 WHERE state = 'PENDING_PAYLOAD' AND publisher <> 'none'
   AND changed_at < clock_timestamp() - make_interval(secs => %(alert_seconds)s) LIMIT 100
"""

# READY, and yet not claimed for long: a PASS is missing, nobody dispatches, or it is put off again
# and again because the mailbox cannot be read.
_READY_LONG = """
SELECT work_order_key, publisher FROM publication_ledger
 WHERE state = 'READY'
   AND changed_at < clock_timestamp() - make_interval(secs => %(alert_seconds)s) LIMIT 100
"""

# Taken by the hook, or perhaps, and nobody has found it or given it up. Asked later than the
# reconciler itself asks, which knows what it saw.
_DOUBTFUL_LONG = """
SELECT work_order_key, publisher FROM publication_ledger
 WHERE state IN ('ACCEPTED', 'UNKNOWN')
   AND changed_at < clock_timestamp() - make_interval(secs => 2 * %(alert_seconds)s) LIMIT 100
"""


@dataclass(frozen=True, slots=True)
class Swept:
    """How many leftovers ended, and how many keep an alert burning."""

    ended: int = 0
    alerted: int = 0


def sweep(deps: PublishingDeps) -> Swept:
    """End what is used up or declined; alert what waits too long."""
    limits = {"max_attempts": deps.timings.max_attempts}
    with deps.database.transaction() as connection:
        used_up = connection.execute(_USED_UP, limits).fetchall()
        declined = connection.execute(_DECLINED).fetchall()
    ended = sum(_end(deps, row) for row in used_up) + sum(_decline(deps, row) for row in declined)
    # Looked for afterwards: what has just ended waits for nobody any more.
    with deps.database.transaction() as connection:
        alerted = alert_long_waits(connection, deps.timings.unconfirmed_alert_seconds)
    return Swept(ended, alerted)


def alert_long_waits(connection: Connection, seconds: float) -> int:
    """Alert what has waited for longer than ``seconds``; returns how many are new.

    Also asked where nobody does any round: then least of all may it wait unseen.
    """
    limit = {"alert_seconds": seconds}
    waiting = connection.execute(_WAITING_LONG, limit).fetchall()
    ready = connection.execute(_READY_LONG, limit).fetchall()
    doubtful = connection.execute(_DOUBTFUL_LONG, limit).fetchall()
    return (
        _alert(connection, waiting, endings.PENDING_PAYLOAD, "waits for the payload of")
        + _alert(connection, ready, endings.STUCK, "is ready but was not claimed by")
        + _alert(connection, doubtful, endings.UNCONFIRMED, "is not found in the mailbox; sent by")
    )


def _end(deps: PublishingDeps, row: Row) -> bool:
    """Dead when it is proven that no attempt was taken, else held: it may have been."""
    key, fence = row["work_order_key"], row["fence"]
    why = f"{row['attempts']} attempts used up; last: {row['last_error']}"
    with deps.database.transaction() as connection:
        if not row["ever_uncertain"]:
            return endings.bury(connection, key, fence, why, deps.settle)
        ready, office = [LedgerState.READY], Office(row["publisher"], row["epoch"])
        return endings.hold(connection, key, fence, why, deps.settle, states=ready, office=office)


def _decline(deps: PublishingDeps, row: Row) -> bool:
    key, fence = row["work_order_key"], row["fence"]
    why = f"the swarm decided not to publish: {row['decided']}"
    with deps.database.transaction() as connection:
        return endings.hold(
            connection,
            key,
            fence,
            why,
            deps.settle,
            states=[LedgerState(row["state"])],
            office=Office(row["publisher"], row["epoch"]),
            alert=row["decided"] not in DESKED,  # those have an owner and a timer
        )


def _alert(connection: Connection, rows: list[Row], kind: str, what: str) -> int:
    return sum(
        raise_alert(connection, kind, row["work_order_key"], f"{what} {row['publisher']}")
        for row in rows
    )
