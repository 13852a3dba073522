"""Release: a person decides that an escalated, declined, held or dead work order may be
drafted after all.

The one way out of a final state to a draft. It opens a new attempt on the newest revision of the
mail (or the one named), under all rules but those the person names and takes on. One transaction:
the release, the ledger's row, the work order's state, its job and the event; of two at once the
second finds the work order no longer final. Refused while anything may still arrive by itself, and
after a post of unknown outcome unless the person has looked and says that the mailbox holds no
draft. The dispatcher looks again before it posts, as always.
What lives elsewhere: reading releases (``swarm.store.releases``), the move of the row
(``ledger.transitions``).
"""

from collections.abc import Sequence

from psycopg.errors import UniqueViolation
from pydantic import AwareDatetime

from swarm.errors import MalformedInputError, RefusedError
from swarm.models import Event, Noun, WorkOrderState
from swarm.publishing.control import Control, PublisherName, control_to_write_ready
from swarm.publishing.ledger import endings
from swarm.publishing.ledger.states import LedgerState
from swarm.publishing.ledger.transitions import reopen
from swarm.safety.ruleset import required_rules
from swarm.store import alerts, transitions
from swarm.store.database import Connection, Database
from swarm.store.postgres_events import Locked, append, lock_with_job
from swarm.store.postgres_transitions import finish_run, move, save_job
from swarm.store.queue import Job
from swarm.store.releases import NEVER_WAIVED, Release, record_release

RELEASABLE = frozenset(
    {
        WorkOrderState.ESCALATED,
        WorkOrderState.DECLINED,
        WorkOrderState.HELD,
        WorkOrderState.DEAD,
    }
)

# A claim whose fence has no "not sent" may have posted: its sender was never proven dead, or nobody
# knows. What came before an earlier release was settled by the person who made that one.
_LOCK_ROW = """
SELECT l.state, l.fence,
       l.intent_at + make_interval(secs => %(settle_seconds)s) AS quiet_from,
       l.intent_at + make_interval(secs => %(settle_seconds)s) <= clock_timestamp() AS quiet,
       l.ever_uncertain OR EXISTS (
           SELECT 1 FROM publication_log c
            WHERE c.work_order_key = l.work_order_key AND c.event IN ('claimed', 'settled')
              AND c.id > coalesce((SELECT max(r.id) FROM publication_log r
                                    WHERE r.work_order_key = l.work_order_key
                                      AND r.event = 'released'), 0)
              AND NOT EXISTS (SELECT 1 FROM publication_log n
                               WHERE n.work_order_key = c.work_order_key AND n.fence = c.fence
                                 AND n.event = 'not_sent')) AS uncertain
  FROM publication_ledger l WHERE l.work_order_key = %(key)s FOR UPDATE OF l
"""

_REVISIONS = """
SELECT canonical_sha256 FROM revision WHERE work_order_key = %s ORDER BY at, canonical_sha256
"""

_IN_FLIGHT = frozenset({LedgerState.SENDING, LedgerState.ACCEPTED, LedgerState.UNKNOWN})
_SETTLED_ALERTS = (
    alerts.HELD,
    alerts.DEAD,
    endings.HELD,
    endings.DEAD,
    endings.STUCK,
    endings.UNCONFIRMED,
    endings.PENDING_PAYLOAD,
    "intake.revised",  # who releases has seen both texts, or both decisions
    "legacy.outcome_revised",
)


class ReleaseRequest(Noun):
    """What a person asks for, and what for. ``revision`` None: the newest; 0: as accepted."""

    key: str
    actor: str
    reason: str
    waive: tuple[str, ...] = ()
    revision: int | None = None
    no_draft_in_mailbox: bool = False


class _Row(Noun):
    """The ledger's row as the release finds it, locked."""

    state: LedgerState
    fence: int
    quiet_from: AwareDatetime | None
    quiet: bool | None
    uncertain: bool


def release(database: Database, request: ReleaseRequest, *, settle_seconds: float) -> Release:
    """Open a final work order again; returns the release as recorded.

    ``settle_seconds``: how long after a post its draft may still appear. Raises ``RefusedError``
    with the reason against it, and ``MalformedInputError`` for a key, rule or revision there is
    not; nothing changes then.
    """
    waived = _checked(request)
    key = request.key
    with database.transaction() as connection:
        control = control_to_write_ready(connection)
        row = _ledger_row(connection, key, settle_seconds)
        found = lock_with_job(connection, key)
        if found is None:
            raise MalformedInputError("no such work order", work_order=key)
        locked, job = found
        _require_releasable(request, locked, control, row)
        released = _record(connection, request, waived, locked)
        if row is not None and not reopen(connection, key, row.fence, control, request.actor):
            raise RefusedError("its publication moved on meanwhile", work_order=key)
        _open_attempt(connection, released, locked, job)
    return released


