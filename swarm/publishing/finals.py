"""The three ends of a publication: confirmed, held for a person, dead. Each settles its work order.

Moves are compare-and-set on (state, fence) and run in the caller's transaction together with what
follows from them: the work order's state and the alert. What lives elsewhere: how a work order is
settled (handed in as ``Settle``), so that today's sender need not load the new path's store.
"""

from collections.abc import Callable, Sequence

from swarm.clients.protocol import FoundDraft
from swarm.models import WorkOrderState
from swarm.operations.alerts import raise_alert, resolve
from swarm.publishing.states import LedgerState
from swarm.store.database import Connection

HELD = "publication.held"
DEAD = "publication.dead"
DUPLICATE = "publication.duplicate"
UNCONFIRMED = "publication.unconfirmed"
PENDING_PAYLOAD = "publication.pending_payload"
STUCK = "publication.stuck"

Settle = Callable[[Connection, str, WorkOrderState, str], bool]
"""Let the work order follow its publication, in the same transaction; False: not its turn."""

# look_at: one last look after settling, because a Zap that repeats itself makes its second draft
# late.
_CONFIRM = """
WITH moved AS (
    UPDATE publication_ledger
       SET state = 'CONFIRMED', draft_id = %(draft_id)s, draft_folder = %(folder)s, last_error = '',
           changed_at = now(), look_at = now() + make_interval(secs => %(settle_seconds)s)
     WHERE work_order_key = %(key)s AND fence = %(fence)s AND state = ANY(%(states)s)
 RETURNING work_order_key, fence)
INSERT INTO publication_log (work_order_key, fence, event, detail)
SELECT work_order_key, fence, 'confirmed', %(why)s FROM moved
"""

_HOLD = """
WITH moved AS (
    UPDATE publication_ledger
       SET state = 'HELD', last_error = %(why)s, changed_at = now(),
           look_at = CASE WHEN fence > 0 THEN now() END
     WHERE work_order_key = %(key)s AND fence = %(fence)s AND state = ANY(%(states)s)
 RETURNING work_order_key, fence)
INSERT INTO publication_log (work_order_key, fence, event, detail)
SELECT work_order_key, fence, 'held', %(why)s FROM moved
"""

_BURY = """
WITH moved AS (
    UPDATE publication_ledger
       SET state = 'DEAD', last_error = %(why)s, changed_at = now(), look_at = NULL
     WHERE work_order_key = %(key)s AND fence = %(fence)s AND state = 'READY'
       AND NOT ever_uncertain
 RETURNING work_order_key, fence)
INSERT INTO publication_log (work_order_key, fence, event, detail)
SELECT work_order_key, fence, 'dead', %(why)s FROM moved
"""

SENT_FOLDER = "sentitems"


def confirm(
    connection: Connection,
    key: str,
    fence: int,
    found: Sequence[FoundDraft],
    settle: Settle,
    *,
    states: Sequence[LedgerState],
    settle_seconds: float,
) -> bool:
    """The mailbox holds it: confirmed with the oldest find; more than one is an alert."""
    oldest = min(found, key=lambda draft: draft.created_at)
    why = _what_was_found(oldest)
    columns = {
        "key": key,
        "fence": fence,
        "draft_id": oldest.message_id,
        "folder": oldest.folder,
        "why": why,
        "states": list(states),
        "settle_seconds": settle_seconds,
    }
    if connection.execute(_CONFIRM, columns).rowcount == 0:
        return False
    settle(connection, key, WorkOrderState.PUBLISHED, why)
    for kind in (HELD, UNCONFIRMED, STUCK, PENDING_PAYLOAD):
        resolve(connection, kind, key)
    alert_duplicates(connection, key, found)
    return True


def hold(
    connection: Connection,
    key: str,
    fence: int,
    why: str,
    settle: Settle,
    *,
    states: Sequence[LedgerState],
    alert: bool = True,
) -> bool:
    """Nothing more happens by itself: a person must look. A late draft still confirms it.

    ``alert`` False: a person is at it already, because the work order is escalated.
    """
    columns = {"key": key, "fence": fence, "why": why, "states": list(states)}
    if connection.execute(_HOLD, columns).rowcount == 0:
        return False
    settled = settle(connection, key, WorkOrderState.HELD, why)  # then the store has alerted
    if alert and not settled:
        raise_alert(connection, HELD, key, why)
    for kind in (UNCONFIRMED, STUCK, PENDING_PAYLOAD):
        resolve(connection, kind, key)
    return True


def bury(connection: Connection, key: str, fence: int, why: str, settle: Settle) -> bool:
    """Attempts are used up and it is proven that none was taken: dead, alerted."""
    if connection.execute(_BURY, {"key": key, "fence": fence, "why": why}).rowcount == 0:
        return False
    if not settle(connection, key, WorkOrderState.DEAD, why):  # else the store has alerted
        raise_alert(connection, DEAD, key, why)
    return True


def alert_duplicates(connection: Connection, key: str, found: Sequence[FoundDraft]) -> bool:
    """Alert when the mailbox holds more than one; we never delete, a person decides."""
    if len(found) < 2:  # noqa: PLR2004 - one draft is what we promise
        return False
    detail = f"{len(found)} drafts carry this work order's marker; the oldest is the one recorded"
    raise_alert(connection, DUPLICATE, key, detail)
    return True


def _what_was_found(draft: FoundDraft) -> str:
    if draft.is_draft:
        return f"draft found in {draft.folder}"
    return "sent by human" if draft.folder.lower() == SENT_FOLDER else f"found in {draft.folder}"
