"""Every transition of a ledger row: each UPDATE of ``publication_ledger`` stands in this file.

Each is a compare-and-set that names the states it starts from (and, once a row was claimed, the
fence); a function that moved nothing says so, and its caller does nothing either ("not me"). Every
move of the state leaves its line in ``publication_log``, in the same statement.

    from                     to                      by                 when
    PENDING_PAYLOAD, READY   READY                   make_ready         its payload is stored
    PENDING_PAYLOAD, READY   READY, PENDING_PAYLOAD  hand_over          a flip; nobody has begun it
    READY                    SENDING                 begin_sending      durable intent, fence + 1
    SENDING                  ACCEPTED                record_accepted    the hook took it
    SENDING                  UNKNOWN                 record_unknown     nobody can say
    SENDING                  READY, PENDING_PAYLOAD  record_not_sent    proven: no byte was taken
    PENDING_PAYLOAD, READY   ACCEPTED, UNKNOWN       record_journalled  posted under legacy's lease
    SENDING, ACCEPTED,
      UNKNOWN, HELD          CONFIRMED               record_confirmed   the mailbox holds it
    PENDING_PAYLOAD, READY,
      SENDING, ACCEPTED,
      UNKNOWN                HELD                    record_held        a person must look
    READY                    DEAD                    record_dead        attempts used up, none taken

Never: SENDING -> READY by age. Never: anything -> READY after a post of unknown outcome.
``postpone``, ``schedule_looks`` and ``stop_looking`` move no state. CONFIRMED and DEAD are final;
HELD is left only by a draft that turns up late. Rows are inserted by ``enqueue``.

That is what programs do by themselves. Besides, a person's recorded release (``reopen``) takes a
row that is not in flight and not CONFIRMED back to PENDING_PAYLOAD, for a new payload.

Every transaction that writes READY or SENDING holds the switch lock first (``control``). What lives
elsewhere: what follows for the work order (``endings``), who calls when (``dispatch``).
Source: publishing protocol, sections 3, 4 and 6.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from swarm.clients.protocol import FoundDraft, HookReceipt
from swarm.publishing.control import Control, PublisherName
from swarm.publishing.ledger.states import LedgerState
from swarm.store.database import Connection, Row

_PENDING, _READY, _SENDING = LedgerState.PENDING_PAYLOAD, LedgerState.READY, LedgerState.SENDING
_ACCEPTED, _UNKNOWN, _HELD = LedgerState.ACCEPTED, LedgerState.UNKNOWN, LedgerState.HELD


@dataclass(frozen=True, slots=True)
class Move:
    """A legal move: the states it may start from, and those it may end in."""

    before: frozenset[LedgerState]
    after: frozenset[LedgerState]


def _move(before: Sequence[LedgerState], after: Sequence[LedgerState]) -> Move:
    return Move(frozenset(before), frozenset(after))


MOVES: Final = {
    "make_ready": _move([_PENDING, _READY], [_READY]),
    "hand_over": _move([_PENDING, _READY], [_READY, _PENDING]),
    "begin_sending": _move([_READY], [_SENDING]),
    "record_accepted": _move([_SENDING], [_ACCEPTED]),
    "record_unknown": _move([_SENDING], [_UNKNOWN]),
    "record_not_sent": _move([_SENDING], [_READY, _PENDING]),
    "record_journalled": _move([_PENDING, _READY], [_ACCEPTED, _UNKNOWN]),
    "record_confirmed": _move([_SENDING, _ACCEPTED, _UNKNOWN, _HELD], [LedgerState.CONFIRMED]),
    "record_held": _move([_PENDING, _READY, _SENDING, _ACCEPTED, _UNKNOWN], [_HELD]),
    "record_dead": _move([_READY], [LedgerState.DEAD]),
}
"""The table above as data. The statements below start from these states and from no other."""

REOPEN: Final = _move([_PENDING, _READY, _HELD, LedgerState.DEAD], [_PENDING])
"""What a person's release does to a row; no program does it by itself."""


@dataclass(frozen=True, slots=True)
class Office:
    """Whose row it was when it was read: a flip since then has given it to somebody else."""

    publisher: PublisherName
    epoch: int


_IN_OFFICE = """
       (%(publisher)s::text IS NULL
        OR (publisher = %(publisher)s::text AND epoch = %(epoch)s::bigint))"""


def _office(office: Office | None) -> dict[str, object]:
    if office is None:
        return {"publisher": None, "epoch": None}
    return {"publisher": office.publisher, "epoch": office.epoch}


# --- before anything is sent ----------------------------------------------------------------------

