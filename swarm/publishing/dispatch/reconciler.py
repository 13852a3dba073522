"""Reconcile: what nobody knows is resolved by looking into the mailbox, never by sending again.

Looks at what is ACCEPTED or UNKNOWN; goes on looking at what is HELD, because a late draft still
confirms it; and looks once more at what is CONFIRMED after settling, because a Zap that repeats a
step makes its second draft late. Absence means something only after the settling time, and then the
row is held for a person.
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
from swarm.publishing.dispatch.deps import PublishingDeps
from swarm.publishing.ledger import endings
from swarm.publishing.ledger.marker import draft_marker
from swarm.publishing.ledger.states import LedgerState
from swarm.publishing.ledger.transitions import schedule_looks, stop_looking
from swarm.store.alerts import raise_alert

log = logging.getLogger(__name__)


class Doubtful(Noun):
    """A publication whose end is to be found in the mailbox.

    ``since``: no draft of it is older; ``settled``: one would have appeared by now; ``overdue``: a
    person should know of it.
    """

    work_order_key: str
    state: LedgerState
    fence: int
    since: AwareDatetime
    conversation_id: str
    settled: bool
    overdue: bool | None
    forgotten: bool


class Reconciled(StrEnum):
    """What one look came to."""

    CONFIRMED = "confirmed"
    HELD = "held"
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
    with deps.database.transaction() as connection:
        rows = schedule_looks(
            connection,
            limit=limit,
            settle_seconds=timings.settle_seconds,
            alert_seconds=timings.unconfirmed_alert_seconds,
        )
    return tuple(_reconcile_one(deps, deps.outlook, Doubtful.model_validate(row)) for row in rows)


def _reconcile_one(deps: PublishingDeps, outlook: Outlook, row: Doubtful) -> ReconcileResult:
    try:
        found = outlook.find_dispatched(
            key=row.work_order_key,
            conversation_id=row.conversation_id or None,
            marker=draft_marker(row.work_order_key),
            since=row.since,
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
        confirmed = endings.confirm(
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
        duplicate = endings.alert_duplicates(connection, row.work_order_key, found)
        stop_looking(connection, row.work_order_key, row.fence, row.state)
    return Reconciled.DUPLICATE if duplicate else Reconciled.DONE


def _absent(deps: PublishingDeps, row: Doubtful) -> Reconciled:
    key = row.work_order_key
    if row.state is LedgerState.CONFIRMED or (row.state is LedgerState.HELD and row.forgotten):
        with deps.database.transaction() as connection:
            stop_looking(connection, key, row.fence, row.state)
        return Reconciled.DONE
    if row.state is LedgerState.HELD or not row.settled:
        _alert_when_overdue(deps, row, "accepted or unknown, and no draft in the mailbox yet")
        return Reconciled.WAITING
    with deps.database.transaction() as connection:
        why = f"{row.state.lower()}, and no draft appeared within the settling time"
        held = endings.hold(connection, key, row.fence, why, deps.settle, states=[row.state])
    return Reconciled.HELD if held else Reconciled.WAITING


def _alert_when_overdue(deps: PublishingDeps, row: Doubtful, why: str) -> None:
    if row.overdue and row.state in {LedgerState.ACCEPTED, LedgerState.UNKNOWN}:
        with deps.database.transaction() as connection:
            raise_alert(connection, endings.UNCONFIRMED, row.work_order_key, why)