def describe(released: Release) -> str:
    """Say in one sentence what a release did."""
    mail = f"revision {released.revision}" if released.revision else "the mail as accepted"
    but = f", without {', '.join(released.waived)}" if released.waived else ""
    return (
        f"{released.work_order_key} was {released.from_state}; {released.actor} released it:"
        f" a new attempt on {mail}, under all rules{but}"
    )


def _checked(request: ReleaseRequest) -> tuple[str, ...]:
    for what, text, longest in (("actor", request.actor, 100), ("reason", request.reason, 500)):
        if not text.strip() or not text.isprintable() or len(text) > longest:
            raise MalformedInputError(
                f"a release needs its {what}: one line of at most {longest} characters",
                work_order=request.key,
            )
    waived = tuple(sorted({rule.strip().upper() for rule in request.waive}))
    if never := [rule for rule in waived if rule in NEVER_WAIVED]:
        raise RefusedError(f"nobody may take on {', '.join(never)}", work_order=request.key)
    if unknown := [rule for rule in waived if rule not in required_rules()]:
        raise MalformedInputError(
            f"no rule that a person may take on: {', '.join(unknown)}", work_order=request.key
        )
    return waived


def _ledger_row(connection: Connection, key: str, settle_seconds: float) -> _Row | None:
    columns = {"key": key, "settle_seconds": settle_seconds}
    row = connection.execute(_LOCK_ROW, columns).fetchone()
    return None if row is None else _Row.model_validate(row)


def _require_releasable(
    request: ReleaseRequest, locked: Locked, control: Control, row: _Row | None
) -> None:
    key = locked.key
    if locked.state not in RELEASABLE:
        raise RefusedError(f"{locked.state}: there is nothing to release", work_order=key)
    if control.active is PublisherName.LEGACY:
        raise RefusedError(
            "legacy publishes: a release would make no draft",
            work_order=key,
            hint="answer it in Outlook, or release it when swarm is in office",
        )
    if row is None:
        return
    if row.state is LedgerState.CONFIRMED:
        raise RefusedError("its draft is in the mailbox: never a second one", work_order=key)
    if row.state in _IN_FLIGHT:
        raise RefusedError(f"its publication is {row.state}: wait for its end", work_order=key)
    if row.uncertain:
        _require_a_look(request, row)


def _require_a_look(request: ReleaseRequest, row: _Row) -> None:
    if row.quiet is False:
        raise RefusedError(
            f"a draft may still appear until {row.quiet_from:%Y-%m-%d %H:%M:%S} UTC",
            work_order=request.key,
        )
    if not request.no_draft_in_mailbox:
        raise RefusedError(
            "it was posted and nobody knows whether a draft came of it",
            work_order=request.key,
            hint="look into the mailbox, Sent and Deleted too; if there is none, and no sender of"
            " it hangs on another machine, say --no-draft-in-mailbox",
        )


def _record(
    connection: Connection, request: ReleaseRequest, waived: Sequence[str], locked: Locked
) -> Release:
    shas = [row["canonical_sha256"] for row in connection.execute(_REVISIONS, (locked.key,))]
    chosen = len(shas) if request.revision is None else request.revision
    if not 0 <= chosen <= len(shas):
        raise MalformedInputError(
            f"there is no revision {chosen}: the mail has {len(shas)}, 0 is the mail as accepted",
            work_order=locked.key,
        )
    columns = {
        "key": locked.key,
        "actor": request.actor.strip(),
        "reason": request.reason.strip(),
        "waived": list(waived),
        "from_state": locked.state,
        "revision": chosen,
        "revision_sha256": shas[chosen - 1] if chosen else None,
        "no_draft_in_mailbox": request.no_draft_in_mailbox,
    }
    try:
        return record_release(connection, columns)
    except UniqueViolation as error:
        raise RefusedError("somebody released it just now", work_order=locked.key) from error


def _open_attempt(connection: Connection, released: Release, locked: Locked, job: Job) -> None:
    event = Event(
        kind="work_order.released",
        actor=released.actor,
        detail={
            "number": released.number,
            "from": released.from_state,
            "reason": released.reason,
            "waived": [*released.waived],
            "revision": released.revision,
            "no_draft_in_mailbox": released.no_draft_in_mailbox,
        },
    )
    locked, _ = append(connection, locked, event)
    why = f"released by {released.actor}: {released.reason}"
    move(connection, locked, WorkOrderState.ACCEPTED, why, actor=released.actor)
    finish_run(connection, job.run_id, "fenced")
    save_job(connection, transitions.replayed(job, locked.now))
    alerts.acknowledge_escalation(connection, locked.key, released.actor)
    for kind in _SETTLED_ALERTS:
        alerts.resolve(connection, kind, locked.key)
