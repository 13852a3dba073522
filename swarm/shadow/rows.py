"""Comparisons in our tables: reading the records of many work orders, and storing what they give.

Two sources of what the new path decided. *Live*: the artifacts of its own run, under the engine
that the run's event names; nothing is run again, and what ended 60 days ago is left alone.
*Replayed*: a row of ``replays``; not where the live run of the same engine has the answer. What a
person released is no answer of an engine.

A comparison is replaced by compare-and-set: it is derived from one snapshot and carries that
snapshot's time; it replaces only the row it has seen. So of two who derive at once one wins, and
what the later record says is derived with the next round: whatever changed since that time, or up
to a minute before it (a transaction may have been under way), is due again.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from psycopg.types.json import Jsonb
from pydantic import ValidationError

from swarm.models import (
    Context,
    Draft,
    EscalationClass,
    Noun,
    PolicyDecision,
    Received,
    Tier,
    TierDecision,
    WorkOrder,
    WorkOrderState,
)
from swarm.shadow.comparison import Records, compare
from swarm.shadow.models import (
    Comparison,
    Decision,
    LegacyOutcome,
    Origin,
    Replayed,
    ReplyOutcome,
)
from swarm.store.database import Connection, Database, Row

LEGACY_NOUN: Final = "to_jsonb(l) - '{read_at, writer}'::text[]"
REPLY_NOUN: Final = (
    "to_jsonb(r) - '{looks, look_at, looked_at, opened_at, changed_at, writer}'::text[]"
)
"""Rows as their nouns: without what only their own room knows."""

_RECORDS: Final = f"""
       {LEGACY_NOUN} AS legacy,
       {REPLY_NOUN} AS reply,
       (SELECT d.classes FROM danger_labels d WHERE d.work_order_key = l.work_order_key
         ORDER BY d.id DESC LIMIT 1) AS label,
       c.at AS seen
"""

# The live run's own word, and of a dead one that had none the engine that looks now.
_ENGINE = """
    SELECT e.detail->>'engine' AS engine, e.at FROM workflow_events e
     WHERE e.work_order_key = w.key AND e.stage = 'policy' AND e.detail ? 'engine'
     ORDER BY e.seq DESC LIMIT 1"""

_LIVE = f"""
SELECT w.key, 'live' AS origin, w.body, w.state, w.state_reason,
       coalesce(v.engine, %(engine)s) AS engine, v.at AS decided,
       coalesce((SELECT jsonb_object_agg(a.stage, a.body) FROM (
           SELECT DISTINCT ON (stage) stage, body FROM artifacts
            WHERE work_order_key = w.key
              AND stage IN ('received', 'tier', 'context', 'draft', 'policy')
            ORDER BY stage, token DESC) a), '{{}}') AS found,
       (SELECT coalesce(sum(cost), 0) FROM model_calls m WHERE m.work_order_key = w.key) AS cost,
       {_RECORDS}
  FROM work_orders w
  JOIN legacy_outcomes l ON l.work_order_key = w.key
  LEFT JOIN LATERAL ({_ENGINE}) v ON true
  LEFT JOIN reply_outcomes r ON r.work_order_key = w.key
  LEFT JOIN comparisons c ON c.work_order_key = w.key AND c.engine = coalesce(v.engine, %(engine)s)
 WHERE w.final_at > now() - interval '60 days'
   AND (v.engine IS NOT NULL
        OR (w.state = 'dead' AND NOT EXISTS (
            SELECT 1 FROM comparisons k
             WHERE k.work_order_key = w.key AND k.engine <> %(engine)s)))
   AND NOT EXISTS (SELECT 1 FROM releases x WHERE x.work_order_key = w.key)
"""

_LIVE_DUE = (
    _LIVE
    + """
   AND (c.at IS NULL
        OR greatest(l.read_at, r.changed_at, w.final_at,
                    (SELECT max(d.at) FROM danger_labels d WHERE d.work_order_key = w.key))
           > c.at - interval '1 minute')
   AND (c.at IS NULL OR c.at < clock_timestamp() - interval '5 seconds')
 ORDER BY c.at NULLS FIRST, w.final_at LIMIT %(limit)s
