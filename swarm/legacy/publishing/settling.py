"""Bringing legacy's journal into the ledger once Postgres is back.

Each publication made under the lease becomes what a claim would have left: ACCEPTED or UNKNOWN with
its fence, for the reconciler to find in the mailbox. It repeats safely: an entry the ledger has
already carries its journal id in the log. Until all is settled the lease is not released, and until
then nobody appoints 'swarm' (``lease``).
"""

from swarm.legacy.publishing.journal import Entry, Journal
from swarm.legacy.publishing.shim import store_payload, try_hand_over
from swarm.publishing.control import control_to_write_ready
from swarm.publishing.ledger import endings
from swarm.publishing.ledger.transitions import JournalledPost, record_journalled
from swarm.store.alerts import raise_growing
from swarm.store.database import Connection, Database

_KNOWN = """
SELECT 1 FROM publication_log
 WHERE work_order_key = %(key)s AND event = 'settled' AND detail = %(detail)s
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
    post = _post_of(entry)
    known = {"key": post.key, "detail": post.detail}
    if connection.execute(_KNOWN, known).fetchone() is not None:
        return
    store_payload(connection, entry.key, entry.item)
    if not record_journalled(connection, post):
        # The lease forbids it; if it happened all the same, a person must know at once.
        why = "published under legacy's lease, but the ledger has another publication of it"
        raise_growing(connection, endings.DUPLICATE, entry.key, why)


def _post_of(entry: Entry) -> JournalledPost:
    return JournalledPost(
        key=entry.key,
        epoch=entry.epoch,
        seconds_ago=entry.age_seconds(),
        accepted=entry.accepted,
        http_status=entry.http_status,
        request_id=entry.request_id,
        why="" if entry.accepted else entry.outcome,
        detail=f"from journal {entry.id}",
    )
