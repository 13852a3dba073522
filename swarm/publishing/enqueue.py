"""Enqueue: a payload and its row in the ledger, in the transaction of whoever made the payload.

One row per work order for ever, over both publishers. Whoever comes first makes the row; it is
READY only when the *active* publisher's payload is stored, else it waits as PENDING_PAYLOAD for
that publisher's payload (or, when nobody is active, for an appointment). The row is made even by
the publisher that is not active: a work order only the shadow has finished would otherwise be in
nobody's list after a switch, and lost. It is visible, and aged and alerted while it waits. Source:
publishing protocol, sections 3, 4 and 6.
"""

from collections.abc import Sequence

from psycopg.types.json import Jsonb
from pydantic import AwareDatetime

from swarm.errors import RefusedError
from swarm.models import Noun
from swarm.publishing.control import control_to_write_ready
from swarm.publishing.payload import StoredPayload, draft_sha256
from swarm.publishing.states import LedgerState, PublisherName
from swarm.store.database import Connection

_MAKE_ROW = """
INSERT INTO publication_ledger (work_order_key, publisher, state, epoch)
VALUES (%(key)s, %(active)s, 'PENDING_PAYLOAD', %(epoch)s)
ON CONFLICT (work_order_key) DO NOTHING
"""

_LOCK_ROW = """
SELECT work_order_key, publisher, state, fence, payload_sha256, draft_id, changed_at
  FROM publication_ledger WHERE work_order_key = %(key)s FOR UPDATE
"""

# While nothing has been claimed a newer draft replaces the older; later it is only kept to compare.
_STORE_PAYLOAD = """
INSERT INTO publication_payload
       (work_order_key, publisher, sha256, draft_sha256, evidence_sha256, ruleset, body)
VALUES (%(key)s, %(publisher)s, %(sha256)s, %(draft_sha256)s, %(evidence_sha256)s, %(ruleset)s,
        %(body)s)
ON CONFLICT (work_order_key, publisher) DO UPDATE
   SET sha256 = excluded.sha256, draft_sha256 = excluded.draft_sha256,
       evidence_sha256 = excluded.evidence_sha256, ruleset = excluded.ruleset,
       body = excluded.body, at = now()
 WHERE %(replace)s
"""

_MAKE_READY = """
WITH moved AS (
    UPDATE publication_ledger
       SET payload_sha256 = %(sha256)s, state = 'READY',
           changed_at = CASE WHEN state = 'READY' THEN changed_at ELSE now() END
     WHERE work_order_key = %(key)s AND publisher = %(publisher)s
       AND state IN ('PENDING_PAYLOAD', 'READY') AND payload_sha256 IS DISTINCT FROM %(sha256)s
 RETURNING work_order_key, fence)
INSERT INTO publication_log (work_order_key, fence, event, detail)
SELECT work_order_key, fence, 'ready', 'payload of ' || %(publisher)s FROM moved
"""

_MISSING_PASSES = """
SELECT required.rule
  FROM unnest(%(required)s::text[]) AS required (rule)
 WHERE NOT EXISTS (SELECT 1 FROM verdicts v
                    WHERE v.rule = required.rule AND v.version = %(ruleset)s
                      AND v.draft_sha256 = %(draft_sha256)s
                      AND v.evidence_sha256 = %(evidence_sha256)s AND v.ruling = 'pass')
 ORDER BY required.rule
"""

_OPEN = frozenset({LedgerState.READY, LedgerState.PENDING_PAYLOAD})


class LedgerRow(Noun):
    """Where a work order's publication stands after enqueueing."""

    work_order_key: str
    publisher: PublisherName
    state: LedgerState
    fence: int
    payload_sha256: str | None
    draft_id: str | None
    changed_at: AwareDatetime


def enqueue(
    connection: Connection,
    publisher: PublisherName,
    payload: StoredPayload,
    *,
    evidence_sha256: str,
    ruleset: str,
    required_rules: Sequence[str],
) -> LedgerRow:
    """Store ``publisher``'s payload and make sure the work order has its one row.

    Call it before taking any row lock in the same transaction. Raises ``RefusedError`` unless a
    PASS of every required rule is stored for exactly these bytes, this evidence and ruleset
    (ES-16).
    """
    control = control_to_write_ready(connection)
    draft = draft_sha256(payload)
    require_passes(connection, required_rules, ruleset, draft, evidence_sha256)
    key, sha256 = payload.idempotency_key, payload.digest()
    row_key = {"key": key}
    connection.execute(_MAKE_ROW, {**row_key, "active": control.active, "epoch": control.epoch})
    row = LedgerRow.model_validate(connection.execute(_LOCK_ROW, row_key).fetchone())
    columns = {
        "key": key,
        "publisher": publisher,
        "sha256": sha256,
        "draft_sha256": draft,
        "evidence_sha256": evidence_sha256,
        "ruleset": ruleset,
        "body": Jsonb(payload.model_dump()),
        "replace": row.state in _OPEN,
    }
    connection.execute(_STORE_PAYLOAD, columns)
    connection.execute(_MAKE_READY, {**row_key, "publisher": publisher, "sha256": sha256})
    return LedgerRow.model_validate(connection.execute(_LOCK_ROW, row_key).fetchone())


def require_passes(
    connection: Connection,
    required_rules: Sequence[str],
    ruleset: str,
    draft_sha256: str,
    evidence_sha256: str,
) -> None:
    """Raise ``RefusedError`` naming every required rule without a stored PASS for these hashes."""
    if not required_rules:
        raise RefusedError("nothing is publishable while no rule is required")
    columns = {
        "required": list(required_rules),
        "ruleset": ruleset,
        "draft_sha256": draft_sha256,
        "evidence_sha256": evidence_sha256,
    }
    missing = [row["rule"] for row in connection.execute(_MISSING_PASSES, columns)]
    if missing:
        raise RefusedError("no stored PASS for these bytes of " + ", ".join(missing))
