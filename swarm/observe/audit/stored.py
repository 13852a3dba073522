"""All that the tables hold of a batch of work orders, as rows: what an audit recomputes from.

Reads only. A batch is bounded, so memory stays bounded however many there are; the rows of one
table come with one statement. Judging them is elsewhere (``chain_checks``, ``content_checks``,
``publication_checks``).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from swarm.store.database import Connection, Row

_ORDERS = """
SELECT key, original_id, body, state, tier, chain_seq, chain_hash FROM work_orders
 WHERE key = ANY(%s)
"""

_PUBLICATIONS = """
SELECT work_order_key AS key, publisher, state, fence, attempts, uncertain_posts, ever_uncertain,
       payload_sha256, draft_id, intent_at, changed_at
  FROM publication_ledger WHERE work_order_key = ANY(%s)
"""

_ESCALATIONS = """
SELECT work_order_key AS key, classes, reasons, owner, acknowledge_by, acknowledged_at,
       acknowledged_by, acknowledge_by - clock_timestamp() AS due_in
  FROM escalations WHERE work_order_key = ANY(%s)
"""

_MANY: Final = {
    "lines": """
SELECT work_order_key AS key, status, canonical_sha256 FROM intake_line
 WHERE work_order_key = ANY(%s) AND stream <> 'outbox' ORDER BY id
""",
    "revisions": """
SELECT work_order_key AS key, canonical_sha256, body FROM revision WHERE work_order_key = ANY(%s)
""",
    "events": """
SELECT work_order_key AS key, work_order_key, seq, attempt, run_id, kind, stage, actor, detail,
       duration_ms, cost, at, previous_hash, hash
  FROM workflow_events WHERE work_order_key = ANY(%s) ORDER BY work_order_key, seq
""",
    "artifacts": """
SELECT work_order_key AS key, stage, run_id, body, sha256 FROM artifacts
 WHERE work_order_key = ANY(%s)
""",
    "verdicts": """
SELECT work_order_key AS key, rule, version, draft_sha256, evidence_sha256, ruling, decided_by
  FROM verdicts WHERE work_order_key = ANY(%s)
""",
    "payloads": """
SELECT work_order_key AS key, publisher, sha256, draft_sha256, body FROM publication_payload
 WHERE work_order_key = ANY(%s)
""",
    "releases": """
SELECT work_order_key AS key, number FROM releases WHERE work_order_key = ANY(%s)
""",
    "log": """
SELECT work_order_key AS key, fence, event, detail, at FROM publication_log
 WHERE work_order_key = ANY(%s) ORDER BY id
""",
}


@dataclass(frozen=True, slots=True)
class Stored:
    """The rows of one work order. ``order`` is None when only the ledger knows it."""

    key: str
    order: Row | None
    publication: Row | None
    escalation: Row | None
    lines: Sequence[Row]
    revisions: Sequence[Row]
    events: Sequence[Row]
    artifacts: Sequence[Row]
    verdicts: Sequence[Row]
    payloads: Sequence[Row]
    releases: Sequence[Row]
    log: Sequence[Row]


def read(connection: Connection, keys: Sequence[str]) -> Iterator[Stored]:
    """Yield what is stored of each of these work orders."""
    batch = list(keys)
    orders = _one_each(connection, _ORDERS, batch)
    publications = _one_each(connection, _PUBLICATIONS, batch)
    escalations = _one_each(connection, _ESCALATIONS, batch)
    many = {name: _grouped(connection, sql, batch) for name, sql in _MANY.items()}
    for key in batch:
        yield Stored(
            key=key,
            order=orders.get(key),
            publication=publications.get(key),
            escalation=escalations.get(key),
            **{name: rows.get(key, ()) for name, rows in many.items()},
        )


def _one_each(connection: Connection, sql: str, keys: list[str]) -> dict[str, Row]:
    return {row["key"]: row for row in connection.execute(sql, (keys,))}


def _grouped(connection: Connection, sql: str, keys: list[str]) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in connection.execute(sql, (keys,)):
        rows[row["key"]].append(row)
    return rows
