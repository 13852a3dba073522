"""The promises as questions to the mailbox: at most one draft per work order, where we say it is,
and saying what was approved.

Two looks: every draft that stands in the Drafts folder, whosever it is, and a search for each
publication in question, wherever its mail lies now. Reads only, a few searches at a time, so that
hundreds of publications neither flood Graph nor take for ever. A search that fails is a finding of
its own: not knowing is not the same as fine.

**A person's act is a fact, not a breach.** People edit, send, move and throw away drafts; that is
the work. Graph says when a message was created and when it was last changed, to the second: a draft
that differs from the approved bytes and was not touched since it was created was made so by a
program, which is a breach; one that was touched may be a person's work, which is a fact. Graph does
not say who touched it (putting our property onto a draft touches it, too), so a program's change
after the draft was made cannot be told from a person's and is reported as a fact as well.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol, TypeAlias

from swarm.clients.outlook_messages import html_to_text
from swarm.clients.protocol import FoundDraft, StandingDraft
from swarm.errors import SwarmError
from swarm.observe.audit.findings import Violation
from swarm.observe.audit.publications import (
    LedgerEntry,
    entries_by_reference,
    entries_in,
    entries_of,
)
from swarm.observe.audit.report import Observation
from swarm.patterns import linear
from swarm.store.database import Connection, Database
from swarm.store.tombstone_rows import buried_as
from swarm.store.tombstones import tombstone

_CONCURRENT_SEARCHES = 4  # Graph allows four concurrent requests per app and mailbox
_CLOCK_SLACK = timedelta(minutes=2)  # publishing protocol, section 7
_REFERENCE: Final = linear(r"Ref: SW-([A-Z2-7]{8})")
_REPLY: Final = linear(r"^\s{0,20}(?:(?:re|aw|sv|antw)\s{0,5}:\s{0,5}){1,50}", re.IGNORECASE)
_DELETED = "deleteditems"
_AT_ONCE = 200  # publications whose texts are held in memory

Told: TypeAlias = tuple[str, Violation] | Observation


class AuditedMailbox(Protocol):
    """What an audit asks of the mailbox; ``clients.outlook.GraphOutlook`` answers it."""

    def drafts(self) -> Sequence[StandingDraft]:
        """Return every draft in the Drafts folder, ours or not."""
        ...

    def find_dispatched(
        self, *, key: str, conversation_id: str | None, marker: str, since: datetime
    ) -> Sequence[FoundDraft]:
        """Find drafts or sent mails of a work order: by extended property and by marker."""
        ...


class Standing(NamedTuple):
    """The Drafts folder: drafts by the work order they name, and those that name none."""

    ours: Mapping[str, Sequence[StandingDraft]]
    strangers: Sequence[str]
    unnamed: Sequence[StandingDraft]


def compare(
    mailbox: AuditedMailbox, database: Database, keys: Sequence[str], *, secret: str = ""
) -> Iterator[Told]:
    """Yield where mailbox and ledger disagree: for these work orders, and for every draft.

    ``keys`` are publications; where there is none at all, nobody's drafts are looked at. By
    ``secret`` the drafts of erased work orders are known, which only a person can delete.
    """
    if not keys:
        return
    try:
        drafts = mailbox.drafts()
    except SwarmError as error:
        said = f"the drafts could not be listed: {error.message}"
        yield "mailbox", Violation(2, "not_searched", said)
        drafts = ()
    with database.transaction() as connection:  # after the drafts: a row is older than its draft
        standing = _sorted(drafts, connection)
        beside = tuple(_beside_ours(standing.unnamed, connection))
        erased = {n for n in standing.strangers if _was_erased(connection, n, secret)}
    for name in standing.strangers:
        if name in erased:
            said = "the draft of an erased work order still stands there: a person deletes it"
            yield Observation(name="draft_of_the_erased", subject="mailbox", detail=said)
        else:
            said = "a draft in the mailbox, of which the ledger knows nothing"
            yield name, Violation(2, "draft_without_ledger", said)
    yield from beside
    asked = sorted({*keys, *standing.ours})
    with ThreadPoolExecutor(_CONCURRENT_SEARCHES) as pool:
        for start in range(0, len(asked), _AT_ONCE):
            batch = asked[start : start + _AT_ONCE]
            yield from _looked_twice(mailbox, database, pool, batch, standing)


def _looked_twice(
    mailbox: AuditedMailbox,
    database: Database,
    pool: ThreadPoolExecutor,
    keys: Sequence[str],
    standing: Standing,
) -> Iterator[Told]:
    """Look; and once more, ledger first, where something is wrong: it may have moved meanwhile."""
    doubtful = []
    for key, told in _looked(mailbox, database, pool, keys, standing):
        if any(not isinstance(each, Observation) for each in told):
            doubtful.append(key)
        else:
            yield from told
    for _, told in _looked(mailbox, database, pool, doubtful, standing):
        yield from told


def _looked(
    mailbox: AuditedMailbox,
    database: Database,
    pool: ThreadPoolExecutor,
    keys: Sequence[str],
    standing: Standing,
) -> Iterator[tuple[str, tuple[Told, ...]]]:
    if not keys:
        return
    with database.transaction() as connection:
        entries = tuple(entries_of(connection, keys))
    looks = [pool.submit(_look, mailbox, e, standing.ours.get(e.key, ())) for e in entries]
    for entry, look in zip(entries, looks, strict=True):
        yield entry.key, look.result()


def _was_erased(connection: Connection, name: str, secret: str) -> bool:
    """Whether a work order of this key, or of this reference, was erased."""
    hashes = {tombstone(secret, "id", each) for each in (name, f"Ref: {name}")}
    return buried_as(connection, hashes) is not None


# --- the Drafts folder ----------------------------------------------------------------------------


def _sorted(drafts: Sequence[StandingDraft], connection: Connection) -> Standing:
    references = {each.message_id: _reference(each) for each in drafts}
    named = [ref for ref in references.values() if ref]
    keys = [each.key for each in drafts if each.key]
    entries = {entry.key: entry for entry in entries_of(connection, keys)}
    entries |= {entry.key: entry for entry in entries_by_reference(connection, named)}
    by_reference = {key[3:11].upper(): key for key in entries}
    ours: dict[str, list[StandingDraft]] = defaultdict(list)
    strangers, unnamed = [], []
    for each in drafts:
        reference = references[each.message_id]
        key = each.key if each.key in entries else by_reference.get(reference or "")
        if key:
            ours[key].append(each)
        elif each.key or reference:
            strangers.append(each.key or f"SW-{reference}")
        else:
            unnamed.append(each)
    return Standing(ours, strangers, unnamed)


def _reference(draft: StandingDraft) -> str | None:
    found = _REFERENCE.search(draft.text)
    return found.group(1) if found else None


def _beside_ours(unnamed: Sequence[StandingDraft], connection: Connection) -> Iterator[Told]:
    """Drafts without our reference in conversations of ours: a copy, or a colleague's own."""
    conversations = {each.conversation_id for each in unnamed if each.conversation_id}
    if not conversations:
        return
    for entry in entries_in(connection, sorted(conversations)):
        for draft in unnamed:
            if draft.conversation_id != entry.conversation_id:
                continue
            if _words(draft.text) in _texts(entry, without_reference=True):
                said = "a second draft says the same without our reference"
                yield entry.key, Violation(2, "drafted_twice", said)
            else:
                said = "another draft stands in its conversation, without our reference"
                yield Observation(name="another_draft", subject=entry.key, detail=said)


