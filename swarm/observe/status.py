"""The state of the whole system at one moment: counts, queue, alerts, publisher, intake.

Names work orders by their opaque key only, so it may be shown on any screen. What lives elsewhere:
one work order in full (``dossier``), time series (``metrics``).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field

from swarm.legacy.home import LegacyFiles
from swarm.legacy.standby.heartbeats import LegacyPath, legacy_path
from swarm.models import Noun, Tier, WorkOrderState
from swarm.observe.watched import WatchState
from swarm.publishing.control import Control, read_control
from swarm.store import reply_outcomes, role_setup
from swarm.store.alerts import Alert, open_alerts
from swarm.store.database import Connection, Database, Row
from swarm.store.queue import JobState

_STATES = "SELECT state AS name, count(*) AS n FROM work_orders GROUP BY 1"
_JOBS = "SELECT state AS name, count(*) AS n FROM swarm_jobs GROUP BY 1"
_LEDGER = "SELECT state AS name, count(*) AS n FROM publication_ledger GROUP BY 1"

_STAGES = """
SELECT coalesce(stage, 'none yet') AS name, count(*) AS n
  FROM swarm_jobs WHERE state = 'running' GROUP BY 1
"""

_QUEUE = """
SELECT count(*) FILTER (WHERE state IN ('queued', 'requested')) AS depth,
       count(*) FILTER (WHERE state = 'queued' AND not_before > now()) AS backing_off,
       coalesce(extract(epoch FROM now() - min(queued_at)
                FILTER (WHERE state IN ('queued', 'requested', 'running'))), 0)::float
           AS oldest_seconds,
       count(*) FILTER (WHERE waiting_since IS NOT NULL
                          AND state IN ('queued', 'requested', 'running')) AS waiting_for_model,
       count(*) FILTER (WHERE state = 'dead') AS dead_letters
  FROM swarm_jobs
"""

_INTAKE = """
SELECT DISTINCT ON (stream) stream, generation, byte_offset, lines, updated_at
  FROM intake_offset ORDER BY stream, generation DESC
"""

_LINES = "SELECT status AS name, count(*) AS n FROM intake_line WHERE stream <> 'outbox' GROUP BY 1"

_SORTED_OUT = """
SELECT reason AS name, count(*) AS n FROM sorted_out WHERE taken_at IS NULL GROUP BY 1 ORDER BY 1
"""

_LEGACY = """
SELECT CASE WHEN escalated THEN 'escalated' ELSE 'drafted' END AS name, count(*) AS n
  FROM legacy_outcomes WHERE origin = 'live' GROUP BY 1 ORDER BY 1
"""

_QUARANTINED = """
SELECT reason AS name, count(*) AS n FROM quarantine WHERE discarded_at IS NULL
 GROUP BY 1 ORDER BY 1
"""

_OVERDUE = """
SELECT count(*) FILTER (WHERE w.state <> 'declined') AS open,
       count(*) FILTER (WHERE w.state = 'declined') AS declined,
       count(*) FILTER (WHERE e.acknowledge_by < now()) AS overdue
  FROM escalations e JOIN work_orders w ON w.key = e.work_order_key
 WHERE e.acknowledged_at IS NULL
"""

_RECENT = """
SELECT w.key, w.state, j.stage, w.tier, w.state_reason AS reason, w.accepted_at,
       extract(epoch FROM coalesce(w.final_at, now()) - w.accepted_at)::float AS age_seconds
  FROM work_orders w LEFT JOIN swarm_jobs j ON j.work_order_key = w.key
 ORDER BY w.accepted_at DESC, w.key LIMIT %s
