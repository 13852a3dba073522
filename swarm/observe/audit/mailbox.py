"""The promises as questions to the mailbox: at most one draft per work order, where we say it is.

Reads only, a few searches at a time, so that hundreds of publications neither flood Graph nor take
for ever. A search that fails is a finding of its own: not knowing is not the same as fine.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from swarm.clients.protocol import FoundDraft, Outlook
from swarm.errors import SwarmError
from swarm.models import Noun
from swarm.store.database import Connection

_CONCURRENT_SEARCHES = 4  # Graph allows four concurrent requests per app and mailbox
_CLOCK_SLACK = timedelta(minutes=2)  # publishing protocol, section 7

# Legacy payloads may lack the marker: the body of ours carries it.
_PUBLICATIONS = """
SELECT l.work_order_key AS key, l.state, l.created_at, l.intent_at,
       p.body->>'conversation_id' AS conversation_id, p.body->>'draft_marker' AS marker
  FROM publication_ledger l
  LEFT JOIN publication_payload p ON p.work_order_key = l.work_order_key
       AND p.publisher = l.publisher
 ORDER BY l.created_at, l.work_order_key
"""


class LedgerEntry(Noun):
    """A ledger row as far as the mailbox is concerned."""

    key: str
    state: str
    created_at: datetime
    intent_at: datetime | None = None
    conversation_id: str | None = None
    marker: str | None = None


class MailboxFinding(Noun):
    """What is wrong with one publication's drafts."""

    name: str
    key: str
    detail: str


def ledger_entries(connection: Connection) -> tuple[LedgerEntry, ...]:
    """Return every row of the ledger."""
    return tuple(LedgerEntry.model_validate(row) for row in connection.execute(_PUBLICATIONS))


def compare(mailbox: Outlook, rows: Sequence[LedgerEntry]) -> Iterator[MailboxFinding]:
    """Search the mailbox for every publication and yield where it and the ledger disagree."""
    with ThreadPoolExecutor(_CONCURRENT_SEARCHES) as pool:
        for findings in pool.map(lambda row: _look(mailbox, row), rows):
            yield from findings


def _look(mailbox: Outlook, row: LedgerEntry) -> tuple[MailboxFinding, ...]:
    try:
        found = mailbox.find_dispatched(
            key=row.key,
            conversation_id=row.conversation_id or None,
            marker=row.marker or row.key,
            since=(row.intent_at or row.created_at) - _CLOCK_SLACK,
        )
    except SwarmError as error:
        detail = f"the mailbox could not be searched: {error.message}"
        return (MailboxFinding(name="not_searched", key=row.key, detail=detail),)
    return tuple(_judge(row, found))


def _judge(row: LedgerEntry, found: Sequence[FoundDraft]) -> Iterator[MailboxFinding]:
    if len(found) > 1:
        where = ", ".join(sorted(draft.folder for draft in found))
        yield MailboxFinding(
            name="drafted_twice", key=row.key, detail=f"{len(found)} drafts: {where}"
        )
    if row.state == "CONFIRMED" and not found:
        detail = "CONFIRMED, but the mailbox holds nothing of it"
        yield MailboxFinding(name="confirmed_without_draft", key=row.key, detail=detail)
    if found and row.intent_at is None and row.state != "CONFIRMED":
        detail = f"{row.state}, never claimed, yet the mailbox holds a draft"
        yield MailboxFinding(name="draft_without_claim", key=row.key, detail=detail)
    if found and row.state in {"HELD", "DEAD"}:
        detail = f"{row.state}, but the mailbox holds a draft"
        yield MailboxFinding(name="draft_not_confirmed", key=row.key, detail=detail)
