"""State moves of a work order inside the caller's transaction: closing by its run, settling by the
publication ledger, burying by the queue. Each says True or "not me", appends its event and raises
the alert its new state needs. What may move where is decided in ``transitions``.
"""

from collections.abc import Sequence

from psycopg.types.json import Jsonb

from swarm.models import Fence, Reason, WorkOrderState
from swarm.store import alerts
from swarm.store.database import Connection
from swarm.store.escalation_policy import DESKED, EscalationPolicy, rules_of
from swarm.store.events import moved
from swarm.store.postgres_events import Locked, append, lock, lock_fenced
from swarm.store.queue import Job
from swarm.store.transitions import ledger_may_move, run_may_move, settled

_MOVE = """
UPDATE work_orders
   SET state = %(to)s, state_reason = %(reason)s,
       final_at = CASE WHEN %(final)s THEN now() END
 WHERE key = %(key)s AND state = %(from)s
"""

_SAVE_JOB = """
UPDATE swarm_jobs
   SET state = %(state)s, attempt = %(attempt)s, failures = %(failures)s, token = %(token)s,
       run_id = %(run_id)s, stage = %(stage)s, not_before = %(not_before)s,
       requested_at = %(requested_at)s, lease_until = %(lease_until)s,
       heartbeat_at = %(heartbeat_at)s, last_error = %(last_error)s, dead_reason = %(dead_reason)s,
       waiting_since = %(waiting_since)s
 WHERE work_order_key = %(work_order_key)s
"""

_BURY_JOB = """
UPDATE swarm_jobs SET state = 'dead', dead_reason = %(reason)s, waiting_since = NULL
 WHERE work_order_key = %(key)s AND state = 'done'
"""

_FINISH_RUN = """
UPDATE workflow_runs SET finished_at = now(), outcome = %s
 WHERE run_id = %s AND finished_at IS NULL
"""

# Once for each time it comes to that: a work order that a person released may escalate again.
_ESCALATE = """
INSERT INTO escalations (work_order_key, classes, reasons, owner, received_at, acknowledge_by)
SELECT key, %(classes)s, %(reasons)s, %(owner)s,
       coalesce((body->>'received_at')::timestamptz, accepted_at), now() + %(due)s
  FROM work_orders WHERE key = %(key)s
ON CONFLICT (work_order_key) DO UPDATE
   SET classes = excluded.classes, reasons = excluded.reasons, owner = excluded.owner,
       acknowledge_by = excluded.acknowledge_by, acknowledged_at = NULL, acknowledged_by = NULL
"""

_ALERTED = {WorkOrderState.HELD: alerts.HELD, WorkOrderState.DEAD: alerts.DEAD}


def close_work_order(
    connection: Connection,
    fence: Fence,
    state: WorkOrderState,
    reason: str,
    policy: EscalationPolicy | None = None,
) -> bool:
    """Move to ``publishing`` or a final state and settle job and run, in the caller's transaction.

    True also when it stands in ``publishing`` already and is to be there. False: it was decided
    before. The job is settled either way. Raises ``FencedOutError``.
    """
    if state in DESKED:  # none without owner and timers, whoever calls
        desk = policy or EscalationPolicy()
        return hand_to_a_person(connection, fence, (), desk, state=state, reason=reason)
    locked, job = lock_fenced(connection, fence)
    mine = run_may_move(locked.state)
    if mine:
        locked = move(connection, locked, state, reason, fence=fence)
    finish(connection, locked, job, fence)
    return mine or locked.state is state is WorkOrderState.PUBLISHING


def hand_to_a_person(
    connection: Connection,
    fence: Fence,
    reasons: Sequence[Reason],
    policy: EscalationPolicy,
    *,
    state: WorkOrderState = WorkOrderState.ESCALATED,
    reason: str = "",
) -> bool:
    """Close as escalated or declined, with owner and timers (ES-22). False: it was decided before.

    ``reason`` is the one-line reason of the state; without it, the rules that fired are named.
    """
    locked, job = lock_fenced(connection, fence)
    mine = run_may_move(locked.state)
    if mine:
        _write_escalation(connection, locked.key, state, reasons, policy)
        why = reason or rules_of(reasons)
        locked = move(connection, locked, state, why, fence=fence)
    finish(connection, locked, job, fence)
    return mine


def settle_publication(
    connection: Connection, key: str, state: WorkOrderState, reason: str
) -> bool:
    """Let the ledger settle a work order: publishing -> published, held or dead; held -> published.

    For the ledger's own transaction, so that both say the same. False ("not me") from any other
    state: an escalation stays an escalation whatever the other publisher did.
    """
    locked = lock(connection, key)
    if not ledger_may_move(locked.state, state):
        return False
    if locked.state is WorkOrderState.HELD:
        alerts.resolve(connection, alerts.HELD, key)
    move(connection, locked, state, reason, actor="ledger")
    if state is WorkOrderState.DEAD:  # at rest until now: the list of dead letters must show it
        connection.execute(_BURY_JOB, {"key": key, "reason": reason})
    return True


def move(
    connection: Connection,
    locked: Locked,
    state: WorkOrderState,
    reason: str,
    *,
    fence: Fence | None = None,
    actor: str = "run",
) -> Locked:
    """Move a locked work order, with its event and the alert its new state needs."""
    connection.execute(
        _MOVE,
        {
            "key": locked.key,
            "from": locked.state,
            "to": state,
            "reason": reason,
            "final": state.final,
        },
    )
    if state in _ALERTED:
        alerts.raise_alert(connection, _ALERTED[state], locked.key, reason)
    event = moved(locked.state, state, reason, actor)
    return append(connection, locked, event, fence)[0].becomes(state)


def finish(connection: Connection, locked: Locked, job: Job, fence: Fence) -> None:
    """Settle job and run after the run has said what it had to say."""
    save_job(connection, settled(job, locked.state))
    finish_run(connection, fence.run_id, outcome_of(locked.state))


def save_job(connection: Connection, job: Job) -> None:
    """Write a job this transaction holds locked."""
    connection.execute(_SAVE_JOB, job.model_dump())


def finish_run(connection: Connection, run_id: str | None, outcome: str) -> None:
    """Note how a run ended; the first ending stays."""
    connection.execute(_FINISH_RUN, (outcome, run_id))


def outcome_of(state: WorkOrderState) -> str:
    """Return how a run ended that left the work order in this state."""
    return "failed" if state is WorkOrderState.DEAD else str(state)


def _write_escalation(
    connection: Connection,
    key: str,
    state: WorkOrderState,
    reasons: Sequence[Reason],
    policy: EscalationPolicy,
) -> None:
    classes, owner, due = policy.desk(state, reasons)
    row = {
        "key": key,
        "classes": Jsonb(list(classes)),
        "reasons": Jsonb([reason.model_dump(mode="json") for reason in reasons]),
        "owner": owner,
        "due": due,
    }
    connection.execute(_ESCALATE, row)
    if policy.urgent(classes):
        detail = f"{', '.join(classes)}: {owner} within {due}"
        alerts.raise_alert(connection, alerts.ESCALATION_URGENT, key, detail)
