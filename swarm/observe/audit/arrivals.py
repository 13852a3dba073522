"""Nothing lost before there is a work order: from the inbox to the events, from there to the lines.

Two comparisons. Every mail that lies in the inbox and should have been read by now is an event; and
every event that was handled stands among the work orders or among what was sorted out. Reads only.
What lives elsewhere: the lines against the database (``streams``), drafts (``mailbox``).
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from swarm.clients.lenient import moment
from swarm.clients.outlook_inbound import WITHOUT_ID
from swarm.clients.protocol import InboundMessage
from swarm.errors import SwarmError
from swarm.intake.stream import rows
from swarm.intake.stream.bookmarks import fits, open_stream
from swarm.intake.stream.keys import work_order_key
from swarm.legacy.events import encoded
from swarm.legacy.follow import Follower
from swarm.legacy.graph_events import event_from_graph, truth
from swarm.legacy.home import IntakeFiles
from swarm.legacy.jsonl import complete_lines, ids_of, read_state
from swarm.observe.audit.findings import Violation
from swarm.observe.audit.report import Scope
from swarm.store.database import Connection, Database
from swarm.store.tombstone_rows import all_tombstones
from swarm.store.tombstones import TombstoneFile

_LATE: Final = timedelta(minutes=10)  # Exchange shows a mail in the delta a little after it came
_BACK: Final = {Scope.NEW: timedelta(days=2), Scope.FULL: timedelta(days=60)}
_AT_ONCE = 10_000  # keys in one question to the database

_SORTED_OUT = "SELECT key FROM sorted_out WHERE key = ANY(%(keys)s)"

_KNOWN = """
SELECT work_order_key AS key FROM intake_line
 WHERE work_order_key = ANY(%(keys)s) AND stream <> 'outbox'
 UNION SELECT key FROM sorted_out WHERE key = ANY(%(keys)s)