"""


class Queue(Noun):
    """``swarm_jobs`` in numbers."""

    depth: int
    backing_off: int
    oldest_seconds: float
    waiting_for_model: int = 0
    dead_letters: int
    jobs: Mapping[JobState, int]


class StreamPosition(Noun):
    """How far an intake stream has been read. ``lag_bytes`` None: the file was not looked at."""

    stream: str
    generation: int
    byte_offset: int
    lines: int
    updated_at: datetime
    lag_bytes: int | None = None


class Escalations(Noun):
    """What nobody has acknowledged yet: escalated, declined, and what is past its time of both."""

    open: int
    declined: int
    overdue: int


class Replies(Noun):
    """What people did with the drafts they were offered, and where none was."""

    acts: Mapping[str, int] = Field(description="Drafts by what became of them")
    decided: int = Field(description="Drafts of which it is known")
    share_sent_unchanged: float | None = Field(description="Of those; None while there is none")
    answered_without_draft: int
    open_without_draft: int


class RecentWorkOrder(Noun):
    """One row of the table of recent work orders."""

    key: str
    state: WorkOrderState
    stage: str | None
    tier: Tier
    reason: str
    accepted_at: datetime
    age_seconds: float = Field(description="Until its end, or until now")


class Status(Noun):
    """The whole system at one moment."""

    at: datetime
    states: Mapping[WorkOrderState, int]
    running_after: Mapping[str, int] = Field(description="Running jobs by last stage written")
    queue: Queue
    ledger: Mapping[str, int]
    control: Control
    intake_lines: Mapping[str, int]
    sorted_out: Mapping[str, int] = Field(description="Mails that need no answer, by reason")
    quarantine: Mapping[str, int] = Field(description="Bad lines that wait for a person, by reason")
    streams: tuple[StreamPosition, ...]
    escalations: Escalations
    replies: Replies
    legacy_outcomes: Mapping[str, int] = Field(description="What today's path decided, as read")
    alerts: tuple[Alert, ...]
    recent: tuple[RecentWorkOrder, ...]
    legacy: LegacyPath | None = Field(
        default=None, description="None: its files were not looked at"
    )
    watched: WatchState | None = Field(default=None, description="None: nobody looked at the watch")
    by_hand: tuple[str, ...] = Field(
        default=(),
        description="Why it is not proven that nothing is inserted by hand; empty: Postgres sees"
        " to it",
    )


def status(
    database: Database,
    *,
    streams: Sequence[Path] = (),
    recent: int = 20,
    legacy: LegacyFiles | None = None,
    watched: WatchState | None = None,
) -> Status:
    """Read the state of the system in one snapshot.

    ``streams`` are the intake files whose size tells the lag; a file that is not there lags by 0.
    ``legacy`` are the files of today's path, ``watched`` a look at the watch (it asks sockets, and
    so is taken before the snapshot).
    """
    sizes = {path.stem: path.stat().st_size if path.exists() else 0 for path in streams}
    with database.snapshot() as connection:
        return Status(
            at=_row(connection, "SELECT now() AS at")["at"],
            states=_states(connection),
            running_after=_counts(connection, _STAGES),
            queue=Queue(**_row(connection, _QUEUE), jobs=_jobs(connection)),
            ledger=_counts(connection, _LEDGER),
            control=read_control(connection),
            watched=watched,
            by_hand=role_setup.problems(connection),
            intake_lines=_counts(connection, _LINES),
            sorted_out=_counts(connection, _SORTED_OUT),
            quarantine=_counts(connection, _QUARANTINED),
            streams=_streams(connection, sizes),
            escalations=Escalations.model_validate(_row(connection, _OVERDUE)),
            replies=_replies(reply_outcomes.counts(connection)),
            legacy_outcomes=_counts(connection, _LEGACY),
            alerts=open_alerts(connection),
            recent=tuple(
                RecentWorkOrder.model_validate(row)
                for row in connection.execute(_RECENT, (recent,))
            ),
            legacy=legacy and legacy_path(connection, legacy, datetime.now(UTC)),
        )


def _replies(counts: reply_outcomes.ReplyCounts) -> Replies:
    return Replies(
        acts=counts.acts,
        decided=counts.decided,
        share_sent_unchanged=counts.share_sent_unchanged,
        answered_without_draft=counts.answered_without_draft,
        open_without_draft=counts.open_without_draft,
    )


def _states(connection: Connection) -> dict[WorkOrderState, int]:
    counts = _counts(connection, _STATES)
    return {state: counts.get(state, 0) for state in WorkOrderState}


def _jobs(connection: Connection) -> dict[JobState, int]:
    counts = _counts(connection, _JOBS)
    return {state: counts.get(state, 0) for state in JobState}


def _streams(connection: Connection, sizes: Mapping[str, int]) -> tuple[StreamPosition, ...]:
    rows = connection.execute(_INTAKE).fetchall()
    known = tuple(StreamPosition(**row, lag_bytes=_lag(row, sizes)) for row in rows)
    unread = sizes.keys() - {stream.stream for stream in known}
    epoch = _row(connection, "SELECT now() AS at")["at"]
    return known + tuple(
        StreamPosition(
            stream=name,
            generation=0,
            byte_offset=0,
            lines=0,
            updated_at=epoch,
            lag_bytes=sizes[name],
        )
        for name in sorted(unread)
    )


def _lag(row: Row, sizes: Mapping[str, int]) -> int | None:
    size = sizes.get(row["stream"])
    return None if size is None else max(size - row["byte_offset"], 0)


def _counts(connection: Connection, sql: str) -> dict[str, int]:
    return {row["name"]: row["n"] for row in connection.execute(sql)}


def _row(connection: Connection, sql: str) -> Row:
    return connection.execute(sql).fetchone() or {}
