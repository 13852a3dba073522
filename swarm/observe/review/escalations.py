"""What waits for a human, most pressing first: escalated (ES-22) or declined, with its mail."""

from datetime import datetime

from pydantic import Field

from swarm.models import EscalationClass, Noun, Reason
from swarm.store.database import Connection

_EXCERPT = 3000  # characters of the mail on the work list; the work order has all of it

# Overdue ones have the earliest time and so stand first. The text is the one a person would read
# (quotes and hidden text taken out), or else the mail's own.
_LIST = """
SELECT e.work_order_key AS key, w.state, e.classes, e.reasons, e.owner, e.received_at,
       e.acknowledge_by, e.acknowledged_at, e.acknowledged_by,
       e.acknowledged_at IS NULL AND e.acknowledge_by < now() AS overdue,
       extract(epoch FROM e.acknowledge_by - now())::float AS seconds_left,
       left(coalesce(w.body->'sender'->>'name', ''), 200) AS sender_name,
       left(coalesce(w.body->'sender'->>'address', ''), 320) AS sender,
       left(coalesce(w.body->>'subject', ''), 300) AS subject,
       CASE WHEN %(texts)s THEN left(coalesce(
           (SELECT a.body->>'text' FROM artifacts a
             WHERE a.work_order_key = e.work_order_key AND a.stage = 'received'
             ORDER BY a.token DESC LIMIT 1),
           nullif(w.body->>'body_text', ''), ''), %(excerpt)s + 1) ELSE '' END AS text
  FROM escalations e JOIN work_orders w ON w.key = e.work_order_key
 WHERE %(everything)s OR e.acknowledged_at IS NULL
 ORDER BY e.acknowledged_at IS NOT NULL, e.acknowledge_by, e.work_order_key
 LIMIT %(limit)s OFFSET %(skip)s
"""


class EscalationItem(Noun):
    """One line of the work list. Quotes sender, subject and text of the mail."""

    key: str
    state: str
    classes: tuple[EscalationClass, ...]
    reasons: tuple[Reason, ...]
    owner: str
    received_at: datetime
    acknowledge_by: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    overdue: bool
    seconds_left: float = Field(description="Until its time; below 0: since then")
    sender: str
    sender_name: str
    subject: str
    text: str
    cut: bool = Field(description="Whether the mail goes on")


def escalations(
    connection: Connection,
    *,
    everything: bool = False,
    texts: bool = True,
    limit: int | None = None,
    skip: int = 0,
) -> tuple[EscalationItem, ...]:
    """Return what nobody has acknowledged (``everything``: and what somebody has), most pressing
    first; ``texts`` False leaves the mails' texts where they are.
    """
    values = {
        "everything": everything,
        "texts": texts,
        "excerpt": _EXCERPT,
        "limit": limit,
        "skip": skip,
    }
    rows = connection.execute(_LIST, values)
    return tuple(
        EscalationItem.model_validate(
            {**row, "text": row["text"][:_EXCERPT], "cut": len(row["text"]) > _EXCERPT}
        )
        for row in rows
    )
