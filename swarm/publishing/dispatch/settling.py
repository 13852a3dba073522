"""Work orders follow their publications: in the ledger's own transaction, or made good by a sweep.

The sweep is needed because a publication can end before its run has closed the work order as
*publishing*, and because today's sender settles nothing. What lives elsewhere: which moves are
allowed (``swarm.store.transitions``), how a publication ends (``endings``).
"""

from swarm.errors import MalformedInputError
from swarm.models import WorkOrderState
from swarm.publishing.ledger.states import LedgerState
from swarm.store.database import Connection, Database
from swarm.store.postgres_transitions import settle_publication

WORK_ORDER_STATE = {
    LedgerState.CONFIRMED: WorkOrderState.PUBLISHED,
    LedgerState.HELD: WorkOrderState.HELD,
    LedgerState.DEAD: WorkOrderState.DEAD,
}

# A held work order may still be published by a draft that turned up; every other final state stays.
_LEFT_BEHIND = """
SELECT l.work_order_key, l.state, l.last_error, l.draft_folder, l.changed_at
  FROM work_orders w JOIN publication_ledger l ON l.work_order_key = w.key
 WHERE w.state = 'publishing' AND l.state IN ('CONFIRMED', 'HELD', 'DEAD')
UNION ALL
SELECT l.work_order_key, l.state, l.last_error, l.draft_folder, l.changed_at
  FROM work_orders w JOIN publication_ledger l ON l.work_order_key = w.key
 WHERE w.state = 'held' AND l.state = 'CONFIRMED'
 ORDER BY changed_at LIMIT %s
"""


def settle_work_order(connection: Connection, key: str, state: WorkOrderState, reason: str) -> bool:
    """Move the work order after its publication; False when it is decided, or not ours yet."""
    try:
        return settle_publication(connection, key, state, reason)
    except MalformedInputError:  # today's sender is ahead of our intake
        return False


def settle_left_behind(database: Database, *, limit: int = 100) -> int:
    """Settle work orders whose publication has ended without them; returns how many moved."""
    with database.transaction() as connection:
        rows = connection.execute(_LEFT_BEHIND, (limit,)).fetchall()
    moved = 0
    for row in rows:
        state = WORK_ORDER_STATE[LedgerState(row["state"])]
        reason = row["last_error"] or f"draft found in {row['draft_folder']}"
        with database.transaction() as connection:
            moved += settle_work_order(connection, row["work_order_key"], state, reason)
    return moved
