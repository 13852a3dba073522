"""Reconcile: what nobody knows is resolved by looking into the mailbox, never by sending again.

Looks at what is ACCEPTED or UNKNOWN; goes on looking at what is HELD, because a late draft still
confirms it; and looks once more at what is CONFIRMED after settling, because a Zap that repeats a
step makes its second draft late. Absence means something only after the settling time, and then the
row is held for a person. Only with the guard in the Zap may it be sent once more.
Source: publishing protocol, sections 3 and 7.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import AwareDatetime

from swarm.clients.protocol import FoundDraft, Outlook
from swarm.errors import RemoteRefusedError, TransientError
from swarm.models import Noun
from swarm.operations.alerts import raise_alert
from swarm.publishing import finals
from swarm.publishing.deps import PublishingDeps
from swarm.publishing.marker import draft_marker
from swarm.publishing.record import resend_guarded
from swarm.publishing.states import LedgerState

log = logging.getLogger(__name__)

# Young rows are looked at every second, older ones at a tenth of their age, at most every 5
# minutes. The due row is put off before the look, so that two reconcilers do not look at the same
# one.
_TAKE_DUE = """
WITH due AS (
    SELECT work_order_key FROM publication_ledger
     WHERE look_at <= clock_timestamp()
       AND state IN ('ACCEPTED', 'UNKNOWN', 'HELD', 'CONFIRMED')
     ORDER BY look_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
UPDATE publication_ledger l
   SET look_at = clock_timestamp() + greatest(interval '1 second', least(interval '5 minutes',
                 (clock_timestamp() - l.changed_at) / 10))
  FROM due
 WHERE l.work_order_key = due.work_order_key
RETURNING l.work_order_key, l.state, l.fence, l.delivered_fence, l.uncertain_posts, l.created_at,
          coalesce((SELECT p.body->>'conversation_id' FROM publication_payload p
                     WHERE p.work_order_key = l.work_order_key AND p.publisher = l.publisher), '')
          AS conversation_id,
          l.changed_at + make_interval(secs => %(settle_seconds)s) <= clock_timestamp() AS settled,
          l.intent_at + make_interval(secs => %(alert_seconds)s) <= clock_timestamp() AS overdue,
          l.changed_at + interval '14 days' <= clock_timestamp() AS forgotten
"""

_LOOK_NO_MORE = """
UPDATE publication_ledger SET look_at = NULL
 WHERE work_order_key = %s AND fence = %s AND state = %s
"""


class Doubtful(Noun):
    """A publication whose end is to be found in the mailbox.

    ``settled``: a draft would have appeared by now; ``overdue``: a person should know of it.
    """

    work_order_key: str
    state: LedgerState
    fence: int
    delivered_fence: int | None
    uncertain_posts: int
    created_at: AwareDatetime
    conversation_id: str
    settled: bool
    overdue: bool | None
    forgotten: bool


class Reconciled(StrEnum):
    """What one look came to."""

    CONFIRMED = "confirmed"
    HELD = "held"
    RESENT = "ready_again"
    WAITING = "waiting"
    UNAVAILABLE = "unavailable"
    DUPLICATE = "duplicate"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class ReconcileResult:
    """What one look came to, for which work order."""

    outcome: Reconciled
    work_order_key: str


def reconcile(deps: PublishingDeps, *, limit: int = 20) -> tuple[ReconcileResult, ...]:
    """Look at up to ``limit`` doubtful publications that are due, of whichever publisher."""
    if deps.outlook is None:
        return ()
    timings = deps.timings
    columns = {
        "limit": limit,
        "settle_seconds": timings.settle_seconds,
        "alert_seconds": timings.unconfirmed_alert_seconds,
    }
    with deps.database.transaction() as connection:
        rows = connection.execute(_TAKE_DUE, columns).fetchall()
    return tuple(_reconcile_one(deps, deps.outlook, Doubtful.model_validate(row)) for row in rows)


def may_resend(row: Doubtful, *, guard_in_zap: bool, max_attempts: int) -> bool:
    """Whether one more POST is safe: only through the guard, and never a third uncertain one."""
    return (
        guard_in_zap
        and row.state is LedgerState.UNKNOWN
        and row.delivered_fence is None
        and row.fence < max_attempts
        and row.uncertain_posts < 2  # noqa: PLR2004 - "never a third POST after two uncertain ones"
    )


def _reconcile_one(deps: PublishingDeps, outlook: Outlook, row: Doubtful) -> ReconcileResult:
    try:
        found = outlook.find_dispatched(
            key=row.work_order_key,
            conversation_id=row.conversation_id or None,
            marker=draft_marker(row.work_order_key),
            since=row.created_at,
        )
    except (TransientError, RemoteRefusedError) as error:
        log.warning("mailbox search failed for %s: %s", row.work_order_key, type(error).__name__)
        _alert_when_overdue(deps, row, "the mailbox cannot be searched")
        return ReconcileResult(Reconciled.UNAVAILABLE, row.work_order_key)
    outcome = _present(deps, outlook, row, found) if found else _absent(deps, row)
    return ReconcileResult(outcome, row.work_order_key)


def _present(
    deps: PublishingDeps, outlook: Outlook, row: Doubtful, found: Sequence[FoundDraft]
) -> Reconciled:
    if row.state is LedgerState.CONFIRMED:
        return _looked_again(deps, row, found)
    with deps.database.transaction() as connection:
        confirmed = finals.confirm(
            connection,
            row.work_order_key,
            row.fence,
            found,
            deps.settle,
            states=[row.state],
            settle_seconds=deps.timings.settle_seconds,
        )
    if confirmed:
        _mark(outlook, row.work_order_key, found)
    return Reconciled.CONFIRMED if confirmed else Reconciled.WAITING


def _mark(outlook: Outlook, key: str, found: Sequence[FoundDraft]) -> None:
    """Make later searches exact. Not needed for safety, so a failure is only noted."""
    for draft in found:
        try:
            if draft.is_draft:
                outlook.mark_dispatched(draft.message_id, key)
        except (TransientError, RemoteRefusedError) as error:
            log.info("draft of %s was not marked: %s", key, type(error).__name__)


def _looked_again(deps: PublishingDeps, row: Doubtful, found: Sequence[FoundDraft]) -> Reconciled:
    with deps.database.transaction() as connection:
        duplicate = finals.alert_duplicates(connection, row.work_order_key, found)
        connection.execute(_LOOK_NO_MORE, (row.work_order_key, row.fence, row.state))
    return Reconciled.DUPLICATE if duplicate else Reconciled.DONE


def _absent(deps: PublishingDeps, row: Doubtful) -> Reconciled:
    key = row.work_order_key
    if row.state is LedgerState.CONFIRMED or (row.state is LedgerState.HELD and row.forgotten):
        with deps.database.transaction() as connection:
            connection.execute(_LOOK_NO_MORE, (key, row.fence, row.state))
        return Reconciled.DONE
    if row.state is LedgerState.HELD or not row.settled:
        _alert_when_overdue(deps, row, "accepted or unknown, and no draft in the mailbox yet")
        return Reconciled.WAITING
    with deps.database.transaction() as connection:
        if may_resend(row, guard_in_zap=deps.guard_in_zap, max_attempts=deps.timings.max_attempts):
            return _named(resend_guarded(connection, key, row.fence), Reconciled.RESENT)
        why = f"{row.state.lower()}, and no draft appeared within the settling time"
        held = finals.hold(connection, key, row.fence, why, deps.settle, states=[row.state])
        return _named(held, Reconciled.HELD)


def _named(moved: bool, outcome: Reconciled) -> Reconciled:  # noqa: FBT001 - a CAS result
    return outcome if moved else Reconciled.WAITING


def _alert_when_overdue(deps: PublishingDeps, row: Doubtful, why: str) -> None:
    if row.overdue and row.state in {LedgerState.ACCEPTED, LedgerState.UNKNOWN}:
        with deps.database.transaction() as connection:
            raise_alert(connection, finals.UNCONFIRMED, row.work_order_key, why)
