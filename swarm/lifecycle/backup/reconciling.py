"""``swarm reconcile``: what came out of a backup is compared with the mailbox, then may publish.

The mailbox is the truth about what was drafted; the ledger is as old as the backup. Every mail from
before the restore whose publication is not settled is looked for by its marker. Found: confirmed,
with the draft that is there. Not found: held, because a person may have sent, moved or deleted it;
`swarm release` opens what should be drafted after all. A mail of which no publication is known gets
its one row all the same, so that today's path cannot draft it a second time. Only mails that came
after the restore stay open. Repeating it is harmless; it ends, and nobody may publish before it
does, with an audit that finds every mail read and no draft that nobody knows.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import AwareDatetime

from swarm.clients.outlook import GraphOutlook, outlook_of
from swarm.clients.protocol import FoundDraft
from swarm.errors import RefusedError
from swarm.legacy.follow import Follower
from swarm.legacy.home import IntakeFiles
from swarm.models import Noun, WorkOrderState
from swarm.observe.audit.arrivals import Arrivals
from swarm.observe.audit.installation import audit_installation
from swarm.observe.audit.report import AuditReport, Scope
from swarm.observe.status import status as read_status
from swarm.publishing.dispatch.settling import settle_work_order
from swarm.publishing.ledger import endings
from swarm.publishing.ledger.enqueue import make_row
from swarm.publishing.ledger.marker import draft_marker
from swarm.publishing.ledger.states import LedgerState
from swarm.settings import Settings
from swarm.store.database import Connection, Database
from swarm.store.restored import Restored, note_reconciled, unreconciled

_WHY: Final = "restored from a backup: it may have been drafted since, and no draft is there now"

_BEFORE: Final = timedelta(days=1)  # a mail that came just before the backup may be read after it

_BLOCKING: Final = frozenset(
    {"mail_unread", "event_lost", "not_listed", "stream_unread", "not_searched"}
    | {"draft_without_ledger"}
)
"""Findings of the audit under which a draft could still be unknown."""

_OPEN: Final = frozenset(LedgerState) - {
    LedgerState.CONFIRMED, LedgerState.DEAD, LedgerState.HELD,
}  # fmt: skip

# What was final long before the backup and has no publication was decided against: it stays so.
_IN_QUESTION = """
SELECT coalesce(w.key, l.work_order_key) AS key, l.state, w.state AS work_order,
       coalesce(w.body->'ref'->>'conversation_id', '') AS conversation_id,
       coalesce((w.body->>'received_at')::timestamptz, l.created_at) AS since
  FROM swarm.work_orders w FULL JOIN swarm.publication_ledger l ON l.work_order_key = w.key
 WHERE (l.state IN ('PENDING_PAYLOAD', 'READY', 'SENDING', 'ACCEPTED', 'UNKNOWN', 'HELD')
        OR (l.state IS NULL AND (w.final_at IS NULL
                                 OR w.accepted_at > %(backup_at)s - interval '1 day')))
   AND coalesce((w.body->>'received_at')::timestamptz, l.created_at) < %(restored_at)s
 ORDER BY since, key
"""


class InQuestion(Noun):
    """A work order from before the restore whose draft may be in the mailbox."""

    key: str
    state: LedgerState | None
    work_order: WorkOrderState | None
    conversation_id: str
    since: AwareDatetime


class ReconciledLedger(Noun):
    """What a comparison came to. ``barred``: had no publication, and gets none by itself."""

    confirmed: int = 0
    held: int = 0
    barred: int = 0
    dry_run: bool = False

    def __str__(self) -> str:
        """Say it in one sentence."""
        return (
            f"{self.confirmed} drafts found and confirmed, {self.held} held for a person,"
            f" {self.barred} without a publication barred"
        )


def reconcile(
    settings: Settings, database: Database, keeper: Database, *, actor: str, dry_run: bool = False
) -> ReconciledLedger:
    """Compare, settle and take the mark away; with ``dry_run`` only say what would be settled.

    ``keeper`` is the login that audits. Raises ``RefusedError`` with what is still missing (a mail
    unread, a work order being judged, a draft nobody knows), and the client's error when the
    mailbox cannot be searched; nobody may publish then.
    """
    with database.transaction() as connection:
        restored = unreconciled(connection)
    if restored is None:
        raise RefusedError(
            "nothing to reconcile: this installation was not restored from a backup"
            " since it was last compared"
        )
    with closing(outlook_of(settings)) as outlook:
        _require_read(settings, database, outlook, restored)
        found = tuple(_looked_for(outlook, _in_question(database, restored)))
        if dry_run:
            return _figures(found, dry_run=True)
        for row, drafts in found:
            _settle(database, settings, row, drafts)
            _mark(outlook, row.key, drafts)
    _require_clean(audit_installation(settings, keeper, scope=Scope.FULL))
    figures = _figures(found)
    with database.transaction() as connection:
        note_reconciled(connection, str(figures), actor=actor)
    return figures


def _require_read(
    settings: Settings, database: Database, outlook: GraphOutlook, restored: Restored
) -> None:
    """Every mail that came before the restore was read out of the mailbox and is a work order."""
    core = settings.core
    files = IntakeFiles(core.swarm_home)
    if _last_turn(files) < restored.restored_at or _lag(files):
        raise _not_read("the mailbox was not read since the restore")
    now = read_status(database, streams=[files.work_orders], recent=0)
    if behind := sum(stream.lag_bytes or 0 for stream in now.streams):
        raise _not_read(f"{behind} bytes of the intake stream are not work orders yet")
    secret = core.swarm_key_secret.get_secret_value()
    arrivals = Arrivals(files, outlook, settings.graph.mailbox, secret)
    since = restored.backup_at - _BEFORE
    for name, violation in arrivals.unread(since, restored.restored_at):
        raise _not_read(f"{violation.detail} ({name})")


def _last_turn(files: IntakeFiles) -> datetime:
    """Return when the mailbox's reader last ended a turn: it writes its state at every end."""
    try:
        return datetime.fromtimestamp(files.service_state.stat().st_mtime, UTC)
    except FileNotFoundError:
        return datetime.fromtimestamp(0, UTC)


