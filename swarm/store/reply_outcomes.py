"""Rows about what people did with drafts, or instead of one: opened, due, recorded, counted.

A row is opened for every confirmed publication, whoever published it, and for every work order that
ended without one, so that a person's own answer is seen too. Opening is a question about what is
there, asked again and again, so nothing that happened while nobody asked is missed. What lives
elsewhere: reading the mailbox and judging what it shows (``swarm.shadow.outcomes``).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from swarm.models import Noun
from swarm.store.alerts import ESCALATION_OVERDUE, ESCALATION_URGENT
from swarm.store.database import Connection, Row

LOOKED_FOR: Final = timedelta(days=14)
"""After so long nobody looks any more: what is not known by then is ``unknown``."""

ANSWERED_BY: Final = "answered in the mailbox"
"""Who acknowledged an escalation when a person's answer to the customer ended its clock."""

GONE: Final = (
    "the draft is gone and left no copy: deleted for good, or sent as the shared mailbox into the"
    " sender's own Sent Items"
)
"""Detail of an unknown act that ``swarm doctor`` explains."""

SENT: Final = ("sent_unchanged", "sent_edited", "rewritten")
ANSWERED: Final = (*SENT, "answered_otherwise")
REJECTED: Final = ("discarded", "rewritten")

# What happened in another mailbox is not to be found in this one: rows are of the present world.
# A draft may follow a row without one: today's path drafts what the new one escalates. Then the row
# is about that draft, and looked at again.
_OPEN_DRAFTED = """
INSERT INTO reply_outcomes AS r
       (work_order_key, origin, publisher, offered_at, conversation_id, look_at)
SELECT l.work_order_key, 'live', l.publisher, coalesce(l.intent_at, l.changed_at),
       nullif(coalesce(w.body->'ref'->>'conversation_id', p.body->>'conversation_id'), ''), now()
  FROM publication_ledger l
  LEFT JOIN work_orders w ON w.key = l.work_order_key
  LEFT JOIN publication_payload p
         ON p.work_order_key = l.work_order_key AND p.publisher = l.publisher
 WHERE l.state = 'CONFIRMED' AND l.publisher <> 'none' AND l.changed_at > now() - %(back)s
   AND coalesce(w.world, p.world) = swarm.current_world()
   AND NOT EXISTS (SELECT 1 FROM reply_outcomes o
                    WHERE o.work_order_key = l.work_order_key
                      AND (o.publisher IS NOT NULL OR o.origin = 'history'))
ON CONFLICT (work_order_key) DO UPDATE
   SET publisher = excluded.publisher, offered_at = excluded.offered_at, look_at = now(),
       opened_at = now()
 WHERE r.publisher IS NULL
"""

_OPEN_UNDRAFTED = """
INSERT INTO reply_outcomes (work_order_key, origin, conversation_id, look_at)
SELECT w.key, 'live', nullif(w.body->'ref'->>'conversation_id', ''), now()
  FROM work_orders w
 WHERE w.final_at > now() - %(back)s AND w.state IN ('escalated', 'declined', 'held', 'dead')
   AND w.world = swarm.current_world()
   AND NOT EXISTS (SELECT 1 FROM reply_outcomes o WHERE o.work_order_key = w.key)
ON CONFLICT (work_order_key) DO NOTHING
"""

# The later it is, the longer the wait: a quarter of the time since the draft was offered.
_TAKE_DUE = """
WITH due AS (
    SELECT work_order_key FROM reply_outcomes
     WHERE look_at <= now() AND origin = 'live'
     ORDER BY look_at, work_order_key LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE reply_outcomes r
       SET looks = looks + 1, looked_at = clock_timestamp(),
           look_at = now() + least(greatest(
               (now() - coalesce(r.offered_at, r.opened_at)) / 4, %(soonest)s), %(latest)s)
      FROM due WHERE r.work_order_key = due.work_order_key
 RETURNING r.*)
SELECT t.work_order_key, t.publisher, t.act, t.conversation_id, t.offered_at, t.opened_at,
       t.acted_at, t.detail, t.similarity, t.sent_text, now() AS now, l.draft_id,
       coalesce(p.body->>'body_text', '') AS body_text,
       coalesce(p.body->>'body_html', '') AS body_html,
       array(SELECT lower(a) FROM (
                SELECT jsonb_array_elements(w.body->'reply_to')->>'address'
                 UNION SELECT w.body->'sender'->>'address'
                 UNION SELECT unnest(string_to_array(p.body->>'to', ','))) AS named (a)
              WHERE a <> '' AND lower(a) <> lower(coalesce(w.body->'ref'->>'mailbox', ''))
              ORDER BY 1) AS customers,
       coalesce(w.body->'ref'->>'message_id', p.body->>'message_id', '') AS inbound_id,
       coalesce((w.body->>'received_at')::timestamptz, l.created_at, t.opened_at) AS received_at
  FROM taken t
  LEFT JOIN publication_ledger l
         ON l.work_order_key = t.work_order_key AND t.publisher IS NOT NULL
  LEFT JOIN publication_payload p
         ON p.work_order_key = t.work_order_key AND p.publisher = t.publisher
  LEFT JOIN work_orders w ON w.key = t.work_order_key
 ORDER BY t.work_order_key
"""

