"""Whether everything is there: lines, work orders, ends, outcomes, chains, artifacts, partitions.

The questions that the audit asks too are the same statements (``swarm.store.reconciliation``).
Younger than ten minutes and not at its end yet, a work order does not count either way.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from swarm.cutover.reading.snapshot import Snapshot, gap
from swarm.cutover.report import Shortfall, Shortfalls
from swarm.models import Stage
from swarm.store import reconciliation
from swarm.store.database import table_exists
from swarm.store.event_chain import GENESIS, verify_rows

_SETTLED = """
SELECT w.key, w.final_at IS NOT NULL AS final,
       o.work_order_key IS NOT NULL AS decided
  FROM work_orders w LEFT JOIN legacy_outcomes o ON o.work_order_key = w.key
 WHERE w.accepted_at >= %(since)s
   AND (w.accepted_at < %(settled)s
        OR (w.final_at IS NOT NULL AND o.work_order_key IS NOT NULL))
"""

_COUNTS = f"""
WITH settled AS ({_SETTLED})
SELECT (SELECT count(*) FROM settled) AS work_orders,
       (SELECT count(*) FROM settled WHERE final) AS final,
       (SELECT count(*) FROM settled WHERE decided) AS legacy_outcomes,
       (SELECT count(*) FROM intake_line l JOIN settled s ON s.key = l.work_order_key
         WHERE l.status = 'accepted' AND l.stream <> 'outbox') AS lines
"""

_NOT_FINAL = f"SELECT key AS subject FROM ({_SETTLED}) AS settled WHERE NOT final ORDER BY key"
_UNDECIDED = f"SELECT key AS subject FROM ({_SETTLED}) AS settled WHERE NOT decided ORDER BY key"

_ORPHANS = """
SELECT p.partition AS subject FROM public.dynamic_partitions p
  LEFT JOIN work_orders w ON w.key = p.partition
 WHERE p.partitions_def_name = 'work_orders' AND w.key IS NULL ORDER BY p.partition
"""

_QUESTIONS = (
    ("lines without a work order", reconciliation.LINE_WITHOUT_WORK_ORDER),
    ("work orders without their one line", reconciliation.WORK_ORDER_WITHOUT_LINE),
    ("quarantined lines that were not kept", reconciliation.QUARANTINE_MISMATCH),
    ("work orders that nothing drives", reconciliation.SILENT),
    ("work orders being published without a ledger row", reconciliation.PUBLISHING_WITHOUT_LEDGER),
    ("published without a confirmation", reconciliation.PUBLISHED_WITHOUT_CONFIRMATION),
    ("work orders without an end", _NOT_FINAL),
    ("work orders without an outcome of legacy", _UNDECIDED),
)

_EVENTS = """
SELECT e.work_order_key, e.seq, e.attempt, e.run_id, e.kind, e.stage, e.actor, e.detail,
       e.duration_ms, e.cost, e.at, e.previous_hash, e.hash, w.chain_seq, w.chain_hash, w.state
  FROM workflow_events e JOIN work_orders w ON w.key = e.work_order_key
 WHERE w.accepted_at >= %(since)s ORDER BY e.work_order_key, e.seq
"""

_WITHOUT_EVENTS = """
SELECT w.key AS subject FROM work_orders w
 WHERE w.accepted_at >= %(since)s AND w.chain_seq > 0
   AND NOT EXISTS (SELECT 1 FROM workflow_events e WHERE e.work_order_key = w.key) ORDER BY w.key
"""

# The last output that the chain tells of, per stage and run, must be the one that is kept.
_ARTIFACT_GONE = """
SELECT DISTINCT told.work_order_key AS subject
  FROM (SELECT DISTINCT ON (e.work_order_key, e.stage, e.run_id)
               e.work_order_key, e.stage, e.run_id, e.detail->>'artifact_sha256' AS sha256
          FROM workflow_events e JOIN work_orders w ON w.key = e.work_order_key
         WHERE w.accepted_at >= %(since)s AND e.stage IS NOT NULL AND e.detail ? 'artifact_sha256'
         ORDER BY e.work_order_key, e.stage, e.run_id, e.seq DESC) AS told
 WHERE NOT EXISTS (SELECT 1 FROM artifacts a
                    WHERE a.work_order_key = told.work_order_key AND a.stage = told.stage
                      AND a.run_id = told.run_id AND a.sha256 = told.sha256)
 ORDER BY 1
"""

# A work order that ended by a judgement went through every stage.
_STAGE_MISSING = """
SELECT w.key AS subject FROM work_orders w
 WHERE w.accepted_at >= %(since)s AND w.state = 'published'
   AND (SELECT count(DISTINCT a.stage) FROM artifacts a
         WHERE a.work_order_key = w.key AND a.stage = ANY(%(stages)s)) < cardinality(%(stages)s)
 ORDER BY w.key
"""

_ARTIFACTS = """
SELECT count(*) AS n FROM artifacts a JOIN work_orders w ON w.key = a.work_order_key
 WHERE w.accepted_at >= %(since)s
"""


def completeness(snapshot: Snapshot) -> Shortfalls:
    """Return the counts that must be alike and every difference."""
    gaps = [snapshot.gap(kind, statement) for kind, statement in _QUESTIONS]
    if table_exists(snapshot.connection, "public.dynamic_partitions"):
        gaps.append(snapshot.gap("partitions without a work order", _ORPHANS))
    return Shortfalls(counts=snapshot.one(_COUNTS), gaps=_found(gaps))


def records(snapshot: Snapshot) -> Shortfalls:
    """Return how many events and artifacts there are, and which chains do not hold."""
    counts, broken = Counter[str](), list[str]()
    for key, events in _chains(snapshot):
        counts["work_orders"] += 1
        counts["events"] += len(events)
        if not _holds(events):
            broken.append(key)
    counts["artifacts"] = snapshot.one(_ARTIFACTS)["n"]
    stages = [str(stage) for stage in Stage]
    gaps = [
        gap("broken event chains", broken),
        snapshot.gap("work orders without their events", _WITHOUT_EVENTS),
        snapshot.gap("work orders whose output is gone", _ARTIFACT_GONE),
        snapshot.gap("work orders with a stage missing", _STAGE_MISSING, stages=stages),
    ]
    return Shortfalls(counts=dict(counts), gaps=_found(gaps))


def _chains(snapshot: Snapshot) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    with snapshot.connection.cursor("events") as cursor:
        cursor.itersize = 5_000
        cursor.execute(_EVENTS, snapshot.values)
        for key, events in groupby(cursor, lambda row: row["work_order_key"]):
            yield str(key), list(events)


def _holds(events: list[dict[str, Any]]) -> bool:
    last = events[-1]
    head = (last["seq"], last["hash"] or GENESIS)
    return not verify_rows(events) and head == (last["chain_seq"], last["chain_hash"])


def _found(gaps: list[Shortfall]) -> tuple[Shortfall, ...]:
    return tuple(each for each in gaps if each.count)
