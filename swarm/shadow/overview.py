"""How far the comparison is, and one work order side by side: reads only, for people."""

from collections import Counter
from collections.abc import Iterator

from psycopg.types.json import Jsonb
from pydantic import JsonValue

from swarm.errors import MalformedInputError
from swarm.models import EscalationClass, Noun, WorkOrder
from swarm.shadow.models import Comparison, LegacyOutcome, Replayed, ReplyOutcome
from swarm.shadow.rows import LEGACY_NOUN, REPLY_NOUN
from swarm.store.database import Connection

_COUNTS = """
SELECT (SELECT count(*) FROM history_orders) AS history,
       (SELECT count(*) FROM legacy_outcomes) AS legacy,
       (SELECT count(*) FROM reply_outcomes) AS replies,
       (SELECT count(DISTINCT work_order_key) FROM danger_labels) AS labelled,
       (SELECT count(*) FROM replay_plan) AS planned,
       (SELECT count(*) FROM replay_plan WHERE added_at IS NULL) AS waiting
"""

_ENGINES = """
SELECT engine, sum(n)::int AS replays, jsonb_object_agg(decision, n) AS decisions
  FROM (SELECT engine, body->>'decision' AS decision, count(*) AS n FROM replays
         WHERE pass = 1 GROUP BY 1, 2) x GROUP BY 1 ORDER BY 1
"""

_PAIRS = """
SELECT engine, origin, count(*)::int AS compared,
       count(*) FILTER (WHERE jsonb_array_length(body->'missed') > 0)::int AS missed,
       count(*) FILTER (WHERE (body->>'extra')::boolean)::int AS extra,
       count(*) FILTER (WHERE body->>'pair' = 'both_draft')::int AS both_draft,
       count(*) FILTER (WHERE body->>'pair' = 'both_person')::int AS both_person,
       count(*) FILTER (WHERE body->>'pair' = 'only_legacy_drafts')::int AS only_legacy_drafts,
       count(*) FILTER (WHERE body->>'pair' = 'only_new_drafts')::int AS only_new_drafts,
       count(*) FILTER (WHERE body->>'pair' = 'one_failed')::int AS one_failed
  FROM comparisons GROUP BY 1, 2 ORDER BY 1, 2
"""

_TWICE = """
SELECT a.body - 'evidence' AS one, b.body - 'evidence' AS two
  FROM replays a JOIN replays b USING (work_order_key, engine)
 WHERE a.pass = 1 AND b.pass = 2 ORDER BY a.engine
"""

_ORDER = """
SELECT body FROM work_orders WHERE key = %(key)s
 UNION ALL SELECT body FROM history_orders WHERE work_order_key = %(key)s LIMIT 1
"""
_LEGACY = f"SELECT {LEGACY_NOUN} AS body FROM legacy_outcomes l WHERE work_order_key = %s"
_REPLY = f"SELECT {REPLY_NOUN} AS body FROM reply_outcomes r WHERE work_order_key = %s"
_REPLAYS = "SELECT body FROM replays WHERE work_order_key = %s AND pass = 1 ORDER BY at"
_COMPARISONS = "SELECT body FROM comparisons WHERE work_order_key = %s ORDER BY at"
_LABELS = """
SELECT classes, source, actor, reason, at::text AS at FROM danger_labels
 WHERE work_order_key = %s ORDER BY id
"""
_LABEL = """
INSERT INTO danger_labels (work_order_key, classes, source, actor, reason)
VALUES (%s, %s, 'person', %s, %s)
"""


class Overview(Noun):
    """How far it is."""

    counts: dict[str, int]
    engine: str
    replays: tuple[dict[str, JsonValue], ...]
    comparisons: tuple[dict[str, JsonValue], ...]
    noise: tuple[dict[str, JsonValue], ...]


class SideBySide(Noun):
    """One work order: what each came to. Carries mail text."""

    order: WorkOrder
    legacy: LegacyOutcome | None
    replays: tuple[Replayed, ...]
    reply: ReplyOutcome | None
    labels: tuple[dict[str, JsonValue], ...]
    comparisons: tuple[Comparison, ...]


def overview(connection: Connection, engine: str) -> Overview:
    """Return how far the comparison is; ``engine`` is the one installed."""
    counts = connection.execute(_COUNTS).fetchone()
    return Overview(
        counts=dict(counts or {}),
        engine=engine,
        replays=tuple(dict(row) for row in connection.execute(_ENGINES)),
        comparisons=tuple(dict(row) for row in connection.execute(_PAIRS)),
        noise=tuple(_noise(connection)),
    )


def _noise(connection: Connection) -> Iterator[dict[str, JsonValue]]:
    """Yield for each engine how many were replayed twice, and how often it did not agree."""
    twice, differ = Counter[str](), Counter[str]()
    for row in connection.execute(_TWICE):
        one, two = Replayed.model_validate(row["one"]), Replayed.model_validate(row["two"])
        twice[one.engine] += 1
        differ[one.engine] += not one.same_answer(two)
    for engine, number in twice.items():
        yield {"engine": engine, "twice": number, "differ": differ[engine]}


def side_by_side(connection: Connection, key: str) -> SideBySide:
    """Return all that is known of a work order; raises ``MalformedInputError``: nobody knows it."""
    order = connection.execute(_ORDER, {"key": key}).fetchone()
    if order is None:
        raise MalformedInputError("no such work order", work_order=key)
    legacy = connection.execute(_LEGACY, (key,)).fetchone()
    reply = connection.execute(_REPLY, (key,)).fetchone()
    return SideBySide(
        order=WorkOrder.model_validate(order["body"]),
        legacy=LegacyOutcome.model_validate(legacy["body"]) if legacy else None,
        replays=tuple(
            Replayed.model_validate(row["body"]) for row in connection.execute(_REPLAYS, (key,))
        ),
        reply=ReplyOutcome.model_validate(reply["body"]) if reply else None,
        labels=tuple(dict(row) for row in connection.execute(_LABELS, (key,))),
        comparisons=tuple(
            Comparison.model_validate(row["body"])
            for row in connection.execute(_COMPARISONS, (key,))
        ),
    )


def label(
    connection: Connection,
    key: str,
    classes: tuple[EscalationClass, ...],
    *,
    actor: str,
    reason: str,
) -> None:
    """Say whether a person was needed; the newest word counts, the earlier ones are kept."""
    values = (key, Jsonb(sorted(each.value for each in classes)), actor, reason)
    if connection.execute(_LABEL, values).rowcount == 0:
        raise MalformedInputError("no such work order", work_order=key)