_MAKE_READY = """
WITH moved AS (
    UPDATE publication_ledger
       SET payload_sha256 = %(sha256)s, state = 'READY',
           changed_at = CASE WHEN state = 'READY' THEN changed_at ELSE now() END
     WHERE work_order_key = %(key)s AND publisher = %(publisher)s
       AND state = ANY(%(before)s) AND payload_sha256 IS DISTINCT FROM %(sha256)s
 RETURNING work_order_key, fence)
INSERT INTO publication_log (work_order_key, fence, event, detail)
SELECT work_order_key, fence, 'ready', 'payload of ' || %(publisher)s FROM moved
"""

# What nobody has begun goes to the new publisher; what is in flight stays until it is resolved.
_HAND_OVER = """
WITH handed_over AS (
    UPDATE publication_ledger l
       SET publisher = %(to)s,
           epoch = %(epoch)s,
           payload_sha256 = (SELECT p.sha256 FROM publication_payload p
                              WHERE p.work_order_key = l.work_order_key AND p.publisher = %(to)s),
           state = CASE WHEN EXISTS (SELECT 1 FROM publication_payload p
                                      WHERE p.work_order_key = l.work_order_key
                                        AND p.publisher = %(to)s)
                        THEN 'READY' ELSE 'PENDING_PAYLOAD' END,
           changed_at = now()
     WHERE l.state = ANY(%(before)s)
 RETURNING l.work_order_key, l.fence, l.state)
INSERT INTO publication_log (work_order_key, fence, event, detail)
SELECT work_order_key, fence, 'handed_over', 'to ' || %(to)s || ' as ' || state FROM handed_over
"""

_BEGIN_SENDING = """
WITH claimed AS (
    UPDATE publication_ledger
       SET state = 'SENDING', fence = fence + 1, epoch = %(epoch)s, attempts = attempts + 1,
           owner_host = %(host)s, owner_boot_id = %(boot_id)s, owner_pid = %(pid)s,
           owner_starttime = %(starttime)s, intent_at = clock_timestamp(), changed_at = now(),
           http_status = NULL, zap_request_id = NULL, claim_id = %(claim_id)s
     WHERE work_order_key = %(key)s AND state = ANY(%(before)s) AND fence = %(fence)s
 RETURNING work_order_key, publisher, fence, epoch, attempts, intent_at),
logged AS (
    INSERT INTO publication_log (work_order_key, fence, event, detail)
    SELECT work_order_key, fence, 'claimed', 'by ' || publisher || ', epoch ' || epoch FROM claimed)
SELECT * FROM claimed
"""

_POSTPONE = f"""
UPDATE publication_ledger
   SET not_before = clock_timestamp() + make_interval(secs => %(delay)s), last_error = %(why)s
 WHERE work_order_key = %(key)s AND fence = %(fence)s AND {_IN_OFFICE}
   AND state = 'READY'
"""


def make_ready(
    connection: Connection, key: str, publisher: PublisherName, payload_sha256: str
) -> bool:
    """The payload of the row's publisher is stored. False: another's row, begun, or no news."""
    columns = {"key": key, "publisher": publisher, "sha256": payload_sha256}
    return _moved(connection, "make_ready", _MAKE_READY, columns)


def hand_over(connection: Connection, control: Control) -> int:
    """Give what nobody has begun to the publisher now in office; returns how many rows moved."""
    columns = {"to": control.active, "epoch": control.epoch, "before": _before("hand_over")}
    return connection.execute(_HAND_OVER, columns).rowcount


def begin_sending(
    connection: Connection,
    key: str,
    fence: int,
    *,
    epoch: int,
    owner: Mapping[str, object],
    claim_id: UUID | None,
) -> Row | None:
    """Write the intent to post under the next fence; None: not mine any more.

    ``claim_id`` names this very claim, for ``withdraw``. ``owner`` holds host, boot_id, pid and
    starttime of the process that will post. Returns work_order_key, publisher, fence, epoch,
    attempts and intent_at of the claim.
    """
    columns = {
        "key": key,
        "fence": fence,
        "epoch": epoch,
        "claim_id": claim_id,
        "before": _before("begin_sending"),
    }
    return connection.execute(_BEGIN_SENDING, {**columns, **owner}).fetchone()


def postpone(
    connection: Connection, key: str, fence: int, why: str, office: Office, *, delay: float
) -> bool:
    """Leave a due publication for ``delay`` seconds: what decides cannot be had now."""
    columns = {"key": key, "fence": fence, "why": why, "delay": delay, **_office(office)}
    return connection.execute(_POSTPONE, columns).rowcount == 1


