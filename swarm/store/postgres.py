"""``PostgresStore``: the store of production runs. Two statements per stage, one transaction each.

What lives elsewhere: locking and the chain (``postgres_events``), state moves
(``postgres_transitions``), the queue (``postgres_queue``), intake and ledger (their rooms).
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from psycopg.types.json import Jsonb

from swarm.errors import MalformedInputError
from swarm.models import (
    Contact,
    Event,
    Fence,
    Noun,
    Reason,
    Stage,
    StageArtifact,
    StoredEvent,
    Tier,
    Verdict,
    WorkOrder,
    WorkOrderState,
    canonical_sha256,
)
from swarm.store import reply_outcomes
from swarm.store.artifacts import verified
from swarm.store.contacts import contacts
from swarm.store.database import Connection, Database, Row
from swarm.store.escalation_policy import EscalationPolicy
from swarm.store.events import stage_event, tier_raised, verdicts_recorded
from swarm.store.model_ledger import PostgresModelLedger
from swarm.store.postgres_events import (
    APPEND_COLUMNS,
    APPEND_VALUES,
    append,
    event_parameters,
    lock,
    lock_fenced,
    seal,
)
from swarm.store.postgres_transitions import close_work_order, hand_to_a_person
from swarm.store.releases import Release, release_in_force

# One statement, so that a stage costs two round trips: the lock, then everything. The same bytes
# again change no row of `stored`, and then nothing else is written but the lease. The lease keeps
# the length the queue gave it.
_WRITE_STAGE = f"""
WITH stored AS (
    INSERT INTO artifacts (work_order_key, stage, token, attempt, run_id, body, sha256, at)
    VALUES (%(work_order_key)s, %(stage)s, %(token)s, %(attempt)s, %(run_id)s, %(body)s,
            %(sha256)s, %(at)s)
    ON CONFLICT (work_order_key, stage, token)
    DO UPDATE SET body = excluded.body, sha256 = excluded.sha256, at = excluded.at
    WHERE artifacts.sha256 <> excluded.sha256
    RETURNING at
), event AS (
    INSERT INTO workflow_events {APPEND_COLUMNS} SELECT {APPEND_VALUES} FROM stored
), head AS (
    UPDATE work_orders SET chain_seq = %(seq)s, chain_hash = %(hash)s
      FROM stored WHERE key = %(work_order_key)s
), job AS (
    UPDATE swarm_jobs
       SET stage = %(stage)s, lease_until = clock_timestamp() + (lease_until - heartbeat_at),
           heartbeat_at = clock_timestamp()
     WHERE work_order_key = %(work_order_key)s AND state = 'running'
)
SELECT coalesce((SELECT at FROM stored),
                (SELECT at FROM artifacts WHERE work_order_key = %(work_order_key)s
                    AND stage = %(stage)s AND token = %(token)s)) AS at
"""

# The accepted body stays what it was; a release says which one counts.
ORDER_BODY = """
SELECT coalesce(v.body, w.body) AS body
  FROM work_orders w
  LEFT JOIN LATERAL (SELECT revision_sha256 FROM releases r WHERE r.work_order_key = w.key
                      ORDER BY number DESC LIMIT 1) in_force ON true
  LEFT JOIN revision v ON v.work_order_key = w.key AND v.canonical_sha256 = in_force.revision_sha256
 WHERE w.key = %s
"""

_ARTIFACT = """
SELECT work_order_key, stage, attempt, run_id, body, sha256, at FROM artifacts
 WHERE work_order_key = %s AND stage = %s ORDER BY token DESC LIMIT 1
"""

_EVENTS = """
SELECT work_order_key, seq, attempt, run_id, kind, stage, actor, detail, duration_ms, cost, at,
       previous_hash, hash
  FROM workflow_events WHERE work_order_key = %s ORDER BY seq
"""

# Sorted, so that two writers of the same verdicts cannot deadlock.
_RECORD_VERDICTS = """
INSERT INTO verdicts (rule, version, draft_sha256, evidence_sha256, ruling, reasons, decided_by,
                      work_order_key)
