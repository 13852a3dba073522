"""A day in numbers, and what waits now. Counts only: no key, no address, no text."""

from datetime import datetime

from pydantic import Field

from swarm.models import Noun
from swarm.store.database import Connection
from swarm.store.reply_outcomes import SENT

_DAY = """
SELECT (SELECT count(*)::int FROM work_orders
         WHERE accepted_at >= %(since)s AND accepted_at < %(until)s) AS came_in,
       (SELECT count(*)::int FROM sorted_out
         WHERE at >= %(since)s AND at < %(until)s AND taken_at IS NULL) AS needed_no_answer,
       count(*) FILTER (WHERE state = 'published')::int AS drafted,
       count(*) FILTER (WHERE state = 'escalated')::int AS escalated,
       count(*) FILTER (WHERE state = 'declined')::int AS declined,
       count(*) FILTER (WHERE state = 'held')::int AS held,
       count(*) FILTER (WHERE state = 'dead')::int AS dead,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM final_at - accepted_at))
           FILTER (WHERE state = 'published')::float AS seconds_to_draft
  FROM work_orders WHERE final_at >= %(since)s AND final_at < %(until)s
"""

_REPLIES = """
SELECT count(*)::int AS sent,
       count(*) FILTER (WHERE act = 'sent_unchanged')::int AS sent_unchanged
  FROM reply_outcomes
 WHERE acted_at >= %(since)s AND acted_at < %(until)s AND act = ANY(%(sent)s)
   AND publisher IS NOT NULL AND origin = 'live'
"""

_NOW = """
SELECT now() AS at,
       (SELECT count(*)::int FROM work_orders
         WHERE state IN ('accepted', 'running', 'publishing')) AS in_work,
       (SELECT count(*)::int FROM reply_outcomes WHERE act = 'open' AND publisher IS NOT NULL
           AND origin = 'live') AS drafts_waiting,
       (SELECT count(*)::int FROM alerts
         WHERE resolved_at IS NULL AND kind <> 'digest.daily') AS alerts_open,
       (SELECT count(*)::int FROM work_orders WHERE state IN ('held', 'dead')) AS stuck,
       count(*)::int AS people_wait,
       count(*) FILTER (WHERE acknowledge_by < now())::int AS overdue
  FROM escalations WHERE acknowledged_at IS NULL
"""


class Day(Noun):
    """What happened between two moments; counted where it ended."""

    since: datetime
    until: datetime
    came_in: int
    needed_no_answer: int = Field(description="Mails sorted out: no work order was made")
    drafted: int
    escalated: int
    declined: int
    held: int
    dead: int
    seconds_to_draft: float | None = Field(description="Median, from the line read to the draft")
    sent: int = Field(description="Drafts that people sent, changed or not")
    sent_unchanged: int

    @property
    def share_sent_unchanged(self) -> float | None:
        """Of what people sent; None while they sent nothing."""
        return self.sent_unchanged / self.sent if self.sent else None


class WaitingNow(Noun):
    """What waits at this moment."""

    at: datetime
    in_work: int
    drafts_waiting: int
    people_wait: int = Field(description="Escalated and declined, acknowledged by nobody")
    overdue: int = Field(description="Of those, past their time")
    stuck: int = Field(description="Held or given up")
    alerts_open: int


def day(connection: Connection, since: datetime, until: datetime) -> Day:
    """Return what happened from ``since`` until before ``until``."""
    between = {"since": since, "until": until, "sent": list(SENT)}
    counts = connection.execute(_DAY, between).fetchone() or {}
    replies = connection.execute(_REPLIES, between).fetchone() or {}
    return Day.model_validate({"since": since, "until": until, **counts, **replies})


def waiting(connection: Connection) -> WaitingNow:
    """Return what waits now."""
    return WaitingNow.model_validate(connection.execute(_NOW).fetchone() or {})