# --- what became of a post ------------------------------------------------------------------------

_RECORD_ACCEPTED = """
WITH moved AS (
    UPDATE publication_ledger
       SET state = 'ACCEPTED', http_status = %(http_status)s, zap_request_id = %(request_id)s,
           ever_uncertain = true, uncertain_posts = uncertain_posts + 1, last_error = '',
           changed_at = now(), look_at = now()
     WHERE work_order_key = %(key)s AND fence = %(fence)s AND state = ANY(%(before)s)
 RETURNING work_order_key, fence)
INSERT INTO publication_log (work_order_key, fence, event, detail)
SELECT work_order_key, fence, 'accepted', 'http ' || %(http_status)s::text FROM moved
"""

_RECORD_UNKNOWN = """
WITH moved AS (
    UPDATE publication_ledger
       SET state = 'UNKNOWN', last_error = %(why)s,
           ever_uncertain = true, uncertain_posts = uncertain_posts + 1,
           changed_at = now(), look_at = now()
     WHERE work_order_key = %(key)s AND fence = %(fence)s AND state = ANY(%(before)s)
 RETURNING work_order_key, fence)
INSERT INTO publication_log (work_order_key, fence, event, detail)
SELECT work_order_key, fence, 'unknown', %(why)s FROM moved
"""

# Back to whoever is active now: a flip may have happened while this was on its way.
_RECORD_NOT_SENT = """
WITH moved AS (
    UPDATE publication_ledger l
       SET publisher = %(active)s, epoch = %(epoch)s, last_error = %(why)s,
           payload_sha256 = (SELECT p.sha256 FROM publication_payload p
                              WHERE p.work_order_key = l.work_order_key
                                AND p.publisher = %(active)s),
           state = CASE WHEN EXISTS (SELECT 1 FROM publication_payload p
                                      WHERE p.work_order_key = l.work_order_key
                                        AND p.publisher = %(active)s)
                        THEN 'READY' ELSE 'PENDING_PAYLOAD' END,
           attempts = attempts - %(refund)s,
           not_before = clock_timestamp() + make_interval(secs => %(delay)s), changed_at = now()
     WHERE l.work_order_key = %(key)s AND l.fence = %(fence)s AND l.state = ANY(%(before)s)
       AND (%(claim_id)s::uuid IS NULL OR l.claim_id = %(claim_id)s)
 RETURNING l.work_order_key, l.fence)
INSERT INTO publication_log (work_order_key, fence, event, detail)
SELECT work_order_key, fence, 'not_sent', %(why)s FROM moved
"""

_WAIT_FOR_ROW = "SELECT 1 FROM publication_ledger WHERE work_order_key = %s FOR UPDATE"

# As a claim would have left it. Only a row that nobody ever claimed: the lease allows no other.
_RECORD_JOURNALLED = """
WITH moved AS (
    UPDATE publication_ledger l
       SET state = %(state)s, publisher = 'legacy', epoch = %(epoch)s, fence = fence + 1,
           attempts = attempts + 1,
           intent_at = clock_timestamp() - make_interval(secs => %(seconds_ago)s),
           payload_sha256 = (SELECT p.sha256 FROM publication_payload p
                              WHERE p.work_order_key = l.work_order_key
                                AND p.publisher = 'legacy'),
           http_status = %(http_status)s, zap_request_id = %(request_id)s, last_error = %(why)s,
           ever_uncertain = true, uncertain_posts = uncertain_posts + 1,
           changed_at = now(), look_at = now()
     WHERE work_order_key = %(key)s AND fence = 0 AND state = ANY(%(before)s)
 RETURNING work_order_key, fence)
INSERT INTO publication_log (work_order_key, fence, event, detail)
SELECT work_order_key, fence, 'settled', %(detail)s FROM moved
"""


@dataclass(frozen=True, slots=True)
class JournalledPost:
    """A POST made under legacy's lease, from its journal. ``seconds_ago``: since its intent."""

    key: str
    epoch: int
    seconds_ago: float
    accepted: bool
    http_status: int | None
    request_id: str | None
    why: str
    detail: str


def record_accepted(connection: Connection, key: str, fence: int, receipt: HookReceipt) -> bool:
    """The hook took it: accepted, never done. False: fenced off."""
    said = {"http_status": receipt.http_status, "request_id": receipt.request_id}
    columns = {"key": key, "fence": fence, **said}
    return _moved(connection, "record_accepted", _RECORD_ACCEPTED, columns)


