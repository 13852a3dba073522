"""What a customer wrote before: earlier work orders to the same person, or of the same thread.

A thread is more than Outlook's conversation: a changed subject begins a new one, and ``References``
still name the mails before. Only places are returned, never a text: a mail of somebody else in the
thread is counted, not quoted (ES-09). Whether they are answered is asked of the mailbox elsewhere.
"""

from collections.abc import Sequence

from swarm.models import EarlierContact, WorkOrder
from swarm.store.database import Connection

MOST = 10  # newest; a person with ten mails open goes to a human whatever the eleventh says
# By then an unanswered mail was answered by other means, or is no longer what he asks; one whose
# draft may still come (nobody in office, a hook that is down) is open however old it is.
DAYS = 7

# Earlier by acceptance, which has one order for all: of two mails in one minute one is the later.
_EARLIER = f"""
SELECT w.key, w.state, w.body->'ref'->>'conversation_id' AS conversation_id,
       w.body->'ref'->>'message_id' AS message_id,
       (w.body->>'received_at')::timestamptz AS received_at
  FROM work_orders w JOIN work_orders mine ON mine.key = %(key)s
 WHERE (w.accepted_at, w.key) < (mine.accepted_at, mine.key)
   AND lower(w.body->'ref'->>'mailbox') = lower(mine.body->'ref'->>'mailbox')
   AND ((lower(coalesce(w.body->'reply_to'->0->>'address', w.body->'sender'->>'address'))
           = %(customer)s
         AND (w.final_at IS NULL OR w.accepted_at > mine.accepted_at - interval '{DAYS} days'))
        OR w.body->'ref'->>'internet_message_id' = ANY(%(references)s))
 ORDER BY w.accepted_at DESC, w.key DESC LIMIT {MOST}
"""


def answered_address(order: WorkOrder) -> str:
    """Return the address a mail is answered to, lower-cased: who the customer is."""
    return (order.reply_to[0] if order.reply_to else order.sender).address.lower()


def references_of(order: WorkOrder) -> tuple[str, ...]:
    """Return the mails this one says to follow."""
    return tuple({*order.references, *filter(None, (order.in_reply_to,))})


def earlier_contacts(connection: Connection, order: WorkOrder) -> Sequence[EarlierContact]:
    """Return what came before ``order`` from its customer or in its thread, newest first."""
    values = {
        "key": order.key,
        "customer": answered_address(order),
        "references": list(references_of(order)),
    }
    return tuple(EarlierContact.model_validate(row) for row in connection.execute(_EARLIER, values))
