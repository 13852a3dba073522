"""The audit of the promises: over the whole database, the mailbox and the intake streams.

Every breach is named: which promise, which work order, what is wrong. An audit that could not look
somewhere says so and is not clean. It recomputes rather than believes: hashes are made again from
the bytes, states are followed along the chain and the log, and what was there at the last clean
audit must be there still. Reads only, but for that mark.

In scope NEW the work orders written since the last clean audit, and all that are open, are worked
out again; questions over whole tables are asked always. What lives elsewhere: the questions
(``tables``, ``waiting``), working out again (``recompute``), the mailbox (``mailbox``), the streams
(``streams``), the way to them (``arrivals``), today's outbox (``outcomes``), the schema
(``schema``), the mark (``marks``), the scope (``scope``).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from swarm.observe.audit import foreign, marks, schema, streams, tables
from swarm.observe.audit import mailbox as mailboxes
from swarm.observe.audit import scope as scopes
from swarm.observe.audit.arrivals import Arrivals
from swarm.observe.audit.findings import Violation
from swarm.observe.audit.mailbox import AuditedMailbox
from swarm.observe.audit.marks import Here, Mark
from swarm.observe.audit.outcomes import LegacyOutbox
from swarm.observe.audit.recompute import Progress, Recomputation, recompute
from swarm.observe.audit.report import AuditReport, Breach, Limits, Observation, Scope, Totals
from swarm.observe.audit.scope import Written
from swarm.store.database import Connection, Database

_TOTALS = """
SELECT now() AS at,
       (SELECT count(*) FROM work_orders WHERE final_at IS NOT NULL) AS final,
       (SELECT count(*) FROM intake_line WHERE stream <> 'outbox') AS lines
"""

# A whole audit takes longer than a statement or a pause of ours may otherwise.
_PATIENCE = """
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0
"""

_SNAPSHOT = "SELECT pg_export_snapshot() AS snapshot"

_DRAFTED_THOUGH_ESCALATED = """
SELECT w.key AS subject, 'escalated, and drafted by today''s path (' || l.state || ')' AS detail
  FROM publication_ledger l JOIN work_orders w ON w.key = l.work_order_key
  JOIN escalations e ON e.work_order_key = w.key
 WHERE w.state = 'escalated' AND l.publisher = 'legacy' AND l.state = 'CONFIRMED'
   AND e.acknowledged_at IS NULL
 ORDER BY w.key
"""

_ACCEPTABLE = frozenset({"schema_changed", "shortened", "mark_broken", "foreign_writer"})


@dataclass(frozen=True, slots=True)
class Memory:
    """Where and in whose name a clean audit is remembered. ``accepted``: why a person takes what
    differs from the last mark as the new measure; nothing else can be accepted.
    """

    anchor: Path
    actor: str
    accepted: str = ""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What the tables came to, all seen at one moment."""

    totals: dict[str, object]
    here: Here
    scope: Scope
    since: Mark | None
    written: Written
    keys: Sequence[str]
    published: Sequence[str]
    breaches: tuple[Breach, ...]
    facts: tuple[Observation, ...]
    laid_down: dict[str, str]


def audit(
    database: Database,
    mailbox: AuditedMailbox | None,
    stream_files: Sequence[Path],
    *,
    required_rules: Sequence[str] = (),
    limits: Limits | None = None,
    scope: Scope = Scope.FULL,
    memory: Memory | None = None,
    progress: Progress = lambda _done, _total: None,
    secret: str = "",
    arrivals: Arrivals | None = None,
    outbox: LegacyOutbox | None = None,
) -> AuditReport:
    """Check promises 1 to 6; a clean audit leaves its mark when there is a ``memory`` to keep it.

    ``required_rules`` are the rules without whose stored PASS nothing may have left. ``mailbox``
    None: drafts are not looked for, the totals say so, and no mark is left. ``secret`` is the
    home's key secret, by which drafts of erased work orders are known. ``arrivals``: the intake
    whose mails are followed from the inbox to their line; ``outbox``: today's path, whose outcomes
    must all be here. None leaves either out.
    """
    auditor = _Auditor(database, tuple(required_rules), limits or Limits(), memory, progress)
    seen = auditor.tables(scope)
    breaches, facts = list(seen.breaches), list(seen.facts)
    for path in stream_files:
        breaches.extend(_named(streams.check(database, path)))
    if arrivals is not None:
        breaches.extend(_named(arrivals.check(database, seen.scope)))
    if outbox is not None:
        breaches.extend(_named(outbox.check(database)))
    if mailbox is not None:
        for told in mailboxes.compare(mailbox, database, seen.published, secret=secret):
            if isinstance(told, Observation):
                facts.append(told)
            else:
                breaches.extend(_named([told]))
    report = AuditReport(
        at=seen.here.at,
        scope=seen.scope,
        since=seen.since.at if seen.since and seen.scope is Scope.NEW else None,
        totals=_totals(seen, len(stream_files), len(required_rules), searched=mailbox is not None),
        breaches=tuple(sorted(set(breaches), key=lambda b: tuple(b.model_dump().values()))),
        facts=tuple(sorted(facts, key=lambda f: tuple(f.model_dump().values()))),
    )
    if mailbox is not None:
        auditor.remember(report, seen)
    return report


