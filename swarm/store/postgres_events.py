"""Locking a work order, and appending to its event chain, inside the caller's transaction.

Everybody who writes for a work order locks its row first (then its job's), so the chain cannot race
and lock order is the same everywhere. The row carries the chain's head: under READ COMMITTED a
waiter re-reads the locked row, but not another table, so the head must stand in it.
``FOR NO KEY UPDATE`` leaves foreign-key checks of other rooms unblocked.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from psycopg.types.json import Jsonb

from swarm.errors import MalformedInputError
from swarm.models import Event, Fence, StoredEvent, Tier, WorkOrderState
from swarm.store.database import Connection, Row
from swarm.store.event_chain import link
from swarm.store.queue import Job
from swarm.store.transitions import require_hold

_JOB_COLUMNS = """
j.work_order_key, j.state, j.attempt, j.failures, j.token, j.run_id, j.stage, j.not_before,
j.requested_at, j.lease_until, j.heartbeat_at, j.last_error, j.dead_reason, j.waiting_since
"""

SELECT_JOBS = f"SELECT {_JOB_COLUMNS} FROM swarm_jobs j"

_LOCK = """
SELECT key, state, tier, chain_seq, chain_hash, clock_timestamp() AS now
  FROM work_orders WHERE key = %s FOR NO KEY UPDATE
"""

_LOCK_WITH_JOB = f"""
SELECT w.state AS order_state, w.tier, w.chain_seq, w.chain_hash, clock_timestamp() AS now,
       {_JOB_COLUMNS}
  FROM work_orders w JOIN swarm_jobs j ON j.work_order_key = w.key
 WHERE w.key = %s FOR NO KEY UPDATE
"""

APPEND_COLUMNS = """
(work_order_key, seq, attempt, run_id, kind, stage, actor, detail, duration_ms, cost, at,
 previous_hash, hash)
"""

APPEND_VALUES = """
%(work_order_key)s, %(seq)s, %(attempt)s, %(run_id)s, %(kind)s, %(stage)s, %(actor)s, %(detail)s,
%(duration_ms)s, %(cost)s, %(at)s, %(previous_hash)s, %(hash)s
"""

_APPEND = f"""
WITH head AS (
    UPDATE work_orders SET chain_seq = %(seq)s, chain_hash = %(hash)s WHERE key = %(work_order_key)s
)
INSERT INTO workflow_events {APPEND_COLUMNS} VALUES ({APPEND_VALUES})
"""


@dataclass(frozen=True, slots=True)
class Locked:
    """A work order while this transaction holds it: state, head of the chain, database time."""

    key: str
    state: WorkOrderState
    tier: Tier
    seq: int
    hash: str
    now: datetime

    def after(self, event: StoredEvent) -> "Locked":
        """Return the same work order with the event as its new head."""
        return replace(self, seq=event.seq, hash=event.hash)

    def becomes(self, state: WorkOrderState) -> "Locked":
        """Return the same work order in another state."""
        return replace(self, state=state)


def lock(connection: Connection, key: str) -> Locked:
    """Lock a work order; raises ``MalformedInputError`` when the key is unknown."""
    row = connection.execute(_LOCK, (key,)).fetchone()
    if row is None:
        raise MalformedInputError("no such work order", work_order=key)
    return _locked(row, key, row["state"])


def lock_with_job(
    connection: Connection, key: str, *, skip_locked: bool = False
) -> tuple[Locked, Job] | None:
    """Lock a work order and its job; None when there is none (or, if asked, when it is locked)."""
    sql = _LOCK_WITH_JOB + (" SKIP LOCKED" if skip_locked else "")
    row = connection.execute(sql, (key,)).fetchone()
    return None if row is None else (_locked(row, key, row["order_state"]), job_of(row))


def lock_fenced(connection: Connection, fence: Fence) -> tuple[Locked, Job]:
    """Lock for a writer; raises ``FencedOutError`` when its fence is void or the job is unknown."""
    found = lock_with_job(connection, fence.work_order_key)
    require_hold(found[1] if found else None, fence)
    assert found is not None  # noqa: S101 - require_hold has just refused None
    return found


def append(
    connection: Connection, locked: Locked, event: Event, fence: Fence | None = None
) -> tuple[Locked, StoredEvent]:
    """Append to the chain of a locked work order; returns it with its new head, and the event."""
    stored = seal(locked, event, fence)
    connection.execute(_APPEND, event_parameters(stored))
    return locked.after(stored), stored


def seal(
    locked: Locked, event: Event, fence: Fence | None, at: datetime | None = None
) -> StoredEvent:
    """Return the event as the next of the chain. Attempt 0 and no run: nobody's run wrote it."""
    return link(
        event,
        key=locked.key,
        previous_seq=locked.seq,
        previous_hash=locked.hash,
        run_id=fence.run_id if fence else "",
        attempt=fence.attempt if fence else 0,
        at=at or locked.now,
    )


def event_parameters(event: StoredEvent) -> dict[str, object]:
    """Return the named parameters of ``APPEND_VALUES``."""
    return {**event.model_dump(), "detail": Jsonb(dict(event.detail))}


def job_of(row: Row) -> Job:
    """Return the job noun of a row selected with its columns."""
    return Job.model_validate({name: row[name] for name in Job.model_fields})


def _locked(row: Row, key: str, state: str) -> Locked:
    return Locked(
        key=key,
        state=WorkOrderState(state),
        tier=Tier(row["tier"]),
        seq=row["chain_seq"],
        hash=row["chain_hash"],
        now=row["now"],
    )