"""


class Inbox(Protocol):
    """What is asked of the mailbox; ``clients.outlook.GraphOutlook`` answers it."""

    def inbox(self, since: datetime, until: datetime) -> Sequence[InboundMessage]:
        """Return what lies in the inbox and was received in this span, without bodies."""
        ...


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The intake of one home: its files, its mailbox (``address``), and the home's key secret."""

    files: IntakeFiles
    inbox: Inbox
    address: str
    secret: str

    def check(self, database: Database, scope: Scope) -> Iterator[tuple[str, Violation]]:
        """Yield each mail that came and of which the next place knows nothing."""
        state = read_state(self.files.service_state)  # before the events: they only get more
        try:
            seen = _events(self.files)
            yield from self._unsorted(database, seen)
            yield from self._unlisted(database)
            yield from self._unburied(database)
        except OSError as error:
            said = f"the files of the intake could not be read: {type(error).__name__}"
            yield "intake", Violation(1, "stream_unread", said)
            return
        began, reached = moment(state.get("began")), moment(state.get("watermark"))
        if began is not None and reached is not None:
            until = min(reached, datetime.now(UTC)) - _LATE
            yield from self._unread(seen, max(began, until - _BACK[scope]), until)

    def unread(self, since: datetime, until: datetime) -> Iterator[tuple[str, Violation]]:
        """Yield each mail of the inbox, received in this span, that was never read.

        Raises ``OSError`` when the files of the intake cannot be read.
        """
        yield from self._unread(_events(self.files), since, until)

    def _unsorted(self, database: Database, seen: "_Seen") -> Iterator[tuple[str, Violation]]:
        lost = {each.decode() for each in seen.handled - _ids_in(self.files)}
        with database.transaction() as connection:
            for name in self._unknown(connection, _KNOWN, lost):
                said = "the mail was read, and is neither a work order nor sorted out"
                yield name, Violation(1, "event_lost", said)

    def _unlisted(self, database: Database) -> Iterator[tuple[str, Violation]]:
        """What the list of the sorted-out says, and was read, stands in the table."""
        with database.transaction() as connection:
            listed = _read_from_the_list(connection, self.files.ignored)
            for name in self._unknown(connection, _SORTED_OUT, listed):
                said = "the mail was sorted out, and no list shows it any more"
                yield name, Violation(1, "sorted_out_lost", said)

    def _unknown(self, connection: Connection, known: str, names: set[str]) -> Iterator[str]:
        """Yield the ids whose keys the question ``known`` does not give back, some at a time."""
        keys = {work_order_key(self.secret, name): name for name in names}
        ordered = sorted(keys)
        for start in range(0, len(ordered), _AT_ONCE):
            asked = ordered[start : start + _AT_ONCE]
            found = {row["key"] for row in connection.execute(known, {"keys": asked})}
            yield from (keys[key] for key in asked if key not in found)

    def _unburied(self, database: Database) -> Iterator[tuple[str, Violation]]:
        """The file only repeats the table: what it has more was taken out of the table."""
        try:
            buried = set(self.files.tombstones.read_text("ascii").split())
        except FileNotFoundError:
            return
        with database.transaction() as connection:
            lost = len(buried - set(all_tombstones(connection)))
        if lost:
            said = f"{lost} tombstones of the file are not in the table"
            yield "tombstone", Violation(1, "tombstone_lost", said)

    def _unread(
        self, seen: "_Seen", since: datetime, until: datetime
    ) -> Iterator[tuple[str, Violation]]:
        if since >= until:
            return
        try:
            found = self.inbox.inbox(since, until)
        except SwarmError as error:
            said = f"the inbox could not be listed: {error.message}"
            yield "mailbox", Violation(1, "not_listed", said)
            return
        yield from self._not_among(found, seen)

    def _not_among(
        self, found: Iterable[InboundMessage], seen: "_Seen"
    ) -> Iterator[tuple[str, Violation]]:
        refused = TombstoneFile(self.files.tombstones, self.secret).refuses
        for message in found:
            if WITHOUT_ID in message.unread or truth(message.raw.get("isDraft")):
                continue
            if message.message_id.encode() in seen.ids:
                continue
            event = event_from_graph(
                message.raw, self.address, message=message.message_id, now=datetime.now(UTC)
            )
            if event["id"].encode() in seen.ids or refused(encoded(event)):
                continue
            said = f"a mail of {event['received_at'][:16]}Z lies in the inbox and was never read"
            yield event["id"], Violation(1, "mail_unread", said)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Every id of an event or its message, and the ids of the events that were handled."""

    ids: frozenset[bytes]
    handled: frozenset[bytes]


def _events(files: IntakeFiles) -> _Seen:
    ids, handled = set[bytes](), set[bytes]()
    with open_stream(files.events) as opened:
        waiting = Follower(files.events, files.processor_state).lag_bytes()
        for file in opened:
            for line, end in complete_lines(file.descriptor, 0, file.size):
                names = ids_of(line)
                ids |= set(names)
                if file.live and end <= file.size - waiting:
                    handled |= set(names[:1])
    return _Seen(frozenset(ids), frozenset(handled))


def _read_from_the_list(connection: Connection, path: Path) -> set[str]:
    """Return the ids that the reader of the list has passed by, as its bookmarks say."""
    ids = set[str]()
    with open_stream(path) as opened:
        for bookmark in rows.bookmarks(connection, path.stem):
            for file in (each for each in opened if fits(each, bookmark)):
                for line, _ in complete_lines(file.descriptor, 0, bookmark.offset):
                    ids |= {name.decode("utf-8", "replace") for name in ids_of(line)[:1]}
    return ids


def _ids_in(files: IntakeFiles) -> set[bytes]:
    """Return the ids of everything that was handed on or sorted out, rotated files too."""
    ids = set[bytes]()
    for path in (files.work_orders, files.ignored):
        with open_stream(path) as opened:
            for file in opened:
                size = os.fstat(file.descriptor).st_size  # what was written while we read, too
                for line, _ in complete_lines(file.descriptor, 0, size):
                    ids |= set(ids_of(line)[:1])
    return ids
