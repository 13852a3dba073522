"""The three ends of a publication: confirmed, held for a person, dead. Each settles its work order.

A transition of the row, and what follows from it in the same transaction: the work order's state
and the alert. What lives elsewhere: the transitions themselves (``transitions``), how a work order
is settled (handed in as ``Settle``), so that today's sender need not load the new path's store.
"""

from collections.abc import Callable, Sequence

from swarm.clients.protocol import FoundDraft
from swarm.models import WorkOrderState
from swarm.publishing.ledger.states import LedgerState
from swarm.publishing.ledger.transitions import (
    Office,
    record_confirmed,
    record_dead,
    record_held,
)
from swarm.store.alerts import raise_alert, raise_growing, resolve
from swarm.store.database import Connection

HELD = "publication.held"
DEAD = "publication.dead"
DUPLICATE = "publication.duplicate"
UNCONFIRMED = "publication.unconfirmed"
PENDING_PAYLOAD = "publication.pending_payload"
STUCK = "publication.stuck"

FOUND_AFTER_RESTORE = "restored from a backup: a draft of it is in the mailbox"
"""Why a row is held for a moment before it is confirmed: a ledger that is lost had approved it."""

Settle = Callable[[Connection, str, WorkOrderState, str], bool]
"""Let the work order follow its publication, in the same transaction; False: not its turn."""

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
    if not record_confirmed(
        connection, key, fence, oldest, why, states=states, settle_seconds=settle_seconds
    ):
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
    office: Office | None = None,
    alert: bool = True,
) -> bool:
    """Nothing more happens by itself: a person must look. A late draft still confirms it.

    ``office``: whose row the caller saw, where nobody had begun it. ``alert`` False: a person is at
    it already, because the work order is escalated.
    """
    if not record_held(connection, key, fence, why, states=states, office=office):
        return False
    settled = settle(connection, key, WorkOrderState.HELD, why)  # then the store has alerted
    if alert and not settled:
        raise_alert(connection, HELD, key, why)
    for kind in (UNCONFIRMED, STUCK, PENDING_PAYLOAD):
        resolve(connection, kind, key)
    return True


def bury(connection: Connection, key: str, fence: int, why: str, settle: Settle) -> bool:
    """Attempts are used up and it is proven that none was taken: dead, alerted."""
    if not record_dead(connection, key, fence, why):
        return False
    if not settle(connection, key, WorkOrderState.DEAD, why):  # else the store has alerted
        raise_alert(connection, DEAD, key, why)
    for kind in (UNCONFIRMED, STUCK, PENDING_PAYLOAD):
        resolve(connection, kind, key)
    return True


def alert_duplicates(connection: Connection, key: str, found: Sequence[FoundDraft]) -> bool:
    """Alert when the mailbox holds more than one; we never delete, a person decides."""
    if len(found) < 2:  # noqa: PLR2004 - one draft is what we promise
        return False
    detail = f"{len(found)} drafts carry this work order's marker; the oldest is the one recorded"
    raise_growing(connection, DUPLICATE, key, detail, total=len(found))
    return True


def _what_was_found(draft: FoundDraft) -> str:
    if draft.is_draft:
        return f"draft found in {draft.folder}"
    return "sent by human" if draft.folder.lower() == SENT_FOLDER else f"found in {draft.folder}"
