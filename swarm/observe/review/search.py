"""Mails found by sender, subject, number, date, key or id, newest first.

Asks the indexes of ``mail_search`` alone (a mail's text is not searched, its numbers are); the rest
of a row is read for the few that are shown. What lives elsewhere: what was typed (``asked``).
"""

from datetime import datetime

from psycopg import sql
from pydantic import Field

from swarm.models import Noun, WorkOrderState
from swarm.observe.review.asked import Term, TermKind, terms_of
from swarm.store.database import Connection

MOST = 50  # of one answer

_CONDITIONS = {
    TermKind.KEY: "starts_with(m.work_order_key, %(text{n})s)",
    TermKind.RECEIVED: "m.received_at >= %(since{n})s AND m.received_at < %(until{n})s",
    TermKind.ADDRESS: "(m.addresses @> ARRAY[lower(%(text{n})s)] OR m.ids @> ARRAY[%(text{n})s])",
    TermKind.NUMBER: "(m.numbers @> ARRAY[%(text{n})s] OR m.ids @> ARRAY[%(text{n})s])",
    TermKind.ID: "m.ids @> ARRAY[%(text{n})s]",
    TermKind.WORD: (
        "(array_to_tsvector(m.words) @@ (%(lexeme{n})s)::tsquery OR m.ids @> ARRAY[%(raw{n})s])"
    ),
}

_FIND = """
WITH found AS MATERIALIZED (
    SELECT m.work_order_key AS key, m.received_at FROM mail_search m
     WHERE {conditions}
     ORDER BY m.received_at DESC, m.work_order_key LIMIT %(limit)s
)
SELECT found.key, found.received_at, w.state, left(w.state_reason, 300) AS reason,
       left(w.body->'sender'->>'name', 200) AS sender_name,
       left(w.body->'sender'->>'address', 320) AS sender,
       left(w.body->>'subject', 300) AS subject
  FROM found JOIN work_orders w ON w.key = found.key
 ORDER BY found.received_at DESC, found.key
"""


class FoundMail(Noun):
    """One mail that was found. Quotes sender and subject."""

    key: str
    received_at: datetime
    state: WorkOrderState
    reason: str
    sender: str
    sender_name: str
    subject: str


class SearchResult(Noun):
    """What was looked for, in words, and the newest that were found."""

    searched: tuple[str, ...] = Field(description="One sentence a condition; all had to hold")
    mails: tuple[FoundMail, ...]
    more: bool = Field(description="Whether there are older ones")


def search(connection: Connection, typed: str, zone: str) -> SearchResult:
    """Return what was typed finds; nothing usable typed finds nothing and says nothing.

    ``zone`` is where days begin.
    """
    terms = terms_of(typed, zone)
    if not terms:
        return SearchResult(searched=(), mails=(), more=False)
    rows = connection.execute(statement(terms), values(terms)).fetchall()
    mails = tuple(FoundMail.model_validate(row) for row in rows)
    said = tuple(term.sentence for term in terms)
    return SearchResult(searched=said, mails=mails[:MOST], more=len(mails) > MOST)


def statement(terms: tuple[Term, ...]) -> sql.Composed:
    """Return the question, made of our own constants alone."""
    each = (_CONDITIONS[term.kind].format(n=n) for n, term in enumerate(terms))
    return sql.SQL(_FIND).format(conditions=sql.SQL(" AND ".join(each)))


def values(terms: tuple[Term, ...]) -> dict[str, object]:
    """Return what is bound to it."""
    bound: dict[str, object] = {"limit": MOST + 1}
    for n, term in enumerate(terms):
        bound |= {f"text{n}": term.text, f"since{n}": term.since, f"until{n}": term.until}
        bound |= {f"raw{n}": term.raw, f"lexeme{n}": _lexemes(term.raw and term.text)}
    return bound


def _lexemes(words: str) -> str:
    """Return a question of the text search: each word's beginning. Words are letters and digits."""
    return " & ".join(f"'{word}':*" for word in words.split())