SELECT rule, version, draft_sha256, evidence_sha256, ruling, reasons, decided_by, %s
  FROM jsonb_to_recordset(%s) AS v (rule text, version text, draft_sha256 text,
       evidence_sha256 text, ruling text, reasons jsonb, decided_by text)
 ORDER BY draft_sha256, evidence_sha256, rule, version
ON CONFLICT DO NOTHING
RETURNING rule, version, draft_sha256, evidence_sha256
"""

_VERDICTS = """
SELECT rule, version, draft_sha256, evidence_sha256, ruling, reasons, decided_by FROM verdicts
 WHERE draft_sha256 = %s AND evidence_sha256 = %s ORDER BY rule, version
"""


class PostgresStore(PostgresModelLedger):
    """``RunStore`` on Postgres. ``clock`` None: the database's own, one time for all hosts."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime] | None = None,
        policy: EscalationPolicy | None = None,
        ahead: bool = False,
    ) -> None:
        super().__init__(database, ahead=ahead)
        self._clock = clock
        self._policy = policy or EscalationPolicy()

    def work_order(self, key: str) -> WorkOrder:
        """Return the work order: as accepted, or the revision of the release in force.

        Raises ``MalformedInputError`` for an unknown key.
        """
        row = self._one(ORDER_BODY, (key,))
        if row is None:
            raise MalformedInputError("no such work order", work_order=key)
        return WorkOrder.model_validate(row["body"])

    def state(self, key: str) -> WorkOrderState:
        """Return where the work order is now."""
        row = self._one("SELECT state FROM work_orders WHERE key = %s", (key,))
        if row is None:
            raise MalformedInputError("no such work order", work_order=key)
        return WorkOrderState(row["state"])

    def contacts(self, key: str) -> Sequence[Contact]:
        """Return his earlier mails and the thread's, and the later ones that may have drafts."""
        with self._database.transaction() as connection:
            row = connection.execute(
                "SELECT body FROM work_orders WHERE key = %s", (key,)
            ).fetchone()
            order = WorkOrder.model_validate(row["body"]) if row else None
            return contacts(connection, order) if order else ()

    def rejected_drafts(self, key: str) -> int:
        """Return how many drafts people rejected in this conversation and thread (ES-04)."""
        with self._database.transaction() as connection:
            return reply_outcomes.rejected_drafts(connection, key)

    def write_stage(
        self, fence: Fence, stage: Stage, artifact: Noun, event: Event
    ) -> StageArtifact:
        """Store output and event, extending the lease; see the protocol.

        Other bytes under the same fence (a step Dagster repeats within a run) replace the earlier
        ones; the chain keeps both hashes. Raises ``MalformedInputError`` for text Postgres refuses.
        """
        body = artifact.model_dump(mode="json")
        sha256 = canonical_sha256(body)
        named = stage_event(event, stage, sha256)
        with self._writing(fence.work_order_key) as connection:
            locked, _ = lock_fenced(connection, fence)
            at = self._clock() if self._clock else locked.now
            stored = seal(locked, named, fence, at)
            row = connection.execute(
                _WRITE_STAGE,
                {
                    **event_parameters(stored),
                    "token": fence.token,
                    "body": Jsonb(body),
                    "sha256": sha256,
                },
            ).fetchone()
        return StageArtifact(
            work_order_key=fence.work_order_key,
            stage=stage,
            attempt=fence.attempt,
            run_id=fence.run_id,
            body=body,
            sha256=sha256,
            at=row["at"] if row else at,
        )

    def release(self, key: str) -> Release | None:
        """Return the release in force; None when there is none."""
        with self._database.transaction() as connection:
            return release_in_force(connection, key)

    def artifact(self, key: str, stage: Stage) -> StageArtifact | None:
        """Return the newest stored output of a stage, hash verified; None when there is none."""
        row = self._one(_ARTIFACT, (key, stage))
        return None if row is None else verified(StageArtifact.model_validate(row))

    def append_event(self, key: str, event: Event, fence: Fence | None = None) -> StoredEvent:
        """Append to the chain; with a fence, only while it is current (``FencedOutError``)."""
        with self._writing(key) as connection:
            locked = lock_fenced(connection, fence)[0] if fence else lock(connection, key)
            return append(connection, locked, event, fence)[1]

    def events(self, key: str) -> Sequence[StoredEvent]:
        """Return the chain, oldest first."""
        with self._database.transaction() as connection:
            return stored_events(connection, key)

    def record_verdicts(self, key: str, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
        """Store verdicts; one that exists already is returned as stored (first writer wins)."""
        if not verdicts:
            return ()
        rows = Jsonb([verdict.model_dump(mode="json") for verdict in verdicts])
        with self._writing(key) as connection:
            locked = lock(connection, key)
            new = {_name(row) for row in connection.execute(_RECORD_VERDICTS, (key, rows))}
            recorded = [v for v in verdicts if v.name in new]
            if recorded:
                append(connection, locked, verdicts_recorded(recorded))
            if len(recorded) == len(verdicts):
                return tuple(verdicts)
            return _as_stored(connection, verdicts)

    def verdicts(self, draft_sha256: str, evidence_sha256: str) -> tuple[Verdict, ...]:
        """Return every ruling about these exact bytes and this evidence."""
        with self._database.transaction() as connection:
            return _verdicts(connection, draft_sha256, evidence_sha256)

    def raise_tier(self, fence: Fence, tier: Tier) -> Tier:
        """Raise the tier floor; returns the floor in force, never lower than before (ES-02)."""
        with self._writing(fence.work_order_key) as connection:
            locked, _ = lock_fenced(connection, fence)
            if tier <= locked.tier:
                return locked.tier
            connection.execute(
                "UPDATE work_orders SET tier = %s WHERE key = %s AND tier < %s",
                (tier, locked.key, tier),
            )
            append(connection, locked, tier_raised(locked.tier, tier), fence)
            return tier

    def escalate(self, fence: Fence, reasons: Sequence[Reason]) -> bool:
        """Close as escalated with owner and timers (ES-22). False: it was decided already."""
        with self._writing(fence.work_order_key) as connection:
            return hand_to_a_person(connection, fence, reasons, self._policy)

    def decline(self, fence: Fence, reasons: Sequence[Reason]) -> bool:
        """Close as declined, with an owner and a time of its own. False: decided already."""
        declined = WorkOrderState.DECLINED
        with self._writing(fence.work_order_key) as connection:
            return hand_to_a_person(connection, fence, reasons, self._policy, state=declined)

    def close(self, fence: Fence, state: WorkOrderState, reason: str) -> bool:
        """Move to ``publishing`` or a final state and settle the job; see ``close_work_order``."""
        with self._writing(fence.work_order_key) as connection:
            return close_work_order(connection, fence, state, reason, self._policy)

    def _one(self, sql: str, parameters: Iterable[object]) -> Row | None:
        with self._database.transaction() as connection:
            return connection.execute(sql, tuple(parameters)).fetchone()


def stored_events(connection: Connection, key: str) -> tuple[StoredEvent, ...]:
    """Return a work order's chain, oldest first."""
    return tuple(StoredEvent.model_validate(row) for row in connection.execute(_EVENTS, (key,)))


def _verdicts(connection: Connection, draft: str, evidence: str) -> tuple[Verdict, ...]:
    rows = connection.execute(_VERDICTS, (draft, evidence))
    return tuple(Verdict.model_validate(row) for row in rows)


def _as_stored(connection: Connection, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    subjects = {(verdict.draft_sha256, verdict.evidence_sha256) for verdict in verdicts}
    stored = {v.name: v for subject in subjects for v in _verdicts(connection, *subject)}
    return tuple(stored[verdict.name] for verdict in verdicts)


def _name(row: Row) -> tuple[str, str, str, str]:
    return row["rule"], row["version"], row["draft_sha256"], row["evidence_sha256"]