def _lag(files: IntakeFiles) -> int:
    return Follower(files.events, files.processor_state).lag_bytes()


def _not_read(why: str) -> RefusedError:
    return RefusedError(
        why, hint="let `swarm up` run for a minute and try again; `swarm doctor` says who is away"
    )


def _in_question(database: Database, restored: Restored) -> Sequence[InQuestion]:
    with database.transaction() as connection:
        rows = connection.execute(_IN_QUESTION, restored.model_dump()).fetchall()
    found = tuple(InQuestion.model_validate(row) for row in rows)
    judged = {WorkOrderState.ACCEPTED, WorkOrderState.RUNNING}
    waiting = sum(row.work_order in judged for row in found)
    if waiting:
        raise RefusedError(
            f"{waiting} work orders from before the restore are still being judged",
            hint="`swarm status` shows them; try again when they are done",
        )
    return found


def _looked_for(
    outlook: GraphOutlook, rows: Sequence[InQuestion]
) -> Iterator[tuple[InQuestion, Sequence[FoundDraft]]]:
    for row in rows:
        yield (
            row,
            outlook.find_dispatched(
                key=row.key,
                conversation_id=row.conversation_id or None,
                marker=draft_marker(row.key),
                since=row.since,
            ),
        )


def _settle(
    database: Database, settings: Settings, row: InQuestion, drafts: Sequence[FoundDraft]
) -> None:
    """One transaction a work order: hold what is open, confirm what was found."""
    with database.transaction() as connection:
        fence = make_row(connection, row.key)
        why = endings.FOUND_AFTER_RESTORE if drafts else _WHY
        if row.state is not LedgerState.HELD:
            endings.hold(
                connection, row.key, fence, why, settle_work_order, states=sorted(_OPEN),
                alert=False,
            )  # fmt: skip
        if drafts:
            _confirm(connection, settings, row.key, fence, drafts)


def _confirm(
    connection: Connection,
    settings: Settings,
    key: str,
    fence: int,
    drafts: Sequence[FoundDraft],
) -> None:
    endings.confirm(
        connection,
        key,
        fence,
        drafts,
        settle_work_order,
        states=[LedgerState.HELD],
        settle_seconds=settings.publishing.settle_seconds,
    )


def _mark(outlook: GraphOutlook, key: str, drafts: Sequence[FoundDraft]) -> None:
    for draft in drafts:
        if draft.is_draft:
            outlook.mark_dispatched(draft.message_id, key)


def _require_clean(report: AuditReport) -> None:
    blocking = [breach for breach in report.breaches if breach.check in _BLOCKING]
    if blocking:
        first = blocking[0]
        raise RefusedError(
            f"{len(blocking)} findings keep a draft from being known: {first.check}"
            f" ({first.detail})",
            hint="`swarm audit --full` lists them with what helps; then try again",
        )


def _figures(
    found: Sequence[tuple[InQuestion, Sequence[FoundDraft]]], *, dry_run: bool = False
) -> ReconciledLedger:
    confirmed = sum(bool(drafts) for _, drafts in found)
    missing = [row for row, drafts in found if not drafts and row.state is not LedgerState.HELD]
    barred = sum(row.state is None for row in missing)
    return ReconciledLedger(
        confirmed=confirmed, held=len(missing) - barred, barred=barred, dry_run=dry_run
    )
