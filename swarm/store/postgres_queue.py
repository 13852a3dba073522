"""``PostgresQueue``: the job queue of production, on ``swarm_jobs``.

Claiming is SKIP LOCKED, time is the database's clock, and every move is decided by ``transitions``
while the work order and its job are locked. A fence is void as soon as the token has grown.
"""

from collections.abc import Callable, Sequence

from swarm.errors import FencedOutError, MalformedInputError
from swarm.models import Fence, WorkOrderState
from swarm.settings import QueueSettings
from swarm.store import alerts, transitions
from swarm.store.database import Connection, Database
from swarm.store.events import run_ended, run_opened
from swarm.store.postgres_events import SELECT_JOBS, Locked, append, job_of, lock_with_job
from swarm.store.postgres_transitions import finish_run, move, outcome_of, save_job
from swarm.store.prefetched import MODEL_IS_BROKEN, THOUGHT_AHEAD
from swarm.store.queue import Job, JobState, RunRequested

_ENQUEUE = "INSERT INTO swarm_jobs (work_order_key) VALUES (%s) ON CONFLICT DO NOTHING"

# While the model is broken, few of those that wait for it try whether it is back, whoever waited
# longest since its last try; the others leave the workers to mail that may need a person at once.
# Whoever waited too long goes to a person without asking.
_PROBES = 2

# Requests nobody has opened yet come first and count against the limit: what Dagster has not
# started is back-pressure, and repeating them costs one look at their run_key each.
_REQUEST_DUE = f"""
WITH waiting AS (
    SELECT work_order_key, attempt, queued_at FROM swarm_jobs
     WHERE state = 'requested' AND requested_at > now() - make_interval(secs => %(timeout)s)
     ORDER BY queued_at, work_order_key LIMIT %(limit)s
), broken AS (
    {MODEL_IS_BROKEN}
), probes AS (
    SELECT work_order_key FROM swarm_jobs
     WHERE state = 'queued' AND waiting_since IS NOT NULL AND not_before <= now()
     ORDER BY not_before LIMIT greatest(%(probes)s - (
         SELECT count(*) FROM swarm_jobs
          WHERE waiting_since IS NOT NULL AND state IN ('requested', 'running')), 0)
), due AS (
    SELECT work_order_key FROM swarm_jobs j
     WHERE state = 'queued' AND not_before <= now() AND {THOUGHT_AHEAD}
       AND (waiting_since IS NULL OR NOT EXISTS (SELECT 1 FROM broken)
            OR waiting_since < now() - make_interval(secs => %(patience)s)
            OR work_order_key IN (SELECT work_order_key FROM probes))
     ORDER BY queued_at, work_order_key
     LIMIT greatest(%(limit)s - (SELECT count(*) FROM waiting), 0)
     FOR UPDATE SKIP LOCKED
), requested AS (
    UPDATE swarm_jobs j SET state = 'requested', attempt = j.attempt + 1, requested_at = now()
      FROM due WHERE j.work_order_key = due.work_order_key
    RETURNING j.work_order_key, j.attempt, j.queued_at
)
SELECT * FROM waiting UNION ALL SELECT * FROM requested ORDER BY queued_at, work_order_key
"""

_HEARTBEAT = """
UPDATE swarm_jobs
   SET lease_until = CASE WHEN state = 'running'
                          THEN clock_timestamp() + make_interval(secs => %(lease)s) END,
       heartbeat_at = clock_timestamp()
 WHERE work_order_key = %(key)s AND run_id = %(run_id)s AND token = %(token)s
"""

_HELD_BY = """
SELECT work_order_key, run_id, attempt, token FROM swarm_jobs
 WHERE run_id = %s AND state = 'running'
"""

_RENEW = """
UPDATE swarm_jobs j SET requested_at = clock_timestamp()
  FROM unnest(%(keys)s::text[], %(attempts)s::integer[]) AS asked (key, attempt)
 WHERE j.work_order_key = asked.key AND j.attempt = asked.attempt AND j.state = 'requested'
"""

_START_RUN = """
INSERT INTO workflow_runs (run_id, work_order_key, attempt, token) VALUES (%s, %s, %s, %s)
ON CONFLICT (run_id) DO NOTHING
"""

_OVERDUE = """
SELECT work_order_key FROM swarm_jobs
 WHERE (state = 'running' AND lease_until < now())
    OR (state = 'requested' AND requested_at < now() - make_interval(secs => %(timeout)s))
 ORDER BY queued_at LIMIT 200
"""

_BURIED = "SELECT 1 FROM publication_ledger WHERE work_order_key = %s AND state = 'DEAD'"

_ERROR_LENGTH = 500