def record_unknown(connection: Connection, key: str, fence: int, why: str) -> bool:
    """Nobody can say whether it arrived. False: fenced off, or resolved already."""
    columns = {"key": key, "fence": fence, "why": why}
    return _moved(connection, "record_unknown", _RECORD_UNKNOWN, columns)


def record_not_sent(
    connection: Connection,
    key: str,
    fence: int,
    why: str,
    control: Control,
    *,
    delay: float,
    refund: bool = False,
    claim_id: UUID | None = None,
) -> bool:
    """Proven: no byte of the request was taken. Ready again after ``delay``, for who is active.

    ``control`` was read under the switch lock. ``refund``: the attempt does not count, because we
    held it back ourselves. False: fenced off.
    """
    columns = {
        "key": key,
        "fence": fence,
        "why": why,
        "active": control.active,
        "epoch": control.epoch,
        "delay": delay,
        "refund": int(refund),
        "claim_id": claim_id,
    }
    return _moved(connection, "record_not_sent", _RECORD_NOT_SENT, columns)


def withdraw(
    connection: Connection, key: str, fence: int, claim_id: UUID, control: Control
) -> bool:
    """Take back exactly this claim, whose COMMIT was not answered; its maker sent nothing.

    The row is waited for first: as long as that COMMIT may still happen, its transaction holds it.
    False: the claim was never made, or somebody has resolved it. ``control`` as above.
    """
    connection.execute(_WAIT_FOR_ROW, (key,))
    why = "the claim was not answered; nothing was sent"
    return record_not_sent(
        connection, key, fence, why, control, delay=0.0, refund=True, claim_id=claim_id
    )


def record_journalled(connection: Connection, post: JournalledPost) -> bool:
    """Legacy posted it while Postgres was away. False: the ledger has a publication of its own."""
    columns = {
        "key": post.key,
        "state": _ACCEPTED if post.accepted else _UNKNOWN,
        "epoch": post.epoch,
        "seconds_ago": post.seconds_ago,
        "http_status": post.http_status,
        "request_id": post.request_id,
        "why": post.why,
        "detail": post.detail,
    }
    return _moved(connection, "record_journalled", _RECORD_JOURNALLED, columns)


# --- the ends -------------------------------------------------------------------------------------

# look_at: one last look after settling, because a Zap that repeats itself makes its second draft
# late.
_RECORD_CONFIRMED = """
WITH moved AS (
    UPDATE publication_ledger
       SET state = 'CONFIRMED', draft_id = %(draft_id)s, draft_folder = %(folder)s,
           draft_link = nullif(%(link)s, ''), last_error = '', changed_at = now(),
           look_at = now() + make_interval(secs => %(settle_seconds)s)
     WHERE work_order_key = %(key)s AND fence = %(fence)s AND state = ANY(%(before)s)
 RETURNING work_order_key, fence)
INSERT INTO publication_log (work_order_key, fence, event, detail)
SELECT work_order_key, fence, 'confirmed', %(why)s FROM moved
"""

_RECORD_HELD = f"""
WITH moved AS (
    UPDATE publication_ledger
       SET state = 'HELD', last_error = %(why)s, changed_at = now(),
           look_at = CASE WHEN fence > 0 THEN now() END
     WHERE work_order_key = %(key)s AND fence = %(fence)s AND state = ANY(%(before)s)
       AND {_IN_OFFICE}
 RETURNING work_order_key, fence)
INSERT INTO publication_log (work_order_key, fence, event, detail)
SELECT work_order_key, fence, 'held', %(why)s FROM moved
"""

_RECORD_DEAD = """
WITH moved AS (
    UPDATE publication_ledger
       SET state = 'DEAD', last_error = %(why)s, changed_at = now(), look_at = NULL
     WHERE work_order_key = %(key)s AND fence = %(fence)s AND state = ANY(%(before)s)
       AND NOT ever_uncertain
 RETURNING work_order_key, fence)
INSERT INTO publication_log (work_order_key, fence, event, detail)
SELECT work_order_key, fence, 'dead', %(why)s FROM moved
"""


def record_confirmed(
    connection: Connection,
    key: str,
    fence: int,
    draft: FoundDraft,
    why: str,
    *,
    states: Sequence[LedgerState],
    settle_seconds: float,
) -> bool:
    """The mailbox holds ``draft``. ``states``: where the caller saw the row. False: moved on."""
    found = {"draft_id": draft.message_id, "folder": draft.folder, "why": why}
    found["link"] = draft.web_link
    columns = {"key": key, "fence": fence, "settle_seconds": settle_seconds, **found}
    return _moved(connection, "record_confirmed", _RECORD_CONFIRMED, columns, states)