"""
)

_REPLAYED = f"""
SELECT p.work_order_key AS key, CASE WHEN w.key IS NULL THEN 'history' ELSE 'live' END AS origin,
       coalesce(w.body, h.body) AS body, p.body AS replayed, p.engine, {_RECORDS}
  FROM replays p
  JOIN legacy_outcomes l ON l.work_order_key = p.work_order_key
  LEFT JOIN work_orders w ON w.key = p.work_order_key
  LEFT JOIN history_orders h ON h.work_order_key = p.work_order_key
  LEFT JOIN reply_outcomes r ON r.work_order_key = p.work_order_key
  LEFT JOIN comparisons c ON c.work_order_key = p.work_order_key AND c.engine = p.engine
 WHERE p.engine = %(engine)s AND p.pass = 1 AND coalesce(w.key, h.work_order_key) IS NOT NULL
   AND (w.key IS NULL OR p.engine IS DISTINCT FROM (SELECT engine FROM ({_ENGINE}) x))
"""

_REPLAYED_OF = _REPLAYED + "   AND p.work_order_key = ANY(%(keys)s)\n"

_REPLAYED_DUE = (
    _REPLAYED
    + """
   AND c.at IS NOT NULL
   AND greatest(l.read_at, r.changed_at, p.at,
                (SELECT max(d.at) FROM danger_labels d WHERE d.work_order_key = p.work_order_key))
       > c.at - interval '1 minute'
   AND c.at < clock_timestamp() - interval '5 seconds'
 ORDER BY c.at LIMIT %(limit)s
"""
)

_STORE = """
INSERT INTO comparisons AS c (work_order_key, engine, origin, body, at)
VALUES (%(key)s, %(engine)s, %(origin)s, %(body)s, %(at)s)
ON CONFLICT (work_order_key, engine) DO UPDATE
   SET origin = excluded.origin, body = excluded.body, at = excluded.at
 WHERE c.at = %(seen)s::timestamptz
"""

_STORED = """
SELECT body FROM comparisons WHERE work_order_key = ANY(%(keys)s) AND engine = %(engine)s
"""

_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


class Derived(Noun):
    """What came of comparing: the stored comparisons, and how many another writer had replaced."""

    made: tuple[Comparison, ...] = ()
    overtaken: int = 0
    unreadable: int = 0


def compare_replayed(
    database: Database, keys: Sequence[str], engine: str, signature: str
) -> Derived:
    """Compare what was replayed of these work orders; those without an outcome of legacy's wait."""
    return _derive(database, _REPLAYED_OF, {"keys": list(keys), "engine": engine}, signature)


def compare_due(database: Database, engine: str, signature: str, limit: int) -> Derived:
    """Compare live work orders that ended, and again whatever a later record changed."""
    asked: dict[str, object] = {"engine": engine, "limit": limit}
    live = _derive(database, _LIVE_DUE, asked, signature)
    again = _derive(database, _REPLAYED_DUE, asked, signature)
    return Derived(
        made=(*live.made, *again.made),
        overtaken=live.overtaken + again.overtaken,
        unreadable=live.unreadable + again.unreadable,
    )


def stored(database: Database, keys: Sequence[str], engine: str) -> tuple[Comparison, ...]:
    """Return the comparisons of these work orders under an engine."""
    with database.transaction() as connection:
        found = connection.execute(_STORED, {"keys": list(keys), "engine": engine}).fetchall()
    return tuple(Comparison.model_validate(row["body"]) for row in found)


def due(database: Database, engine: str) -> bool:
    """Whether there is anything to compare."""
    asked = {"engine": engine, "limit": 1}
    with database.transaction() as connection:
        return any(
            connection.execute(statement, asked).fetchone()
            for statement in (_LIVE_DUE, _REPLAYED_DUE)
        )


def _derive(
    database: Database, statement: str, asked: dict[str, object], signature: str
) -> Derived:
    with database.transaction() as connection:
        connection.execute(_SNAPSHOT)
        at = _now(connection)
        rows = connection.execute(statement, asked).fetchall()
    made = [(row, _compared(row, signature)) for row in rows]
    good = [(row, told) for row, told in made if told is not None]
    stored = set(_store(database, good, at))
    return Derived(
        made=tuple(told for _, told in good if told.work_order_key in stored),
        overtaken=len(good) - len(stored),
        unreadable=len(made) - len(good),
    )


