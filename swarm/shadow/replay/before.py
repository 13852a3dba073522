"""What was there when a mail of imported history came, as far as the import tells.

*Conversation*: as recorded with it; else put together from history itself: the mails of the same
conversation that came before, and what was sent in it before, nothing later (the human's own
answer would leak in). A mail that names no earlier one and has none is its whole conversation. One
that answers a mail nobody imported is **not judged**: a conversation that could not be had
escalates, and an escalation for want of a file would be counted as caution. The same goes for a
file it brings that could have been read. *CRM*: as recorded, and marked as of now; else an unknown
customer (MISS): danger is judged on the mail and its conversation, and a customer nobody knows gets
fewer answers, never more. Other mails of the customer (ES-04) are not counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from swarm.intake.documents.reading import NO_KIND, could_be_read
from swarm.models import (
    Address,
    AttachmentText,
    Crm,
    Lookup,
    Thread,
    ThreadMessage,
    WorkOrder,
    as_message,
    in_conversation_order,
)
from swarm.safety.enclosures import files_of
from swarm.stages.recorded import Recorded
from swarm.store.database import Connection, Row

_NOT_KEPT = "imported history brings no CRM"

_EARLIER = """
SELECT body FROM history_orders
 WHERE body->'ref'->>'conversation_id' = %(conversation)s AND received_at < %(before)s
   AND work_order_key <> %(key)s
 ORDER BY received_at DESC LIMIT 50
"""

_SENT = """
SELECT r.work_order_key, r.sent_text, r.acted_at, h.body
  FROM reply_outcomes r JOIN history_orders h USING (work_order_key)
 WHERE h.body->'ref'->>'conversation_id' = %(conversation)s AND h.received_at < %(before)s
   AND r.sent_text IS NOT NULL AND r.acted_at < %(before)s
 ORDER BY r.acted_at DESC LIMIT 50
"""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Why a work order is not judged again, in words of ours."""

    why: str


def of_history(connection: Connection, order: WorkOrder, row: Row) -> Recorded | Unknown:
    """Return what an imported work order is judged on."""
    try:
        crm = Crm.model_validate(row["crm"]) if row["crm"] else _unknown_customer(order)
        if row["thread"]:
            return Recorded(thread=Thread.model_validate(row["thread"]), crm=crm)
    except ValidationError:
        return Unknown("what was recorded with it is unreadable")
    if any(could_be_read(each.name, each.content_type) for each in files_of(order)):
        return Unknown("what it encloses was not imported")
    before = tuple(_before(connection, order))
    if not before and (order.in_reply_to or order.references):
        return Unknown("the mails it answers were not imported")
    return Recorded(thread=_thread(order, before), crm=crm)


def _thread(order: WorkOrder, before: tuple[ThreadMessage, ...]) -> Thread:
    messages = in_conversation_order((*before, as_message(order)))
    return Thread(
        lookup=Lookup.HIT,
        detail="as imported history tells it",
        messages=messages,
        head_message_id=messages[-1].message_id,
        attachments=tuple(
            AttachmentText(
                name=each.name, content_type=each.content_type, size=each.size, problem=NO_KIND
            )
            for each in files_of(order)
        ),
        taken_at=order.received_at,
    )


def _before(connection: Connection, order: WorkOrder) -> Iterator[ThreadMessage]:
    conversation = order.ref.conversation_id
    if conversation is None:
        return
    asked = {"conversation": conversation, "before": order.received_at, "key": order.key}
    for row in connection.execute(_EARLIER, asked).fetchall():
        yield as_message(WorkOrder.model_validate(row["body"]))
    for row in connection.execute(_SENT, asked).fetchall():
        answered = WorkOrder.model_validate(row["body"])
        yield ThreadMessage(
            message_id=f"sent:{row['work_order_key']}",
            sender=Address(address=answered.ref.mailbox),
            recipients=(answered.sender,),
            sent_at=row["acted_at"],
            subject=answered.subject,
            text=row["sent_text"],
            from_us=True,
        )


def _unknown_customer(order: WorkOrder) -> Crm:
    return Crm(
        contact=Lookup.MISS,
        deals=Lookup.MISS,
        updates=Lookup.MISS,
        detail=_NOT_KEPT,
        taken_at=order.received_at,
    )