_RECORD = """
UPDATE reply_outcomes
   SET act = %(act)s, detail = %(detail)s, similarity = %(similarity)s, acted_at = %(acted_at)s,
       sent_text = %(sent_text)s, look_at = CASE WHEN %(settled)s THEN NULL ELSE look_at END,
       changed_at = CASE WHEN act = %(act)s THEN changed_at ELSE now() END
 WHERE work_order_key = %(key)s AND origin = 'live'
   AND (act IS DISTINCT FROM %(act)s OR detail IS DISTINCT FROM %(detail)s OR %(settled)s
        OR sent_text IS DISTINCT FROM %(sent_text)s)
"""

_END_CLOCKS = """
WITH answered AS (
    UPDATE escalations e
       SET acknowledged_at = coalesce(r.acted_at, r.changed_at), acknowledged_by = %(who)s
      FROM reply_outcomes r
     WHERE r.work_order_key = e.work_order_key AND e.acknowledged_at IS NULL
       AND r.origin = 'live' AND (r.act = ANY(%(answered)s) OR r.sent_text IS NOT NULL)
 RETURNING e.work_order_key
), settled AS (
    UPDATE alerts a SET resolved_at = now() FROM answered
     WHERE a.subject = answered.work_order_key AND a.resolved_at IS NULL
       AND a.kind = ANY(%(kinds)s)
 RETURNING 1)
SELECT count(*)::int AS ended FROM answered
"""

_COUNTS = """
SELECT act AS name, count(*)::int AS n FROM reply_outcomes
 WHERE origin = 'live' AND publisher IS NOT NULL GROUP BY 1
"""

_BY_PEOPLE = """
SELECT count(*) FILTER (WHERE act = 'answered_otherwise')::int AS answered,
       count(*) FILTER (WHERE act = 'open')::int AS open
  FROM reply_outcomes WHERE origin = 'live' AND publisher IS NULL
"""

_UNTRACEABLE = """
SELECT count(*)::int AS n FROM reply_outcomes
 WHERE origin = 'live' AND publisher IS NOT NULL AND act = 'unknown'
   AND detail = %(gone)s AND changed_at > now() - %(back)s
"""

_STOP = """
UPDATE reply_outcomes
   SET look_at = NULL, act = CASE act WHEN 'open' THEN 'unknown' ELSE act END,
       detail = CASE act WHEN 'open' THEN %(why)s ELSE detail END,
       changed_at = CASE act WHEN 'open' THEN now() ELSE changed_at END
 WHERE look_at IS NOT NULL
"""

_REJECTED = """
SELECT count(*)::int AS n
  FROM reply_outcomes r
  JOIN work_orders w ON w.key = r.work_order_key
  JOIN work_orders mine ON mine.key = %(key)s
 WHERE r.act = ANY(%(rejected)s) AND r.publisher IS NOT NULL
   AND lower(w.body->'ref'->>'mailbox') = lower(mine.body->'ref'->>'mailbox')
   AND (w.key = mine.key
        OR w.body->'ref'->>'conversation_id' = nullif(mine.body->'ref'->>'conversation_id', '')
        OR (lower(coalesce(w.body->'reply_to'->0->>'address', w.body->'sender'->>'address'))
              = lower(coalesce(mine.body->'reply_to'->0->>'address',
                               mine.body->'sender'->>'address'))
            AND (w.body->'ref'->>'internet_message_id'
                   IN (SELECT jsonb_array_elements_text(mine.body->'references')
                        UNION SELECT mine.body->>'in_reply_to')
                 OR mine.body->'ref'->>'internet_message_id'
                   IN (SELECT jsonb_array_elements_text(w.body->'references')
                        UNION SELECT w.body->>'in_reply_to'))))
"""


class Pace(Noun):
    """How often the mailbox is looked into for one work order, and for all together."""

    soonest: timedelta = timedelta(seconds=10)
    latest: timedelta = timedelta(hours=4)
    per_minute: int = 60