# --- one publication ------------------------------------------------------------------------------


def _look(
    mailbox: AuditedMailbox, entry: LedgerEntry, standing: Sequence[StandingDraft]
) -> tuple[Told, ...]:
    try:
        found = mailbox.find_dispatched(
            key=entry.key,
            conversation_id=entry.conversation_id or None,
            marker=entry.marker or entry.key,
            since=(entry.intent_at or entry.created_at) - _CLOCK_SLACK,
        )
    except SwarmError as error:
        said = f"the mailbox could not be searched: {error.message}"
        return ((entry.key, Violation(2, "not_searched", said)),)
    told: list[Told] = [(entry.key, finding) for finding in _judge(entry, found, standing)]
    told += _thrown_away(entry, found)
    for draft in standing:
        told += _against_approved(entry, draft)
    return tuple(told)


def _judge(
    entry: LedgerEntry, found: Sequence[FoundDraft], standing: Sequence[StandingDraft]
) -> Iterator[Violation]:
    folders = {draft.message_id: draft.folder for draft in found}
    folders |= {draft.message_id: "drafts" for draft in standing}
    if len(folders) > 1:
        where = ", ".join(sorted(folders.values()))
        yield Violation(2, "drafted_twice", f"{len(folders)} drafts: {where}")
    if entry.state == "CONFIRMED" and not folders:
        said = "CONFIRMED, but the mailbox holds nothing of it"
        yield Violation(2, "confirmed_without_draft", said)
    if folders and entry.intent_at is None and entry.state != "CONFIRMED":
        said = f"{entry.state}, never claimed, yet the mailbox holds a draft"
        yield Violation(2, "draft_without_claim", said)
    if folders and entry.state in {"HELD", "DEAD"}:
        said = f"{entry.state}, but the mailbox holds a draft"
        yield Violation(2, "draft_not_confirmed", said)


def _thrown_away(entry: LedgerEntry, found: Sequence[FoundDraft]) -> Iterator[Observation]:
    if found and all(draft.folder == _DELETED for draft in found):
        said = "our draft lies in Deleted Items; was the customer answered otherwise?"
        yield Observation(name="draft_deleted", subject=entry.key, detail=said)


def _against_approved(entry: LedgerEntry, draft: StandingDraft) -> Iterator[Told]:
    differs = _differences(entry, draft)
    if not differs:
        return
    said = f"the draft has another {' and another '.join(differs)} than the ledger"
    if draft.modified_at <= draft.created_at:
        yield entry.key, Violation(4, "other_draft", f"{said}, and nobody touched it since")
    else:
        said += f"; changed {draft.modified_at:%Y-%m-%d %H:%M:%SZ}, by a person as it seems"
        yield Observation(name="draft_edited", subject=entry.key, detail=said)


def _differences(entry: LedgerEntry, draft: StandingDraft) -> list[str]:
    """Name what differs. A missing recipient is for the person to add; another one is not."""
    differs = []
    texts = _texts(entry)
    if texts and _words(draft.text) not in texts:
        differs.append("text")
    if entry.recipients and not entry.recipients.issuperset(draft.recipients):
        differs.append("recipient")
    if entry.subject and _REPLY.sub("", draft.subject) != _REPLY.sub("", entry.subject):
        differs.append("subject")
    return differs


def _texts(entry: LedgerEntry, *, without_reference: bool = False) -> set[str]:
    texts = {_words(entry.body_text), _words(html_to_text(entry.body_html))} - {""}
    if without_reference:
        return {text.replace(_words(entry.marker or ""), "") for text in texts}
    return texts


def _words(text: str) -> str:
    """Return the words alone: mail programs set line breaks and blanks as they like."""
    return "".join(text.split())
