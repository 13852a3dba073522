"""The readiness report, put together from one snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from swarm.cutover import heartbeats, looks, must_escalate
from swarm.cutover.reading import comparisons, conduct, kept
from swarm.cutover.reading.comparisons import Comparisons
from swarm.cutover.reading.snapshot import Snapshot, gap, taken
from swarm.cutover.reading.writers import foreign
from swarm.cutover.report import MustEscalate, ReadinessReport, Shortfall, Shortfalls
from swarm.cutover.tolerances import Tolerance
from swarm.stages.engine import Engine

LIVE: Final = timedelta(days=14)

_NEWEST_COMPARED = "SELECT engine FROM comparisons ORDER BY at DESC LIMIT 1"

# Live ones that ended since this engine began to be compared, and are none of its comparisons.
_NOT_COMPARED = """
SELECT w.key AS subject FROM work_orders w
 WHERE w.accepted_at >= greatest(%(since)s::timestamptz, (
        SELECT min(at) FROM comparisons WHERE engine = %(engine)s AND origin = 'live'))
   AND w.accepted_at < %(settled)s AND w.final_at IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM comparisons c
                    WHERE c.work_order_key = w.key AND c.engine = %(engine)s)
 ORDER BY w.key
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to read: ``look`` None: in between; ``since``: what came since then only (a watch)."""

    tolerances: Sequence[Tolerance]
    tolerances_sha256: str
    look: datetime | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """The report, and the table it was counted from (for pictures)."""

    report: ReadinessReport
    comparisons: Comparisons


def read(url: str, asked: Asked) -> Read:
    """Read the report of the engine that runs; raises a ``DatabaseError``."""
    with taken(url, LIVE, asked.since) as snapshot:
        version, parts = _judged(snapshot)
        table = comparisons.read(snapshot, version)
        return Read(_report(snapshot, asked, version, parts, table), table)


def _report(
    snapshot: Snapshot, asked: Asked, version: str, parts: Engine | None, table: Comparisons
) -> ReadinessReport:
    looking = looks.looking(snapshot.connection, version, asked.look)
    review = conduct.ReviewedDrafts(asked.tolerances, snapshot)
    differences = review.gaps(table)
    complete, compared = kept.completeness(snapshot), table.compared()
    quality = table.quality(looking.alpha, *comparisons.noise(snapshot, version))
    return ReadinessReport(
        engine=version,
        parts=parts,
        taken_at=snapshot.at,
        window_from=table.since() or snapshot.since,
        window_to=snapshot.at,
        live_from=snapshot.since,
        looking=looking,
        counts=_counts(complete) | {"comparisons": compared.total, "pairs": quality.pairs.total},
        tolerances_sha256=asked.tolerances_sha256,
        tolerances=review.tolerated(),
        compared=compared,
        completeness=complete,
        records=kept.records(snapshot),
        writers=foreign(snapshot.connection),
        classes=table.classes(),
        must_escalate=_measured(snapshot, parts),
        quality=quality,
        effects=conduct.effects(snapshot, table),
        running=conduct.running(snapshot, table),
        strata=table.strata(),
        not_compared=_not_compared(snapshot, version),
        review=differences,
        oversight=conduct.oversight(snapshot),
    )


def _judged(snapshot: Snapshot) -> tuple[str, Engine | None]:
    """Return the engine that runs; else the one that ran last; else the one compared last."""
    now = heartbeats.running(snapshot.connection)
    known = next((each for each in now if each.role == "workers"), None)
    known = known or heartbeats.last_known(snapshot.connection)
    if known is not None:
        return known.engine, known.parts
    rows = snapshot.rows(_NEWEST_COMPARED)
    return (str(rows[0]["engine"]) if rows else "", None)


def _measured(snapshot: Snapshot, parts: Engine | None) -> MustEscalate:
    if parts is None:
        return MustEscalate(ruleset=None)
    return must_escalate.kept(snapshot.connection, parts.ruleset)


def _not_compared(snapshot: Snapshot, version: str) -> Shortfall:
    rows = snapshot.rows(_NOT_COMPARED, engine=version)
    return gap("live work orders not compared", [str(row["subject"]) for row in rows])


def _counts(complete: Shortfalls) -> dict[str, int]:
    return {name: int(number) for name, number in complete.counts.items()}