def record_held(
    connection: Connection,
    key: str,
    fence: int,
    why: str,
    *,
    states: Sequence[LedgerState],
    office: Office | None = None,
) -> bool:
    """Nothing more happens by itself. ``states``, ``office``: where the caller saw the row, and
    whose it was; a row that nobody has begun goes to somebody else at a flip. False: moved on.
    """
    columns = {"key": key, "fence": fence, "why": why, **_office(office)}
    return _moved(connection, "record_held", _RECORD_HELD, columns, states)


def record_dead(connection: Connection, key: str, fence: int, why: str) -> bool:
    """Attempts are used up. False: moved on, or some attempt may have been taken."""
    return _moved(connection, "record_dead", _RECORD_DEAD, {"key": key, "fence": fence, "why": why})


# Under the switch lock, with a payload still to come: whatever was stored before is not released.
_REOPEN = """
WITH moved AS (
    UPDATE publication_ledger
       SET state = 'PENDING_PAYLOAD', publisher = %(active)s, epoch = %(epoch)s,
           payload_sha256 = NULL, attempts = 0, ever_uncertain = false, uncertain_posts = 0,
           not_before = NULL, look_at = NULL, last_error = '', changed_at = now()
     WHERE work_order_key = %(key)s AND fence = %(fence)s AND state = ANY(%(releasable)s)
 RETURNING work_order_key, fence)
INSERT INTO publication_log (work_order_key, fence, event, detail)
SELECT work_order_key, fence, 'released', 'by ' || %(actor)s FROM moved
"""


def reopen(connection: Connection, key: str, fence: int, control: Control, actor: str) -> bool:
    """A person released it: it waits for a new payload. False: it moved on, or is published."""
    columns = {
        "key": key,
        "fence": fence,
        "active": control.active,
        "epoch": control.epoch,
        "actor": actor,
        "releasable": sorted(REOPEN.before),
    }
    return connection.execute(_REOPEN, columns).rowcount == 1


# --- when to look into the mailbox ----------------------------------------------------------------

# Young rows are looked at every second, older ones at a tenth of their age, at most every 5
# minutes. The due row is put off before the look, so that two reconcilers do not look at the same
# one. ``since``: no draft is older than the first word of it, which for a post under legacy's lease
# is the intent, not the row that was made when Postgres was back. (``least`` passes over NULL.)
_SCHEDULE_LOOKS = """
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
RETURNING l.work_order_key, l.state, l.fence, least(l.created_at, l.intent_at) AS since,
          coalesce((SELECT p.body->>'conversation_id' FROM publication_payload p
                     WHERE p.work_order_key = l.work_order_key AND p.publisher = l.publisher), '')
          AS conversation_id,
          l.changed_at + make_interval(secs => %(settle_seconds)s) <= clock_timestamp() AS settled,
          l.intent_at + make_interval(secs => %(alert_seconds)s) <= clock_timestamp() AS overdue,
          l.changed_at + interval '14 days' <= clock_timestamp() AS forgotten
"""

_STOP_LOOKING = """
UPDATE publication_ledger SET look_at = NULL
 WHERE work_order_key = %s AND fence = %s AND state = %s
"""


def schedule_looks(
    connection: Connection, *, limit: int, settle_seconds: float, alert_seconds: float
) -> list[Row]:
    """Take up to ``limit`` rows whose look is due and put off their next one."""
    limits = {"limit": limit, "settle_seconds": settle_seconds, "alert_seconds": alert_seconds}
    return connection.execute(_SCHEDULE_LOOKS, limits).fetchall()


def stop_looking(connection: Connection, key: str, fence: int, state: LedgerState) -> bool:
    """Nothing more is expected in the mailbox. False: the row moved on."""
    return connection.execute(_STOP_LOOKING, (key, fence, state)).rowcount == 1


def _before(move: str, seen: Sequence[LedgerState] | None = None) -> list[LedgerState]:
    """Return the states a move starts from, narrowed to those the caller saw the row in."""
    legal = MOVES[move].before
    if seen is None:
        return sorted(legal)
    if not legal.issuperset(seen):
        raise ValueError(f"{move} may not start from {', '.join(sorted(set(seen) - legal))}")
    return list(seen)


def _moved(
    connection: Connection,
    move: str,
    statement: str,
    columns: Mapping[str, object],
    seen: Sequence[LedgerState] | None = None,
) -> bool:
    return connection.execute(statement, {**columns, "before": _before(move, seen)}).rowcount == 1
