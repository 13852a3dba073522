"""The ledger's side of a comparison with the mailbox: what was approved, and where."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from swarm.models import Noun
from swarm.store.database import Connection, Row

_COLUMNS = """
SELECT l.work_order_key AS key, l.state, l.publisher, l.created_at, l.intent_at,
       p.body->>'conversation_id' AS conversation_id, p.body->>'draft_marker' AS marker,
       p.body->>'subject' AS subject, p.body->>'to' AS recipients, p.body->>'cc' AS copies,
       p.body->>'body_text' AS body_text, p.body->>'body_html' AS body_html
  FROM publication_ledger l
  LEFT JOIN publication_payload p ON p.work_order_key = l.work_order_key
       AND p.publisher = l.publisher
"""

_BY_KEY = f"{_COLUMNS} WHERE l.work_order_key = ANY(%s) ORDER BY l.created_at, l.work_order_key"

# The reference in a draft is the first eight letters of its key.
_BY_REFERENCE = f"{_COLUMNS} WHERE substr(l.work_order_key, 4, 8) = ANY(%s)"

_BY_CONVERSATION = f"{_COLUMNS} WHERE p.body->>'conversation_id' = ANY(%s)"


class LedgerEntry(Noun):
    """A ledger row as far as the mailbox is concerned, with what was approved for it."""

    key: str
    state: str
    publisher: str = ""
    created_at: datetime
    intent_at: datetime | None = None
    conversation_id: str | None = None
    marker: str | None = None
    subject: str = ""
    recipients: frozenset[str] = frozenset()
    body_text: str = ""
    body_html: str = ""


def entries_of(connection: Connection, keys: Sequence[str]) -> Iterator[LedgerEntry]:
    """Yield the ledger rows of these work orders, oldest first."""
    return map(_entry, connection.execute(_BY_KEY, (list(keys),)))


def entries_by_reference(
    connection: Connection, references: Sequence[str]
) -> Iterator[LedgerEntry]:
    """Yield the ledger rows whose keys begin with these letters, as drafts name them."""
    return map(_entry, connection.execute(_BY_REFERENCE, ([r.lower() for r in references],)))


def entries_in(connection: Connection, conversations: Sequence[str]) -> Iterator[LedgerEntry]:
    """Yield the ledger rows whose mail belongs to these conversations."""
    return map(_entry, connection.execute(_BY_CONVERSATION, (list(conversations),)))


def _entry(row: Row) -> LedgerEntry:
    to = f"{row.pop('recipients') or ''},{row.pop('copies') or ''}"
    known = {name: value for name, value in row.items() if value is not None}
    addresses = frozenset(part.strip().lower() for part in to.split(",") if part.strip())
    return LedgerEntry.model_validate({**known, "recipients": addresses})