def enqueue_job(connection: Connection, key: str) -> bool:
    """Add a job in the caller's transaction (intake's); False when there is one already."""
    return connection.execute(_ENQUEUE, (key,)).rowcount == 1


class PostgresQueue:
    """``JobQueue`` on Postgres. ``draw`` gives the jitter."""

    def __init__(
        self,
        database: Database,
        settings: QueueSettings,
        *,
        draw: transitions.Draw = transitions.JITTER,
    ) -> None:
        self._database = database
        self._settings = settings
        self._draw = draw

    def enqueue(self, key: str) -> bool:
        """Add a job for an accepted work order; False when it has one already."""
        with self._database.transaction() as connection:
            return enqueue_job(connection, key)

    def request_due(self, limit: int) -> Sequence[RunRequested]:
        """Move due jobs to requested and repeat what nobody opened yet; see the protocol."""
        limits = {
            "limit": limit,
            "timeout": self._settings.request_timeout_seconds,
            "patience": self._settings.model_patience_seconds,
            "probes": _PROBES,
            "thinking": self._settings.prefetch_seconds,
        }
        with self._database.transaction() as connection:
            rows = connection.execute(_REQUEST_DUE, limits).fetchall()
        return [
            RunRequested(work_order_key=r["work_order_key"], attempt=r["attempt"]) for r in rows
        ]

    def open(self, key: str, run_id: str, attempt: int | None) -> Fence:
        """Give this run the work order; idempotent for the same run; see the protocol.

        A decided work order may be opened by a person: the run may write, the state stays.
        """
        with self._database.transaction() as connection:
            locked, job = _known(lock_with_job(connection, key), key)
            opened = transitions.open_job(
                job, run_id, attempt, now=locked.now, settings=self._settings
            )
            save_job(connection, opened)
            fence = Fence(
                work_order_key=key, run_id=run_id, attempt=opened.attempt, token=opened.token
            )
            if opened.token != job.token:
                _start_run(connection, locked, job, fence, by_person=attempt is None)
            return fence

    def held_by(self, run_id: str) -> Fence | None:
        """Return the fence of a run that still holds a work order; for who ended its worker."""
        with self._database.transaction() as connection:
            row = connection.execute(_HELD_BY, (run_id,)).fetchone()
        return None if row is None else Fence.model_validate(row)

    def heartbeat(self, fence: Fence) -> bool:
        """Extend the lease; False when the fence is void ("not me": stop working)."""
        held = {
            "key": fence.work_order_key,
            "run_id": fence.run_id,
            "token": fence.token,
            "lease": self._settings.lease_seconds,
        }
        with self._database.transaction() as connection:
            return connection.execute(_HEARTBEAT, held).rowcount == 1

    def fail(self, fence: Fence, error: str, *, retryable: bool) -> JobState:
        """End the run as failed: queued again after back-off, or dead with its reason.

        A void fence changes nothing and gets the state as it is ("not me").
        """

        def failed(locked: Locked, job: Job) -> Job:
            return transitions.failed(
                job,
                storable(error),
                state=locked.state,
                retryable=retryable,
                settings=self._settings,
                now=locked.now,
                draw=self._draw,
            )

        return self._end(fence, failed, kind="run.failed", outcome="failed")

    def put_off(self, fence: Fence, why: str, *, at_least: float = 0.0) -> JobState:
        """Let a work order wait for the model; a void fence changes nothing."""

        def put_off(locked: Locked, job: Job) -> Job:
            return transitions.put_off(
                job,
                storable(why),
                state=locked.state,
                settings=self._settings,
                now=locked.now,
                draw=self._draw,
                at_least=at_least,
            )

        return self._end(fence, put_off, kind="run.put_off", outcome="left")

    def give_back(self, fence: Fence) -> JobState:
        """Put a work order back that a person's run left open; a void fence changes nothing."""

        def given_back(locked: Locked, job: Job) -> Job:
            return transitions.given_back(job, state=locked.state, now=locked.now)

        return self._end(fence, given_back, kind="run.left", outcome="left")

    def _end(
        self, fence: Fence, move_on: Callable[[Locked, Job], Job], *, kind: str, outcome: str
    ) -> JobState:
        """End the run of a fence that still holds, in one transaction; else give the state back."""
        key = fence.work_order_key
        with self._database.transaction() as connection:
            locked, job = _known(lock_with_job(connection, key), key)
            if not transitions.holds(job, fence):
                return job.state
            after = move_on(locked, job)
            _end_run(connection, locked, job, after, kind=kind, outcome=outcome)
            return after.state

    def renew(self, requests: Sequence[RunRequested]) -> int:
        """Note that these requests still wait in Dagster's own queue; returns how many stand."""
        asked = {
            "keys": [request.work_order_key for request in requests],
            "attempts": [request.attempt for request in requests],
        }
        with self._database.transaction() as connection:
            return connection.execute(_RENEW, asked).rowcount

    def reap(self) -> Sequence[Job]:
        """Take back what is overdue; returns the jobs as they were before.

        One short transaction each, so that one bad row cannot keep the others waiting.
        """
        timeout = {"timeout": self._settings.request_timeout_seconds}
        with self._database.transaction() as connection:
            keys = [row["work_order_key"] for row in connection.execute(_OVERDUE, timeout)]
        return [job for job in map(self._take_back, keys) if job is not None]

    def dead(self) -> Sequence[Job]:
        """Return the dead letters, oldest first."""
        with self._database.transaction() as connection:
            rows = connection.execute(
                f"{SELECT_JOBS} WHERE j.state = 'dead' ORDER BY j.queued_at, j.work_order_key"
            )
            return [job_of(row) for row in rows]

    def replay(self, key: str) -> bool:
        """Queue a dead job again with a fresh failure budget, history kept.

        False: not dead, or its publication gave up; only a person's release opens that again.
        """
        with self._database.transaction() as connection:
            found = lock_with_job(connection, key)
            if found is None or found[1].state is not JobState.DEAD:
                return False
            locked, job = found
            buried = connection.execute(_BURIED, (key,)).rowcount
            if locked.state is not WorkOrderState.DEAD or buried:
                return False
            save_job(connection, transitions.replayed(job, locked.now))
            move(connection, locked, WorkOrderState.ACCEPTED, "replayed", actor="person")
            alerts.resolve(connection, alerts.DEAD, key)
            return True

    def job(self, key: str) -> Job | None:
        """Return the job as it stands; None when there is none."""
        with self._database.transaction() as connection:
            row = connection.execute(
                f"{SELECT_JOBS} WHERE j.work_order_key = %s", (key,)
            ).fetchone()
            return None if row is None else job_of(row)

    def _take_back(self, key: str) -> Job | None:
        with self._database.transaction() as connection:
            found = lock_with_job(connection, key, skip_locked=True)
            if found is None or not transitions.overdue(found[1], found[0].now, self._settings):
                return None  # somebody was quicker: the run itself, or another reaper
            locked, job = found
            after = transitions.taken_back(
                job, state=locked.state, settings=self._settings, now=locked.now, draw=self._draw
            )
            _end_run(connection, locked, job, after, kind="run.reaped", outcome="fenced")
            return job


