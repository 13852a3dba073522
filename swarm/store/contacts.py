"""The other mails of a customer: work orders to the same person, or of the same thread.

A thread is more than Outlook's conversation: a changed subject begins a new one, and ``References``
still name the mails before, in whichever order the two came in. Only places are returned, never a
text: a mail of somebody else in the thread is counted, not quoted (ES-09). Whether they are
answered is asked of the mailbox elsewhere; here too: whether one of them got its draft while this
one was judged (``drafted_meanwhile``), which only a lock can answer.
"""

from collections.abc import Sequence
from zlib import crc32

from swarm.models import Contact, WorkOrder, WorkOrderState
from swarm.store.database import Connection

# Newest of the earlier ones and of the later ones; a person with ten mails open goes to a human
# whatever the eleventh says.
MOST = 10
# By then an unanswered mail was answered by other means, or is no longer what he asks; one whose
# draft may still come (nobody in office, a hook that is down) is open however old it is.
DAYS = 7

MAYBE_DRAFTED = frozenset(
    {WorkOrderState.PUBLISHING, WorkOrderState.PUBLISHED, WorkOrderState.HELD}
)
"""A later mail takes the place of an earlier one only when it has its draft, or may have it."""

# Apart from the switch (7001): two numbers, a key space of their own. Few, for a mail that names
# thousands of others must not fill the server's lock table.
_LOCK, _SLOTS = 7003, 64

_NAMES_EACH_OTHER = """
        (w.body->'ref'->>'internet_message_id' = ANY(%(references)s)
         OR w.body->'references' ? %(id)s::text
         OR w.body->>'in_reply_to' = %(id)s::text)"""

_SAME_CUSTOMER = """
        lower(coalesce(w.body->'reply_to'->0->>'address', w.body->'sender'->>'address'))
           = %(customer)s"""

_SAME_MAILBOX = "lower(w.body->'ref'->>'mailbox') = lower(mine.body->'ref'->>'mailbox')"

# Earlier by arrival in the mailbox: the intake may read a correction before what it corrects. Of
# two mails of one second the order of acceptance decides, which has one order for all.
_CONTACTS = f"""
WITH related AS (
    SELECT w.key, w.state, w.body->'ref'->>'conversation_id' AS conversation_id,
           w.body->'ref'->>'message_id' AS message_id, w.accepted_at,
           (w.body->>'received_at')::timestamptz AS received_at,
           ((w.body->>'received_at')::timestamptz, w.accepted_at, w.key)
             > ((mine.body->>'received_at')::timestamptz, mine.accepted_at, mine.key) AS later
      FROM work_orders w JOIN work_orders mine ON mine.key = %(key)s
     WHERE w.key <> %(key)s AND {_SAME_MAILBOX}
       AND (({_SAME_CUSTOMER}
             AND (w.final_at IS NULL OR w.accepted_at > mine.accepted_at - interval '{DAYS} days'))
            OR {_NAMES_EACH_OTHER})
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY later
                                 ORDER BY received_at DESC, accepted_at DESC, key DESC) AS place
      FROM related WHERE NOT later OR state = ANY(%(maybe_drafted)s))
SELECT key, state, conversation_id, message_id, received_at, later
  FROM ranked WHERE place <= {MOST} ORDER BY received_at DESC, accepted_at DESC, key DESC
"""

# What was published or held before the run began that judged this one, it has seen, and has asked
# the mailbox whether a draft stands. A run that decides nothing any more asks nothing.
_DRAFTED_MEANWHILE = f"""
SELECT w.key FROM work_orders w JOIN work_orders mine ON mine.key = %(key)s
 WHERE w.key <> %(key)s AND mine.state IN ('accepted', 'running') AND {_SAME_MAILBOX}
   AND ({_SAME_CUSTOMER} OR {_NAMES_EACH_OTHER}
        OR w.body->'ref'->>'conversation_id' = %(conversation)s::text)
   AND (w.state = 'publishing'
        OR (w.state IN ('published', 'held') AND w.final_at >= coalesce(
                (SELECT r.started_at FROM artifacts a JOIN workflow_runs r USING (run_id)
                  WHERE a.work_order_key = %(key)s AND a.stage = 'context'
                  ORDER BY a.token DESC LIMIT 1), '-infinity')))
 ORDER BY w.key LIMIT 1
"""


def answered_address(order: WorkOrder) -> str:
    """Return the address a mail is answered to, lower-cased: who the customer is."""
    return (order.reply_to[0] if order.reply_to else order.sender).address.lower()


def references_of(order: WorkOrder) -> tuple[str, ...]:
    """Return the mails this one says to follow."""
    return tuple({*order.references, *filter(None, (order.in_reply_to,))})


def contacts(connection: Connection, order: WorkOrder) -> Sequence[Contact]:
    """Return what came before ``order`` from its customer or in its thread, and what came later and
    may have its draft already, newest first.
    """
    values = {**_names(order), "maybe_drafted": sorted(MAYBE_DRAFTED)}
    return tuple(Contact.model_validate(row) for row in connection.execute(_CONTACTS, values))


def drafted_meanwhile(connection: Connection, order: WorkOrder) -> str | None:
    """Return the work order of the same customer, thread or conversation that was handed to the
    ledger since ``order`` was judged; None: none was, and none is until this transaction ends.

    Two that concern each other wait here for each other, so the second sees the first. Call it
    after the switch lock and before any row lock.
    """
    asked = "SELECT pg_advisory_xact_lock(%s, slot) FROM unnest(%s::int[]) AS slot"
    connection.execute(asked, (_LOCK, _slots(order)))
    row = connection.execute(_DRAFTED_MEANWHILE, _names(order)).fetchone()
    return None if row is None else str(row["key"])


def _names(order: WorkOrder) -> dict[str, object]:
    return {
        "key": order.key,
        "customer": answered_address(order),
        "references": list(references_of(order)),
        "id": order.ref.internet_message_id,
        "conversation": order.ref.conversation_id,
    }


def _slots(order: WorkOrder) -> list[int]:
    """Return what to lock, in one order for all: two that concern each other share a slot."""
    ref = order.ref
    names = (answered_address(order), ref.internet_message_id, ref.conversation_id)
    said = {*filter(None, names), *references_of(order)}
    return sorted({crc32(name.encode()) % _SLOTS for name in said})
