"""What today's path decided about a work order, and what a person did about it."""

from datetime import datetime

from pydantic import Field

from swarm.models import Noun
from swarm.store.database import Connection

_LEGACY = """
SELECT escalated, reasons, policy_version, decided_at, read_at, origin
  FROM legacy_outcomes WHERE work_order_key = %s
"""

_REPLY = """
SELECT publisher, act, detail, similarity, offered_at, acted_at, sent_text, looks, look_at, origin,
       extract(epoch FROM coalesce(acted_at, now()) - coalesce(offered_at, opened_at))::float
           AS age_seconds
  FROM reply_outcomes WHERE work_order_key = %s
"""

_SAID = {
    "open": "nothing yet",
    "sent_unchanged": "sent the draft as it was",
    "sent_edited": "sent the draft with edits",
    "rewritten": "wrote the draft anew and sent it",
    "discarded": "threw the draft away",
    "answered_otherwise": "answered otherwise",
    "unknown": "not known",
}


class LegacyDecision(Noun):
    """What today's path made of it; the texts stay in their table."""

    escalated: bool
    reasons: tuple[str, ...]
    policy_version: str
    decided_at: datetime | None
    read_at: datetime
    origin: str

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        why = f": {', '.join(self.reasons)}" if self.reasons else ""
        what = "escalated" if self.escalated else "drafted"
        return f"{what}{why} ({self.policy_version}), read {self.read_at:%Y-%m-%d %H:%M}"


class ReplyRecord(Noun):
    """What a person did, as the mailbox showed it. ``look_at`` None: nobody looks any more."""

    publisher: str | None
    act: str
    detail: str
    similarity: float | None
    offered_at: datetime | None
    acted_at: datetime | None
    sent_text: str | None
    looks: int
    look_at: datetime | None
    origin: str
    age_seconds: float = Field(description="From the offer to the act, or until now")

    @property
    def sentence(self) -> str:
        """Say it in one line, without what was written."""
        alike = "" if self.similarity is None else f", alike {self.similarity:.2f}"
        after = f", {self.age_seconds / 60:.0f} min after the draft" if self.publisher else ""
        detail = f"; {self.detail}" if self.detail else ""
        then = f"; looked for again {self.look_at:%Y-%m-%d %H:%M}" if self.look_at else ""
        return f"{_SAID.get(self.act, self.act)}{alike}{after}{detail}{then}"


def legacy_decision(connection: Connection, key: str) -> LegacyDecision | None:
    """Return what today's path decided; None when nothing is known."""
    row = connection.execute(_LEGACY, (key,)).fetchone()
    return None if row is None else LegacyDecision.model_validate(row)


def reply_record(connection: Connection, key: str) -> ReplyRecord | None:
    """Return what a person did; None before there was anything to answer."""
    row = connection.execute(_REPLY, (key,)).fetchone()
    return None if row is None else ReplyRecord.model_validate(row)
