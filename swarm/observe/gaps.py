"""What customers ask and nothing here answers: the list a team lead writes approved answers from.

Counted from the stored drafts, so what is erased or past its retention is gone from here as well,
and nothing is kept twice. Alike are asks of the same words in the same language, whatever their
order and numbers. What was escalated does not count: a person answers that whatever we know. The
asks are mail text: for the operator's terminal, never for a log.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from swarm.knowledge.terms import terms
from swarm.models import Noun
from swarm.safety.masking import mask
from swarm.store.database import Database, Row

_MOST = 20_000  # drafts looked at, the newest; asks beyond them are months old

_UNANSWERED = """
SELECT a.language, a.unanswered, a.at
  FROM (SELECT DISTINCT ON (work_order_key) work_order_key, at,
               body->>'language' AS language, body->'unanswered' AS unanswered
          FROM artifacts WHERE stage = 'draft' AND at >= now() - make_interval(days => %(days)s)
         ORDER BY work_order_key, token DESC) a
  JOIN work_orders w ON w.key = a.work_order_key
 WHERE w.state <> 'escalated' AND jsonb_array_length(coalesce(a.unanswered, '[]')) > 0
 ORDER BY a.at DESC LIMIT %(most)s
"""


class Unanswered(Noun):
    """Something asked that found no answer: how often, when, and once as it was written."""

    asked: str
    language: str
    count: int
    first_at: datetime
    last_at: datetime


def gaps(database: Database, *, days: int) -> tuple[Unanswered, ...]:
    """Return what found no answer in the last days, most often asked first."""
    with database.transaction() as connection:
        rows = connection.execute(_UNANSWERED, {"days": days, "most": _MOST}).fetchall()
    alike: dict[tuple[str, frozenset[str]], list[tuple[str, datetime]]] = defaultdict(list)
    for row in rows:
        for ask in _asks(row):
            words = frozenset(terms(ask, row["language"])) or frozenset({ask.casefold()})
            alike[row["language"], words].append((ask, row["at"]))
    found = [_gap(language, asked) for (language, _), asked in alike.items()]
    return tuple(sorted(found, key=lambda g: (-g.count, -g.last_at.timestamp(), g.asked)))


def _asks(row: Row) -> Iterable[str]:
    return dict.fromkeys(str(ask) for ask in row["unanswered"])


def _gap(language: str, asked: Sequence[tuple[str, datetime]]) -> Unanswered:
    times = [at for _, at in asked]
    return Unanswered(
        asked=mask(asked[0][0])[0],  # a secret helps nobody to write an answer
        language=language,
        count=len(asked),
        first_at=min(times),
        last_at=max(times),
    )