def _store(
    database: Database, made: Iterable[tuple[Row, Comparison]], at: datetime
) -> Iterator[str]:
    with database.transaction() as connection:
        for row, told in made:
            columns = {
                "key": told.work_order_key,
                "engine": told.engine,
                "origin": told.strata.origin,
                "body": Jsonb(told.model_dump(mode="json")),
                "at": at,
                "seen": row["seen"],
            }
            if connection.execute(_STORE, columns).rowcount:
                yield told.work_order_key


def _compared(row: Row, signature: str) -> Comparison | None:
    """Return the comparison of a row; None when a record of it cannot be read."""
    try:
        return compare(_replayed(row, signature) if "replayed" in row else _live(row, signature))
    except ValidationError:
        return None


def _replayed(row: Row, signature: str) -> Records:
    new = Replayed.model_validate(row["replayed"])
    return Records(
        order=WorkOrder.model_validate(row["body"]),
        origin=Origin(row["origin"]),
        new=new,
        evidence=new.evidence,
        legacy=LegacyOutcome.model_validate(row["legacy"]),
        reply=_reply(row),
        label=_label(row),
        signature=signature,
    )


def _live(row: Row, signature: str) -> Records:
    order = WorkOrder.model_validate(row["body"])
    found, decided = row["found"], row["decided"]
    context = Context.model_validate(found["context"]) if "context" in found else None
    took = decided - order.received_at if decided else None
    return Records(
        order=order,
        origin=Origin.LIVE,
        new=_of_artifacts(row, context),
        evidence=context.evidence if context else (),
        legacy=LegacyOutcome.model_validate(row["legacy"]),
        reply=_reply(row),
        label=_label(row),
        new_ms=max(0, round(took.total_seconds() * 1000)) if took else None,
        signature=signature,
    )


def _of_artifacts(row: Row, context: Context | None) -> Replayed:
    """Return what a live run came to in the form of a replay."""
    found = row["found"]
    blank = Replayed(
        work_order_key=row["key"],
        engine=row["engine"] or "",
        decision=Decision.FAILED,
        detail=f"the live run ended {row['state']}",
        cost=row["cost"],
        input_sha256="",
    )
    if context is None or "policy" not in found or "tier" not in found:
        return blank
    tier = TierDecision.model_validate(found["tier"])
    policy = PolicyDecision.model_validate(found["policy"])
    draft = Draft.model_validate(found["draft"])
    named = {c for reason in policy.reasons for c in reason.classes}
    return blank.model_copy(
        update={
            "decision": _decision(policy, WorkOrderState(row["state"])),
            "detail": "",
            "tier": Tier(tier.tier),
            "classes": tuple(sorted({*tier.classes, *named})),
            "reasons": policy.reasons,
            "draft": draft if draft.offered else None,
            "language": Received.model_validate(found["received"]).language,
            "thread": context.thread,
            "contact": context.contact,
        }
    )


def _decision(policy: PolicyDecision, state: WorkOrderState) -> Decision:
    """What the new path would have offered, whoever published: the ledger may still escalate."""
    if state is WorkOrderState.DEAD:
        return Decision.FAILED
    if policy.publishable:
        return Decision.ESCALATED if state is WorkOrderState.ESCALATED else Decision.DRAFT
    return Decision.DECLINED if policy.declined else Decision.ESCALATED


def _reply(row: Row) -> ReplyOutcome | None:
    return ReplyOutcome.model_validate(row["reply"]) if row["reply"] else None


def _label(row: Row) -> tuple[EscalationClass, ...] | None:
    if row["label"] is None:
        return None
    return tuple(EscalationClass(each) for each in row["label"])


def _now(connection: Connection) -> datetime:
    row = connection.execute("SELECT now() AS at").fetchone()
    assert row is not None  # noqa: S101 - a SELECT without a table
    moment: datetime = row["at"]
    return moment