@dataclass(frozen=True, slots=True)
class _Auditor:
    """One audit of one installation."""

    database: Database
    required_rules: tuple[str, ...]
    limits: Limits
    memory: Memory | None
    progress: Progress

    def tables(self, scope: Scope) -> _Snapshot:
        """Ask everything that the database can answer, of one snapshot."""
        with self.database.transaction() as connection:
            connection.execute(_PATIENCE)
            kept, here = marks.read_marks(connection), marks.here(connection)
            since = kept[-1] if kept else None
            leans = since is not None and scopes.comparable(since, here)
            written = scopes.look(connection, since, comparable=leans)
            remembered = list(self._memory_of(kept, here, written))
            if since is None or not leans or remembered or _gone(since, written):
                scope = Scope.FULL  # nothing to lean on, or whose rows are gone must be found out
            keys = self._keys(connection, scope, written)
            found = _named(
                [
                    *remembered,
                    *schema.check(connection, since.laid_down if since else None),
                    *foreign.check(connection, kept),
                ]
            )
            return _Snapshot(
                totals=connection.execute(_TOTALS).fetchone() or {},
                here=here,
                scope=scope,
                since=since,
                written=written,
                keys=keys,
                published=scopes.to_search(connection, keys),
                breaches=(
                    *found,
                    *self._asked(connection),
                    *self._recomputed(connection, keys),
                ),
                facts=tuple(
                    Observation(name="drafted_though_escalated", **row)
                    for row in connection.execute(_DRAFTED_THOUGH_ESCALATED)
                ),
                laid_down=schema.laid_down(connection),
            )

    def remember(self, report: AuditReport, seen: _Snapshot) -> None:
        """Leave a mark: after a clean audit, or where a person accepts what differs from it."""
        if self.memory is None or {b.check for b in report.breaches} - self._accepted():
            return
        mark = Mark(
            id=0,
            at=seen.here.at,
            scope=seen.scope,
            cluster=seen.here.cluster,
            horizon=seen.here.horizon,
            counts=seen.written.counts,
            laid_down=seen.laid_down,
            actor=self.memory.actor,
            reason=self.memory.accepted,
            previous_hash="",
            hash="",
        )
        kept = marks.write_mark(self.database, mark)
        if kept is not None:
            marks.write_anchor(self.memory.anchor, kept)

    def _accepted(self) -> frozenset[str]:
        return _ACCEPTABLE if self.memory and self.memory.accepted else frozenset()

    def _keys(self, connection: Connection, scope: Scope, written: Written) -> list[str]:
        if scope is Scope.FULL:
            return scopes.all_keys(connection)
        return sorted({*written.keys, *scopes.open_keys(connection)})

    def _memory_of(
        self, kept: tuple[Mark, ...], here: Here, written: Written
    ) -> Iterator[tuple[str, Violation]]:
        anchor = marks.read_anchor(self.memory.anchor) if self.memory else None
        for finding in marks.check_marks(kept, anchor, here):
            yield "audit_mark", finding
        if kept and not scopes.erased_since(kept[-1], written.counts):
            yield from scopes.shortened(kept[-1], written)

    def _asked(self, connection: Connection) -> Iterator[Breach]:
        for question, subject, detail in tables.ask(connection, self.limits.parameters()):
            yield Breach(
                promise=question.promise, check=question.name, subject=subject, detail=detail
            )

    def _recomputed(self, connection: Connection, keys: Sequence[str]) -> Iterator[Breach]:
        row = connection.execute(_SNAPSHOT).fetchone() or {}
        job = Recomputation(self.database.url, row["snapshot"], self.required_rules, self.limits)
        return recompute(connection, keys, job, self.progress)


def _gone(since: Mark, written: Written) -> bool:
    return scopes.erased_since(since, written.counts) or scopes.artifacts_replaced(since, written)


def _named(found: Iterable[tuple[str, Violation]]) -> list[Breach]:
    return [Breach(subject=subject, **finding._asdict()) for subject, finding in found]


def _totals(seen: _Snapshot, files: int, rules: int, *, searched: bool) -> Totals:
    counts = seen.written.counts
    return Totals(
        lines=int(str(seen.totals["lines"])),
        work_orders=counts["work_orders"],
        final=int(str(seen.totals["final"])),
        publications=counts["publication_ledger"],
        events=counts["workflow_events"],
        streams=files,
        mailbox_searched=searched,
        required_rules=rules,
        recomputed=len(seen.keys),
    )
