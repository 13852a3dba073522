"""The publisher switch as people use it: look, cut over, roll back, stop. Audited, with a dry run.

Only a valid certificate lets a cutover act, and it waits for legacy's lease under a wish of its own
(``wish``). Rolling back always acts, at once; so does stopping, and either ends a cutover that
waits. What lives elsewhere: the control row and the lock that orders claims and flips
(``swarm.publishing.control``), the gates and the certificate (``swarm.cutover``), and that the
database itself refuses a publisher without one (migration 0054).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from pydantic import AwareDatetime

from swarm.errors import DatabaseError, RefusedError
from swarm.models import Noun
from swarm.publishing.control import Control, PublisherName, control_alone, read_control
from swarm.publishing.ledger.transitions import hand_over
from swarm.publishing.switch import lease, wish
from swarm.publishing.switch.lease import Lease
from swarm.publishing.switch.wish import Wish
from swarm.store.database import Connection, Database
from swarm.store.restored import unreconciled

_COUNTS = """
SELECT publisher || ' ' || state AS name, count(*) AS number
  FROM publication_ledger GROUP BY publisher, state ORDER BY publisher, state
"""

_OLDEST = """
SELECT min(created_at) AS at FROM publication_ledger
 WHERE state NOT IN ('CONFIRMED', 'HELD', 'DEAD')
"""

_HISTORY = """
SELECT active, epoch, reason, actor, at FROM publisher_history ORDER BY epoch DESC LIMIT 20
"""

_PENDING = """
SELECT work_order_key, publisher,
       extract(epoch FROM clock_timestamp() - changed_at)::float AS age_seconds
  FROM publication_ledger WHERE state = 'PENDING_PAYLOAD'
 ORDER BY changed_at, work_order_key LIMIT 50
"""

_APPOINT = """
UPDATE publisher_control
   SET active = %(to)s, epoch = epoch + 1, reason = %(reason)s, actor = %(actor)s, at = now()
 WHERE id = 1
"""

_REMEMBER = """
INSERT INTO publisher_history (epoch, active, reason, actor, at)
SELECT epoch, active, reason, actor, at FROM publisher_control WHERE id = 1
"""

_FORECAST = """
SELECT count(*) FILTER (WHERE open AND has_payload)     AS ready,
       count(*) FILTER (WHERE open AND NOT has_payload) AS pending_payload,
       count(*) FILTER (WHERE NOT open)                 AS in_flight
  FROM (SELECT l.state IN ('READY', 'PENDING_PAYLOAD') AS open,
               EXISTS (SELECT 1 FROM publication_payload p
                        WHERE p.work_order_key = l.work_order_key
                          AND p.publisher = %(to)s) AS has_payload
          FROM publication_ledger l
         WHERE l.state IN ('READY', 'PENDING_PAYLOAD', 'SENDING', 'ACCEPTED', 'UNKNOWN')) AS live
"""

# How long the flip itself may take once legacy has let go: a lock and two statements.
_FLIP_SECONDS = 30.0

Certificate = Callable[[Connection], str | None]
"""Says why the cutover certificate is not valid, read in the flip's transaction; None: it is."""


class Flip(Noun):
    """A change of publisher: what was, what is, and what it meant for the rows of the ledger.

    ``ready`` and ``pending_payload`` count what went to the new publisher, ``in_flight`` what stays
    with its fence until resolved. With ``dry_run`` nothing changed and ``after`` is a forecast.
    """

    before: Control
    after: Control
    ready: int
    pending_payload: int
    in_flight: int
    dry_run: bool


class PendingPayload(Noun):
    """A publication that waits for its publisher's payload: that publisher's work list."""

    work_order_key: str
    publisher: PublisherName
    age_seconds: float


class PublisherStatus(Noun):
    """Who publishes and how the ledger stands.

    ``pending`` are the 50 that have waited longest; ``history`` and ``wishes`` are newest first.
    ``wish``: somebody waits to take publishing from legacy.
    """

    control: Control
    publications: dict[str, int]
    oldest_unfinished: AwareDatetime | None
    lease: Lease | None
    wish: Wish | None
    pending: tuple[PendingPayload, ...]
    history: tuple[Control, ...]
    wishes: tuple[Wish, ...]


def show(database: Database) -> PublisherStatus:
    """Return who publishes, since when and why, and how the ledger stands."""
    with database.transaction() as connection:
        oldest = connection.execute(_OLDEST).fetchone() or {"at": None}
        return PublisherStatus(
            control=read_control(connection),
            publications={row["name"]: row["number"] for row in connection.execute(_COUNTS)},
            oldest_unfinished=oldest["at"],
            lease=lease.unreleased(connection),
            wish=wish.open_wish(connection),
            pending=tuple(
                PendingPayload.model_validate(row) for row in connection.execute(_PENDING)
            ),
            history=tuple(Control.model_validate(row) for row in connection.execute(_HISTORY)),
            wishes=wish.newest(connection),
        )


