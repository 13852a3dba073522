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

from swarm.models import Noun
from swarm.publishing.control import PublisherName, control_to_write_ready
from swarm.publishing.ledger.passes import require_passes
from swarm.publishing.ledger.payload import StoredPayload, draft_sha256
from swarm.publishing.ledger.states import LedgerState
from swarm.publishing.ledger.transitions import make_ready
from swarm.store.database import Connection

_MAKE_ROW = """
INSERT INTO publication_ledger (work_order_key, publisher, state, epoch)
VALUES (%(key)s, %(active)s, 'PENDING_PAYLOAD', %(epoch)s)
ON CONFLICT (work_order_key) DO NOTHING
"""

_LOCK_ROW = """
SELECT work_order_key, publisher, state, fence, payload_sha256
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

_FENCE = "SELECT fence FROM publication_ledger WHERE work_order_key = %s FOR UPDATE"

_OPEN = frozenset({LedgerState.READY, LedgerState.PENDING_PAYLOAD})


class LedgerRow(Noun):
    """Where a work order's publication stands after enqueueing."""

    work_order_key: str
    publisher: PublisherName
    state: LedgerState
    fence: int
    payload_sha256: str | None


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
    key, sha256 = payload.idempotency_key, payload.digest()
    require_passes(
        connection,
        required_rules,
        key=key,
        ruleset=ruleset,
        draft_sha256=draft,
        evidence_sha256=evidence_sha256,
    )
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
    make_ready(connection, key, publisher, sha256)
    return LedgerRow.model_validate(connection.execute(_LOCK_ROW, row_key).fetchone())


def make_row(connection: Connection, key: str) -> int:
    """Make the row of a work order that has no payload, so that it can be held; returns its fence.

    A restored ledger bars by it what may have been drafted after the backup. An existing row stays.
    """
    control = control_to_write_ready(connection)
    connection.execute(_MAKE_ROW, {"key": key, "active": control.active, "epoch": control.epoch})
    row = connection.execute(_FENCE, (key,)).fetchone() or {"fence": 0}
    fence: int = row["fence"]
    return fence
