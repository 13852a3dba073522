"""The audit of the promises: over the whole database, the mailbox and the intake streams.

Every breach is named: which promise, which work order, what is wrong. An audit that could not look
somewhere says so and is not clean. Reads only. What lives elsewhere: the questions to the tables
(``tables``) and to the mailbox (``mailbox``), counting streams (``intake.stream.completeness``).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import Field

from swarm.clients.protocol import Outlook
from swarm.intake.stream.completeness import count_lines
from swarm.models import Noun, StoredEvent
from swarm.observe.audit import tables
from swarm.observe.audit.mailbox import LedgerEntry, compare, ledger_entries
from swarm.store.database import Connection, Database
from swarm.store.event_chain import GENESIS, verify_chain

_TOTALS = """
SELECT now() AS at,
       (SELECT count(*) FROM intake_line) AS lines,
       (SELECT count(*) FROM work_orders) AS work_orders,
       (SELECT count(*) FROM work_orders WHERE final_at IS NOT NULL) AS final,
       (SELECT count(*) FROM publication_ledger) AS publications,
       (SELECT count(*) FROM workflow_events) AS events
"""

_HEADS = "SELECT key, chain_seq, chain_hash, state FROM work_orders ORDER BY key"

_ALL_EVENTS = """
SELECT work_order_key, seq, attempt, run_id, kind, stage, actor, detail, duration_ms, cost, at,
       previous_hash, hash
  FROM workflow_events WHERE work_order_key = ANY(%s) ORDER BY work_order_key, seq
"""

_CHAINS_AT_ONCE = 200


class Limits(Noun):
    """How long something may take before it is a breach. Defaults fit the default settings."""

    lease_grace: timedelta = timedelta(minutes=2)
    settle_grace: timedelta = timedelta(minutes=5)
    sending: timedelta = timedelta(minutes=2)


class Breach(Noun):
    """One promise broken once. ``check`` is a stable name; the detail never quotes mail text."""

    promise: int = Field(ge=1, le=6)
    check: str
    subject: str
    detail: str


class Totals(Noun):
    """What was looked at; an audit of nothing must not look like a clean one."""

    lines: int
    work_orders: int
    final: int
    publications: int
    events: int
    streams: int
    mailbox_searched: bool
    required_rules: int


class AuditReport(Noun):
    """The audit as it was taken."""

    at: datetime
    totals: Totals
    breaches: tuple[Breach, ...]

    @property
    def holds(self) -> bool:
        """Whether every promise that was looked at holds."""
        return not self.breaches


def audit(
    database: Database,
    mailbox: Outlook | None,
    streams: Sequence[Path],
    *,
    required_rules: Sequence[str] = (),
    limits: Limits | None = None,
) -> AuditReport:
    """Check promises 1 to 6 over everything there is.

    ``required_rules`` are the rules without whose stored PASS nothing may have left. ``mailbox``
    None: drafts are not looked for, and the totals say so.
    """
    with database.transaction() as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        totals = connection.execute(_TOTALS).fetchone() or {}
        breaches = [
            *_table_breaches(connection, required_rules, limits or Limits()),
            *_chain_breaches(connection),
        ]
        publications = ledger_entries(connection)
    for stream in streams:
        breaches.extend(_stream_breaches(database, stream))
    if mailbox is not None:
        breaches.extend(_mailbox_breaches(mailbox, publications))
    return AuditReport(
        at=totals.pop("at"),
        totals=Totals(
            **totals,
            streams=len(streams),
            mailbox_searched=mailbox is not None,
            required_rules=len(required_rules),
        ),
        breaches=tuple(sorted(breaches, key=lambda b: (b.promise, b.check, b.subject, b.detail))),
    )


def _table_breaches(
    connection: Connection, required_rules: Sequence[str], limits: Limits
) -> Iterator[Breach]:
    parameters = {
        "required": list(required_rules),
        "lease_grace": limits.lease_grace,
        "settle_grace": limits.settle_grace,
        "sending_limit": limits.sending,
    }
    for question, subject, detail in tables.ask(connection, parameters):
        yield Breach(promise=question.promise, check=question.name, subject=subject, detail=detail)


def _chain_breaches(connection: Connection) -> Iterator[Breach]:
    heads = connection.execute(_HEADS).fetchall()
    for start in range(0, len(heads), _CHAINS_AT_ONCE):
        batch = heads[start : start + _CHAINS_AT_ONCE]
        chains = _chains(connection, [row["key"] for row in batch])
        for row in batch:
            chain = chains.get(row["key"], [])
            for problem in (*verify_chain(chain), *_head_problems(row, chain)):
                yield Breach(promise=6, check="chain", subject=row["key"], detail=problem)


def _chains(connection: Connection, keys: Sequence[str]) -> dict[str, list[StoredEvent]]:
    chains: dict[str, list[StoredEvent]] = {}
    for row in connection.execute(_ALL_EVENTS, (keys,)):
        event = StoredEvent.model_validate(row)
        chains.setdefault(event.work_order_key, []).append(event)
    return chains


def _head_problems(row: dict[str, object], chain: Sequence[StoredEvent]) -> Iterator[str]:
    head = (chain[-1].seq, chain[-1].hash) if chain else (0, GENESIS)
    if head != (row["chain_seq"], row["chain_hash"]):
        yield f"the chain ends at event {head[0]}, its head says {row['chain_seq']}"
    if not chain and row["state"] not in {"accepted", "held"}:
        yield f"{row['state']} without a single event"


def _stream_breaches(database: Database, path: Path) -> Iterator[Breach]:
    try:
        count = count_lines(database, path)
    except OSError as error:
        why = f"the stream could not be read: {type(error).__name__}"
        yield Breach(promise=1, check="stream_unread", subject=path.name, detail=why)
        return
    for generation in count.generations:
        if generation.difference:
            yield Breach(
                promise=1,
                check="stream_count",
                subject=f"{path.name}:{generation.generation}",
                detail=(
                    f"{generation.newlines} newlines, {generation.lines} lines consumed, "
                    f"{generation.accepted} accepted + {generation.duplicate} duplicate"
                    f" + {generation.quarantined} quarantined"
                ),
            )


def _mailbox_breaches(mailbox: Outlook, publications: Sequence[LedgerEntry]) -> Iterator[Breach]:
    for finding in compare(mailbox, publications):
        yield Breach(promise=2, check=finding.name, subject=finding.key, detail=finding.detail)