def cutover(
    database: Database,
    *,
    actor: str,
    reason: str,
    certificate: Certificate,
    dry_run: bool = False,
    wait_seconds: float = 120.0,
    sleep: Callable[[float], None] = time.sleep,
) -> Flip:
    """Make the swarm the publisher. Waits up to ``wait_seconds`` for legacy to give back its lease.

    Raises ``RefusedError`` with the reason when there is no valid certificate, when legacy has not
    settled what it did under its lease, or when somebody rolled back or stopped while it waited;
    nothing has changed then.
    """
    require_actor(actor, reason)
    if dry_run:
        with database.transaction() as connection:
            _require(certificate, connection)
            return flip(connection, PublisherName.SWARM, actor=actor, reason=reason, dry_run=True)
    with _asking(database, certificate, actor, reason, wait_seconds) as asked:
        _await_release(database, wait_seconds, sleep)
        with database.transaction() as connection:
            control_alone(connection)
            _require(certificate, connection)
            wish.fulfil(connection, asked, actor)
            return flip(connection, PublisherName.SWARM, actor=actor, reason=reason)


def rollback(database: Database, *, actor: str, reason: str, dry_run: bool = False) -> Flip:
    """Make legacy the publisher: always, at once."""
    return _switch(database, PublisherName.LEGACY, actor, reason, dry_run=dry_run)


def stop(database: Database, *, actor: str, reason: str, dry_run: bool = False) -> Flip:
    """Let nobody publish. Legacy may still act until its lease ends if it cannot reach Postgres."""
    return _switch(database, PublisherName.NONE, actor, reason, dry_run=dry_run)


def describe(flip: Flip) -> str:
    """Say in one sentence what a switch did, or would do."""
    verb = "would go" if flip.dry_run else "went"
    return (
        f"publishing {verb} from {flip.before.active} to {flip.after.active}"
        f" (epoch {flip.after.epoch}): {flip.ready} ready, {flip.pending_payload} waiting for a"
        f" payload, {flip.in_flight} in flight stay until resolved"
    )


def _switch(
    database: Database, to: PublisherName, actor: str, reason: str, *, dry_run: bool
) -> Flip:
    require_actor(actor, reason)
    with database.transaction() as connection:
        return flip(connection, to, actor=actor, reason=reason, dry_run=dry_run)


@contextmanager
def _asking(
    database: Database, certificate: Certificate, actor: str, reason: str, wait_seconds: float
) -> Iterator[int]:
    """Hold a wish to switch; whatever goes wrong, it is taken back, or runs out by itself."""
    with database.transaction() as connection:
        control_alone(connection)
        _require(certificate, connection)
        seconds = max(wait_seconds, 0.0) + _FLIP_SECONDS
        asked = wish.ask(connection, actor, reason, seconds=seconds)
    try:
        yield asked
    except BaseException:  # Ctrl-C as well
        with suppress(DatabaseError), database.transaction() as connection:
            wish.withdraw(connection, actor, asked)
        raise


def _await_release(database: Database, wait_seconds: float, sleep: Callable[[float], None]) -> None:
    until = time.monotonic() + wait_seconds
    while time.monotonic() < until:
        with database.transaction() as connection:
            held = lease.unreleased(connection)
        if held is None or held.expired:
            return
        sleep(0.2)


def _require(certificate: Certificate, connection: Connection) -> None:
    refusal = certificate(connection)
    if refusal is not None:
        raise RefusedError(
            refusal, hint="the publisher stays as it is; `swarm publisher show` says who"
        )


def flip(
    connection: Connection, to: PublisherName, *, actor: str, reason: str, dry_run: bool = False
) -> Flip:
    """Make ``to`` the publisher and hand over what nobody has begun; or say what that would do.

    Flipping to the publisher in office is allowed: it raises the epoch and thereby fences claims
    that have not reached their POST. Raises ``RefusedError`` when ``to`` is swarm while legacy may
    still be publishing, or has published, under a lease it has not given back; and, whoever ``to``
    is, while a restored ledger was not compared with the mailbox.
    """
    before = read_control(connection) if dry_run else control_alone(connection)
    if to is not PublisherName.NONE:
        _require_reconciled(connection)
    if to is PublisherName.SWARM:
        lease.require_released(connection)
    counts = connection.execute(_FORECAST, {"to": to}).fetchone() or {}
    if dry_run:
        forecast = {"active": to, "epoch": before.epoch + 1, "reason": reason, "actor": actor}
        return Flip(before=before, after=before.model_copy(update=forecast), dry_run=True, **counts)
    connection.execute(_APPOINT, {"to": to, "reason": reason, "actor": actor})
    connection.execute(_REMEMBER)
    after = read_control(connection)
    hand_over(connection, after)
    if to is not PublisherName.SWARM:  # whoever still waits to cut over must decide anew
        wish.end_expired(connection, actor)
        wish.withdraw(connection, actor)
    return Flip(before=before, after=after, dry_run=False, **counts)


def _require_reconciled(connection: Connection) -> None:
    restored = unreconciled(connection)
    if restored is not None:
        raise RefusedError(
            f"this ledger was restored from the backup of {restored.backup_at:%F %H:%M} UTC and may"
            " not know what was drafted since: nobody may publish",
            hint="`swarm reconcile` compares it with the mailbox",
        )


def appoint_initial(database: Database, to: PublisherName, *, actor: str, reason: str) -> Control:
    """Appoint the first publisher of a fresh installation; later calls change nothing.

    Returns the control row in force. Only epoch 0 may be appointed without a certificate.
    """
    with database.transaction() as connection:
        control = control_alone(connection)
        if control.epoch > 0:
            return control
        return flip(connection, to, actor=actor, reason=reason).after


def require_actor(actor: str, reason: str) -> None:
    """Raise ``RefusedError`` unless a switch says who asks and why."""
    if not actor.strip() or not reason.strip():
        raise RefusedError("a switch must say who asks and why", hint="give both")
