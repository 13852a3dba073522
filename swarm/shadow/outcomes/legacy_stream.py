"""Today's outbox as a second stream of the intake's reader: every line accounted, once.

The same offset, fingerprint, marker, rotation and quarantine as for work orders
(``swarm.intake.stream``); here only what the lines mean. The first decision about a work order
stays: it is the one today's sender took. Another one later is told and not kept.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from psycopg.types.json import Jsonb

from swarm.intake.stream import quarantine, rows
from swarm.intake.stream.bookmarks import fits, open_stream
from swarm.intake.stream.line import Quarantined
from swarm.intake.stream.lines import RawLine
from swarm.intake.stream.replay import ReplayReport, replay
from swarm.intake.stream.rows import LineRow
from swarm.intake.stream.tick import IngestReport, StoredLines, ingest, stream_name
from swarm.legacy.home import LegacyFiles
from swarm.shadow.models import LegacyOutcome
from swarm.shadow.outcomes.legacy_line import Decided, read_outcome, said
from swarm.store import tombstone_rows
from swarm.store.alerts import raise_growing
from swarm.store.database import Connection, Database
from swarm.store.tombstones import ERASED, is_erased

REVISED = "legacy.outcome_revised"

_KNOWN_IDS = "SELECT key, original_id FROM work_orders WHERE original_id = ANY(%s)"

_KNOWN = """
SELECT work_order_key, origin, escalated, reasons, recipient, subject, body_text, policy_version,
       line_sha256, decided_at
  FROM legacy_outcomes WHERE work_order_key = ANY(%s) AND origin = 'live'
"""

# What was imported gives way to what was read where it was written.
_INSERT = """
INSERT INTO legacy_outcomes (work_order_key, origin, escalated, reasons, recipient, subject,
                             body_text, policy_version, line_sha256, decided_at)
VALUES (%(work_order_key)s, %(origin)s, %(escalated)s, %(reasons)s, %(recipient)s, %(subject)s,
        %(body_text)s, %(policy_version)s, %(line_sha256)s, %(decided_at)s)
ON CONFLICT (work_order_key) DO UPDATE
   SET origin = excluded.origin, escalated = excluded.escalated, reasons = excluded.reasons,
       recipient = excluded.recipient, subject = excluded.subject, body_text = excluded.body_text,
       policy_version = excluded.policy_version, line_sha256 = excluded.line_sha256,
       decided_at = excluded.decided_at, read_at = now()
 WHERE legacy_outcomes.origin = 'history'
"""


@dataclass(frozen=True, slots=True)
class LegacyOutcomes:
    """Today's outbox of one installation."""

    database: Database
    files: LegacyFiles
    secret: str

    def ingest(self) -> IngestReport:
        """Store what is new; no outbox is nothing new. Raises ``DatabaseUnavailableError``."""
        return ingest(self.database, self.files.outbox, self.secret, keep=store_outcomes)

    def reread(self) -> tuple[ReplayReport, ...]:
        """Read again every generation whose file is there, up to where it was read.

        What is known stays; what was lost from the table comes back. Raises ``TransientError``
        while another reader holds the stream.
        """
        stream = stream_name(self.files.outbox)
        with self.database.transaction() as connection, open_stream(self.files.outbox) as files:
            there = [
                each.generation
                for each in rows.bookmarks(connection, stream)
                if each.offset and any(fits(file, each) for file in files)
            ]
        return tuple(
            replay(
                self.database,
                self.files.outbox,
                self.secret,
                generation=generation,
                keep=store_outcomes,
            )
            for generation in there
        )


def store_outcomes(
    connection: Connection,
    stream: str,
    generation: int,
    raw: Sequence[RawLine],
    *,
    secret: str,
    now: datetime,
) -> StoredLines:
    """Judge lines of the outbox and write every row that follows; see ``tick.Keep``."""
    del now  # nothing here depends on the moment
    if not raw:
        return StoredLines()
    read = [(line, _read(line, secret)) for line in raw]
    read = _under_known_keys(connection, _without_the_erased(connection, read, secret))
    batch = _Batch(_known(connection, [d.outcome for _, d in read if isinstance(d, Decided)]))
    placed = [batch.place(line, decided) for line, decided in read]
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT, [_row(outcome) for outcome in batch.new])
    if rows.record_lines(connection, stream, generation, placed):
        quarantine.tell(connection, stream, generation)
    for key in batch.revised:
        detail = "today's path decided twice about it, differently; the first decision stays"
        raise_growing(connection, REVISED, key, detail)
    return StoredLines(
        counts=Counter(row.status for row in placed),
        accepted_keys=tuple(outcome.work_order_key for outcome in batch.new),
    )


_Read = Decided | Quarantined | None
"""None: the line of an erased mail."""


def _read(line: RawLine, secret: str) -> _Read:
    if line.data is None:
        return Quarantined("oversized line")
    return None if is_erased(line.data) else read_outcome(line.data, line.sha256, secret)


def _without_the_erased(
    connection: Connection, read: Sequence[tuple[RawLine, _Read]], secret: str
) -> list[tuple[RawLine, _Read]]:
    hashes = {
        id(each): each.mail.tombstones(secret) for _, each in read if isinstance(each, Decided)
    }
    met = tombstone_rows.known(connection, frozenset[str]().union(*hashes.values()))
    return [
        (line, None if met & hashes.get(id(each), frozenset()) else each) for line, each in read
    ]


def _under_known_keys(
    connection: Connection, read: Sequence[tuple[RawLine, _Read]]
) -> list[tuple[RawLine, _Read]]:
    """Name each by the key its work order has, also when the secret of keys was changed."""
    ids = [each.original_id for _, each in read if isinstance(each, Decided)]
    found = connection.execute(_KNOWN_IDS, (ids,))
    keys = {row["original_id"]: row["key"] for row in found}
    return [
        (line, _named(each, keys) if isinstance(each, Decided) else each) for line, each in read
    ]


def _named(decided: Decided, keys: Mapping[str, str]) -> Decided:
    key = keys.get(decided.original_id, decided.outcome.work_order_key)
    outcome = decided.outcome.model_copy(update={"work_order_key": key})
    return replace(decided, outcome=outcome)


def _known(connection: Connection, outcomes: Sequence[LegacyOutcome]) -> dict[str, str]:
    """Return what is stored about these work orders: key to what was said."""
    found = connection.execute(_KNOWN, ([each.work_order_key for each in outcomes],))
    stored = (LegacyOutcome.model_validate(row) for row in found)
    return {each.work_order_key: said(each) for each in stored}


class _Batch:
    """Sorts the lines of one batch into new outcomes, duplicates and second thoughts."""

    def __init__(self, known: dict[str, str]) -> None:
        self.known = known
        self.new: list[LegacyOutcome] = []
        self.revised: set[str] = set()

    def place(self, line: RawLine, decided: _Read) -> LineRow:
        if decided is None:
            return LineRow(replace(line, sha256=ERASED), ERASED)
        if isinstance(decided, Quarantined):
            return LineRow(line, "quarantined", reason=decided.reason)
        key, saying = decided.outcome.work_order_key, said(decided.outcome)
        first = self.known.setdefault(key, "")
        if not first:
            self.known[key] = saying
            self.new.append(decided.outcome)
            return LineRow(line, "accepted", key, saying)
        if first != saying:
            self.revised.add(key)
        return LineRow(line, "duplicate", key, saying)


def _row(outcome: LegacyOutcome) -> dict[str, object]:
    return outcome.model_dump() | {"reasons": Jsonb(list(outcome.reasons))}