def storable(error: str) -> str:
    """Return an error sentence as Postgres can keep it: no NUL, no lone surrogate, bounded."""
    return error.replace("\x00", "").encode("utf-8", "replace").decode()[:_ERROR_LENGTH]


def _known(found: tuple[Locked, Job] | None, key: str) -> tuple[Locked, Job]:
    if found is None:
        raise MalformedInputError("no such work order in the queue", work_order=key)
    return found


def _start_run(
    connection: Connection, locked: Locked, before: Job, fence: Fence, *, by_person: bool
) -> None:
    finish_run(connection, before.run_id, "fenced")
    row = (fence.run_id, fence.work_order_key, fence.attempt, fence.token)
    if connection.execute(_START_RUN, row).rowcount == 0:
        raise FencedOutError("this run lost the work order before", work_order=locked.key)
    locked, _ = append(connection, locked, run_opened(fence, by_person=by_person), fence)
    if locked.state is WorkOrderState.ACCEPTED:
        _show_state(connection, locked.key, WorkOrderState.ACCEPTED, WorkOrderState.RUNNING)


def _end_run(
    connection: Connection, locked: Locked, before: Job, after: Job, *, kind: str, outcome: str
) -> None:
    save_job(connection, after)
    decided = not transitions.run_may_move(locked.state)
    finish_run(connection, before.run_id, outcome_of(locked.state) if decided else outcome)
    locked, _ = append(connection, locked, run_ended(kind, before, after))
    if decided:
        return
    if after.state is JobState.DEAD:
        move(connection, locked, WorkOrderState.DEAD, after.dead_reason, actor="queue")
    elif locked.state is WorkOrderState.RUNNING:
        _show_state(connection, locked.key, WorkOrderState.RUNNING, WorkOrderState.ACCEPTED)


def _show_state(
    connection: Connection, key: str, before: WorkOrderState, after: WorkOrderState
) -> None:
    # Between accepted and running the run events tell the story; no event of its own.
    connection.execute(
        "UPDATE work_orders SET state = %s WHERE key = %s AND state = %s", (after, key, before)
    )
