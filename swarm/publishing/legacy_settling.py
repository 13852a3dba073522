"""Bringing legacy's journal into the ledger once Postgres is back.

Each publication made under the lease becomes what a claim would have left: ACCEPTED or UNKNOWN with
its fence, for the reconciler to find in the mailbox. It repeats safely: an entry the ledger has
already carries its journal id in the log. Until all is settled the lease is not released, and until
then nobody appoints 'swarm' (``lease``).
"""

from swarm.operations.alerts import raise_alert
from swarm.publishing import finals
from swarm.publishing.control import control_to_write_ready
from swarm.publishing.legacy_journal import Entry, Journal
from swarm.publishing.legacy_shim import store_payload, try_hand_over
from swarm.store.database import Connection, Database

_KNOWN = """
SELECT 1 FROM publication_log
 WHERE work_order_key = %(key)s AND event = 'settled' AND detail = %(detail)s
"""

_SETTLE = """
WITH moved AS (
    UPDATE publication_ledger l
       SET state = %(state)s, publisher = 'legacy', epoch = %(epoch)s, fence = fence + 1,
           attempts = attempts + 1, intent_at = to_timestamp(%(at)s),
           payload_sha256 = (SELECT p.sha256 FROM publication_payload p
                              WHERE p.work_order_key = l.work_order_key
                                AND p.publisher = 'legacy'),
           http_status = %(http_status)s, zap_request_id = %(request_id)s, last_error = %(why)s,
           ever_uncertain = true, uncertain_posts = uncertain_posts + 1,
           changed_at = now(), look_at = now()
     WHERE work_order_key = %(key)s AND fence = 0 AND state IN ('READY', 'PENDING_PAYLOAD')
 RETURNING work_order_key, fence)
INSERT INTO publication_log (work_order_key, fence, event, detail)
SELECT work_order_key, fence, 'settled', %(detail)s FROM moved
"""


def settle(database: Database, journal: Journal) -> int:
    """Bring every entry into the ledger, then empty the journal; returns how many there were.

    Raises ``DatabaseUnavailableError``; what was settled before stays settled.
    """
    entries = journal.entries()
    for entry in entries:
        with database.transaction() as connection:
            _settle_one(connection, entry)
    if entries:
        journal.clear()
    return len(entries)


def _settle_one(connection: Connection, entry: Entry) -> None:
    if entry.deferred or entry.not_sent:
        try_hand_over(connection, entry.key, entry.item)
        return
    control_to_write_ready(connection)
    columns = _columns(entry)
    if connection.execute(_KNOWN, columns).fetchone() is not None:
        return
    store_payload(connection, entry.key, entry.item)
    if connection.execute(_SETTLE, columns).rowcount == 0:
        # The lease forbids it; if it happened all the same, a person must know at once.
        why = "published under legacy's lease, but the ledger has another publication of it"
        raise_alert(connection, finals.DUPLICATE, entry.key, why)


def _columns(entry: Entry) -> dict[str, object]:
    return {
        "key": entry.key,
        "state": "ACCEPTED" if entry.accepted else "UNKNOWN",
        "epoch": entry.epoch,
        "at": entry.at,
        "http_status": entry.http_status,
        "request_id": entry.request_id,
        "why": "" if entry.accepted else entry.outcome,
        "detail": f"from journal {entry.id}",
    }
