"""Ends alerts whose cause a person took away elsewhere: answered in the mailbox, or moved on.

Level-triggered, so that it does not matter where or while who was down it happened. What lives
elsewhere: alerts that end in the transaction that ends their cause (every room).
"""

import getpass
from typing import Final

from swarm.errors import RefusedError
from swarm.store.alert_kinds import known_kind
from swarm.store.alerts import DEAD, HELD
from swarm.store.database import Connection, Row
from swarm.store.reply_outcomes import ANSWERED

# Somebody must look at this mail; who wrote to the customer has.
_ANSWERABLE: Final = (
    HELD, DEAD, "publication.held", "publication.dead", "publication.duplicate",
    "legacy.outcome_revised", "intake.revised", "intake.future_date",
)  # fmt: skip

_END_ANSWERED = """
UPDATE alerts a SET resolved_at = now(), resolved_by = 'an answer in the mailbox'
 WHERE a.resolved_at IS NULL AND a.kind = ANY(%(kinds)s)
   AND EXISTS (SELECT 1 FROM reply_outcomes r
                WHERE r.work_order_key = a.subject AND r.origin = 'live'
                  AND (r.act = ANY(%(answered)s) OR r.sent_text IS NOT NULL))
"""

_END_MOVED_ON = """
UPDATE alerts a SET resolved_at = now()
  FROM work_orders w
 WHERE a.resolved_at IS NULL AND w.key = a.subject
   AND (   (a.kind = 'work_order.held' AND w.state <> 'held')
        OR (a.kind = 'work_order.dead' AND w.state <> 'dead'))
"""

_ONE = "SELECT id, kind, subject, resolved_at FROM alerts WHERE id = %s"

_END_ONE = """
UPDATE alerts SET resolved_at = now(), resolved_by = %(who)s
 WHERE id = %(id)s AND resolved_at IS NULL
"""


def end_what_is_over(connection: Connection) -> int:
    """End alerts about mails that a person answered, or that have moved on; returns how many."""
    values = {"kinds": list(_ANSWERABLE), "answered": list(ANSWERED)}
    answered = connection.execute(_END_ANSWERED, values).rowcount
    return answered + connection.execute(_END_MOVED_ON).rowcount


def end_by_person(connection: Connection, alert_id: int, who: str | None) -> bool:
    """End an alert by a person's word; False when it was over already.

    Raises ``RefusedError``: there is none, or it ends by itself when its cause does.
    """
    found: Row | None = connection.execute(_ONE, (alert_id,)).fetchone()
    if found is None:
        raise RefusedError(f"there is no alert {alert_id}", hint="`swarm alerts list`")
    kind = known_kind(found["kind"])
    if not kind.by_person:
        raise RefusedError(f"{kind.kind} ends by itself, {kind.ends}", hint=kind.documentation)
    values = {"id": alert_id, "who": who or getpass.getuser()}
    return connection.execute(_END_ONE, values).rowcount == 1
