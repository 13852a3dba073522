"""The drafts that wait for a person in the mailbox, oldest first, and why each was offered."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import Field, JsonValue

from swarm.models import Noun, Tier
from swarm.observe.review.words import source_in_words
from swarm.store.database import Connection, Row
from swarm.store.reply_outcomes import LOOKED_FOR

# A row about what people do is opened within the minute; a draft of before that counts as well.
_WAITING = """
WITH waiting AS (
    SELECT work_order_key AS key, offered_at FROM reply_outcomes
     WHERE act = 'open' AND publisher IS NOT NULL AND origin = 'live'
     UNION ALL
    SELECT l.work_order_key, coalesce(l.intent_at, l.changed_at) FROM publication_ledger l
     WHERE l.state = 'CONFIRMED' AND l.publisher <> 'none' AND l.changed_at > now() - %(back)s
       AND l.draft_folder IS DISTINCT FROM 'sentitems'
       AND NOT EXISTS (SELECT 1 FROM reply_outcomes r
                        WHERE r.work_order_key = l.work_order_key AND r.publisher IS NOT NULL)
), page AS (
    SELECT * FROM waiting ORDER BY offered_at, key LIMIT %(limit)s OFFSET %(skip)s
)
SELECT page.key, page.offered_at, extract(epoch FROM now() - page.offered_at)::float AS age_seconds,
       l.publisher, l.draft_link, l.draft_folder, w.tier,
       left(coalesce(w.body->'sender'->>'name', ''), 200) AS sender_name,
       left(coalesce(w.body->'sender'->>'address', p.body->>'to', ''), 320) AS sender,
       left(coalesce(w.body->>'subject', p.body->>'subject', ''), 300) AS subject,
       (w.body->>'received_at')::timestamptz AS received_at,
       coalesce((SELECT a.body->'claims' FROM artifacts a
                  WHERE a.work_order_key = page.key AND a.stage = 'draft'
                  ORDER BY a.token DESC LIMIT 1), '[]') AS claims,
       coalesce((SELECT jsonb_object_agg(e->>'id', e->>'source')
                   FROM (SELECT a.body FROM artifacts a
                          WHERE a.work_order_key = page.key AND a.stage = 'context'
                          ORDER BY a.token DESC LIMIT 1) c,
                        jsonb_array_elements(c.body->'evidence') AS e), '{}') AS sources,
       (SELECT r.reason FROM releases r WHERE r.work_order_key = page.key
         ORDER BY r.number DESC LIMIT 1) AS released
  FROM page
  JOIN publication_ledger l ON l.work_order_key = page.key
  LEFT JOIN work_orders w ON w.key = page.key
  LEFT JOIN publication_payload p ON p.work_order_key = page.key AND p.publisher = l.publisher
 ORDER BY page.offered_at, page.key
"""


class WaitingDraft(Noun):
    """One draft in the mailbox that nobody has dealt with. Quotes sender and subject."""

    key: str
    sender: str
    sender_name: str
    subject: str
    received_at: datetime | None
    offered_at: datetime
    age_seconds: float = Field(description="Since it was offered")
    publisher: str
    why: str = Field(description="Why it was offered, in words without mail text")
    link: str | None = Field(description="Into Outlook; None when Graph gave none")


def waiting_drafts(
    connection: Connection, *, limit: int, skip: int = 0
) -> tuple[WaitingDraft, ...]:
    """Return up to ``limit`` drafts that wait, oldest first, after ``skip`` of them."""
    values = {"limit": limit, "skip": skip, "back": LOOKED_FOR}
    return tuple(_draft(row) for row in connection.execute(_WAITING, values))


def _draft(row: Row) -> WaitingDraft:
    return WaitingDraft(
        key=row["key"],
        sender=row["sender"],
        sender_name=row["sender_name"],
        subject=row["subject"],
        received_at=row["received_at"],
        offered_at=row["offered_at"],
        age_seconds=max(row["age_seconds"], 0.0),
        publisher=row["publisher"],
        why=_why(row),
        link=row["draft_link"],
    )


def _why(row: Row) -> str:
    if row["publisher"] != "swarm":
        return "Today's path drafted it."
    care = "Look closely: the mail asks for care." if row["tier"] == Tier.REVIEW else ""
    freed = "A person released it after all." if row["released"] is not None else ""
    said = _backed(row["claims"], row["sources"])
    return " ".join(filter(None, (freed, care, said, "All checks passed.")))


def _backed(claims: Sequence[Mapping[str, JsonValue]], sources: Mapping[str, str]) -> str:
    named = (sources.get(str(claim.get("evidence_id")), "") for claim in claims)
    known = dict.fromkeys(source_in_words(source) for source in named if source)
    if not known:
        return "It states no fact: it asks, or says that the mail has arrived."
    each = "1 statement" if len(claims) == 1 else f"{len(claims)} statements, each"
    return f"{each} with its source: {', '.join(known)}."
