"""What the live table shows: one read of our tables. Nothing here writes or judges.

The full answer about one work order is the dossier (``swarm.observe``); this is the overview
that is cheap enough to ask every second.
"""

from collections import Counter
from dataclasses import dataclass

from swarm.models import Stage, WorkOrderState
from swarm.store.database import Database, Row

# Newest first by the index, then one row each of the others: joined as wholes they were read whole.
_ROWS = """
SELECT w.key, w.state, w.state_reason, j.stage, j.state AS job, j.failures, j.last_error,
       l.state AS publication, l.draft_folder, e.classes, e.reasons
  FROM (SELECT key, state, state_reason, accepted_at FROM work_orders
         ORDER BY accepted_at DESC, key LIMIT %s) w
  LEFT JOIN LATERAL (SELECT stage, state, failures, last_error FROM swarm_jobs
                      WHERE work_order_key = w.key LIMIT 1) j ON true
  LEFT JOIN LATERAL (SELECT state, draft_folder FROM publication_ledger
                      WHERE work_order_key = w.key LIMIT 1) l ON true
  LEFT JOIN LATERAL (SELECT classes, reasons FROM escalations
                      WHERE work_order_key = w.key LIMIT 1) e ON true
 ORDER BY w.accepted_at DESC, w.key
"""

_COUNTS = "SELECT state, count(*) AS n FROM work_orders GROUP BY state"


@dataclass(frozen=True, slots=True)
class Line:
    """One work order in the table. ``why`` never quotes mail text."""

    key: str
    state: WorkOrderState
    stage: str
    why: str

    @property
    def stages_done(self) -> int:
        """How many of the eleven stages have an output; a finished work order passed them all."""
        if self.state.final:
            return len(Stage)
        names = [s.value for s in Stage]
        return names.index(self.stage) + 1 if self.stage in names else 0


@dataclass(frozen=True, slots=True)
class Picture:
    """The newest work orders, and how many there are in each state."""

    lines: tuple[Line, ...]
    counts: dict[WorkOrderState, int]

    @property
    def total(self) -> int:
        """How many work orders there are."""
        return sum(self.counts.values())

    @property
    def unfinished(self) -> int:
        """How many are not in a final state."""
        return sum(n for state, n in self.counts.items() if not state.final)


def look(database: Database, limit: int = 200) -> Picture:
    """Read the newest ``limit`` work orders, oldest of them first."""
    with database.transaction() as connection:
        rows = connection.execute(_ROWS, (limit,)).fetchall()
        counts = connection.execute(_COUNTS).fetchall()
    return Picture(
        tuple(_line(row) for row in reversed(rows)),
        dict(Counter({WorkOrderState(row["state"]): row["n"] for row in counts})),
    )


def _line(row: Row) -> Line:
    state = WorkOrderState(row["state"])
    return Line(row["key"], state, row["stage"] or "", _why(state, row))


def _why(state: WorkOrderState, row: Row) -> str:
    if state is WorkOrderState.PUBLISHED:
        return f"draft confirmed in {row['draft_folder'] or 'the mailbox'}"
    if state is WorkOrderState.ESCALATED:
        return _escalation(row) or row["state_reason"]
    if state is WorkOrderState.PUBLISHING:
        return f"publication {(row['publication'] or 'prepared').lower()}"
    if state.final:
        return str(row["state_reason"])
    if row["failures"]:
        return f"attempt {row['failures'] + 1} after: {row['last_error']}"
    return row["job"] or "waiting for the queue"


def _escalation(row: Row) -> str:
    """Say it in the words of the reasons, each once, and name the rules."""
    reasons = [reason for reason in row["reasons"] or () if isinstance(reason, dict)]
    if not reasons:
        return ", ".join(row["classes"] or ())
    details = dict.fromkeys(str(reason["detail"]) for reason in reasons)
    rules = dict.fromkeys(str(reason["rule"]) for reason in reasons)
    return f"{'; '.join(details)} ({', '.join(rules)})"
