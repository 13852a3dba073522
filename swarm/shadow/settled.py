"""What is stored of work orders, in a word each: for those who list many. No mail text."""

from collections.abc import Mapping, Sequence

from swarm.models import Noun
from swarm.shadow.models import Decision
from swarm.store.database import Database

_LEGACY = """
SELECT work_order_key AS key, CASE WHEN escalated THEN 'escalated' ELSE 'draft' END AS what
  FROM legacy_outcomes WHERE work_order_key = ANY(%s)
"""

_REPLAYED = """
SELECT work_order_key AS key, body->>'decision' AS decision,
       CASE WHEN body->>'detail' <> '' THEN body->>'detail'
            ELSE coalesce((SELECT string_agg(DISTINCT r->>'rule', ', ')
                             FROM jsonb_array_elements(body->'reasons') r), '') END AS why
  FROM replays WHERE work_order_key = ANY(%s) AND engine = %s AND pass = 1
"""


class Settled(Noun):
    """What the new path came to, and why: rules, or what failed."""

    decision: Decision
    why: str


def legacy_of(database: Database, keys: Sequence[str]) -> Mapping[str, str]:
    """Return what legacy decided, of those where it is known."""
    with database.transaction() as connection:
        return {row["key"]: row["what"] for row in connection.execute(_LEGACY, (list(keys),))}


def replayed_of(database: Database, keys: Sequence[str], engine: str) -> Mapping[str, Settled]:
    """Return what an engine decided, of those it was asked about."""
    with database.transaction() as connection:
        found = connection.execute(_REPLAYED, (list(keys), engine)).fetchall()
    return {r["key"]: Settled(decision=Decision(r["decision"]), why=r["why"]) for r in found}