class Waiting(Noun):
    """A work order whose reply is looked for, with what was offered and to whom.

    The bodies are empty when no draft was offered.
    """

    work_order_key: str
    publisher: str | None
    act: str
    conversation_id: str | None
    draft_id: str | None
    offered_at: datetime | None
    opened_at: datetime
    acted_at: datetime | None
    received_at: datetime
    now: datetime
    body_text: str
    body_html: str
    customers: tuple[str, ...]
    inbound_id: str
    detail: str = ""
    similarity: float | None = None
    sent_text: str | None = None


class ReplyFound(Noun):
    """What a look came to; ``settled``: nothing that could still happen would change it."""

    act: str
    detail: str = ""
    similarity: float | None = None
    acted_at: datetime | None = None
    sent_text: str | None = None
    settled: bool = False


class ReplyCounts(Noun):
    """What became of the drafts that were offered, by act; and of mails without a draft."""

    acts: Mapping[str, int]
    answered_without_draft: int
    open_without_draft: int

    @property
    def decided(self) -> int:
        """Drafts of which it is known what a person did with them."""
        return sum(n for act, n in self.acts.items() if act not in {"open", "unknown"})

    @property
    def share_sent_unchanged(self) -> float | None:
        """Of those, the share that went out as it was; None while there is none."""
        return self.acts.get("sent_unchanged", 0) / self.decided if self.decided else None


def open_rows(connection: Connection) -> int:
    """Open a row for each confirmed publication, and each end without one, of the last 14 days."""
    back = {"back": LOOKED_FOR}
    drafted = connection.execute(_OPEN_DRAFTED, back).rowcount
    return drafted + connection.execute(_OPEN_UNDRAFTED, back).rowcount


def looks_left(connection: Connection, pace: Pace) -> int:
    """Return how many looks this minute still has, of all processes together."""
    row = connection.execute(
        "SELECT count(*)::int AS n FROM reply_outcomes"
        " WHERE looked_at > clock_timestamp() - interval '1 minute'"
    ).fetchone()
    return max(0, pace.per_minute - (int(row["n"]) if row else 0))


def due(connection: Connection) -> int:
    """Return how many rows are to be looked at now."""
    row = connection.execute(
        "SELECT count(*)::int AS n FROM reply_outcomes WHERE look_at <= now() AND origin = 'live'"
    ).fetchone()
    return int(row["n"]) if row else 0


def take_due(connection: Connection, pace: Pace, *, limit: int) -> tuple[Waiting, ...]:
    """Take rows to look at and put off their next look; a killed reader costs one wait."""
    values = {"limit": limit, "soonest": pace.soonest, "latest": pace.latest}
    return tuple(Waiting.model_validate(row) for row in connection.execute(_TAKE_DUE, values))


def record(connection: Connection, key: str, found: ReplyFound) -> bool:
    """Write what a look came to; False: it says nothing new."""
    values = {**found.model_dump(), "key": key}
    return connection.execute(_RECORD, values).rowcount == 1


def stop_looking(connection: Connection, why: str) -> int:
    """End every look: the mailbox is another one from now on; returns how many were under way."""
    return connection.execute(_STOP, {"why": why}).rowcount


def end_answered_clocks(connection: Connection) -> int:
    """Acknowledge what waits for a person and was answered by one; its alerts are over (ES-22).

    Asked of all rows each time: an escalation may be made after the answer was seen.
    """
    values = {
        "who": ANSWERED_BY,
        "answered": list(ANSWERED),
        "kinds": [ESCALATION_OVERDUE, ESCALATION_URGENT],
    }
    row = connection.execute(_END_CLOCKS, values).fetchone()
    return int(row["ended"]) if row else 0


def counts(connection: Connection) -> ReplyCounts:
    """Return how many drafts came to which end, and what people did where none was offered."""
    acts = {row["name"]: row["n"] for row in connection.execute(_COUNTS)}
    alone: Row = connection.execute(_BY_PEOPLE).fetchone() or {"answered": 0, "open": 0}
    return ReplyCounts(
        acts=acts, answered_without_draft=alone["answered"], open_without_draft=alone["open"]
    )


def untraceable(connection: Connection) -> int:
    """Return how many drafts of the last 14 days vanished without leaving a copy."""
    row = connection.execute(_UNTRACEABLE, {"back": LOOKED_FOR, "gone": GONE}).fetchone()
    return int(row["n"]) if row else 0


def rejected_drafts(connection: Connection, key: str) -> int:
    """Return how many drafts people threw away or rewrote in this conversation, and in the same
    customer's mails of the thread (ES-04).
    """
    values = {"key": key, "rejected": list(REJECTED)}
    row = connection.execute(_REJECTED, values).fetchone()
    return int(row["n"]) if row else 0
