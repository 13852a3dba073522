"""Alerts as people list them: what is open or was, how each began, and whether it is kept quiet."""

from datetime import datetime

from pydantic import Field

from swarm.models import Noun
from swarm.store.database import Connection

_COLUMNS = """
SELECT a.id, a.kind, a.subject, a.detail, a.count, a.at, a.resolved_at, a.resolved_by,
       a.delivered_at, s.until AS silenced_until, s.reason AS silence_reason,
       s.actor AS silenced_by
  FROM alerts a
  LEFT JOIN LATERAL (
        SELECT until, reason, actor FROM alert_silences q
         WHERE q.kind = a.kind ORDER BY q.id DESC LIMIT 1) s ON s.until > %(now)s
"""

_LIST = f"""{_COLUMNS}
 WHERE (%(everything)s OR a.resolved_at IS NULL) AND (%(kind)s::text IS NULL OR a.kind = %(kind)s)
 ORDER BY a.id DESC LIMIT %(limit)s
"""

_ONE = f"{_COLUMNS} WHERE a.id = %(id)s"


class ListedAlert(Noun):
    """One alert, open or over."""

    id: int
    kind: str
    subject: str
    detail: str
    count: int
    at: datetime
    resolved_at: datetime | None
    resolved_by: str | None = Field(description="Who ended it, if a person did")
    delivered_at: datetime | None = Field(description="When the first sink took it")
    silenced_until: datetime | None
    silence_reason: str | None
    silenced_by: str | None


def listed(
    connection: Connection,
    now: datetime,
    *,
    everything: bool = False,
    kind: str | None = None,
    limit: int = 200,
) -> tuple[ListedAlert, ...]:
    """Return the newest alerts, newest first; with ``everything`` also those that are over."""
    values = {"now": now, "everything": everything, "kind": kind, "limit": limit}
    return tuple(ListedAlert.model_validate(row) for row in connection.execute(_LIST, values))


def one(connection: Connection, alert_id: int, now: datetime) -> ListedAlert | None:
    """Return one alert."""
    row = connection.execute(_ONE, {"now": now, "id": alert_id}).fetchone()
    return None if row is None else ListedAlert.model_validate(row)
