"""Records of one work order, all good: both paths draft the same, nobody was needed."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

from swarm.models import (
    Address,
    Crm,
    Draft,
    Lookup,
    MessageRef,
    Thread,
    ThreadMessage,
    Tier,
    WorkOrder,
)
from swarm.shadow.comparison import Records
from swarm.shadow.models import Decision, LegacyOutcome, Origin, Replayed, ReplyOutcome
from swarm.stages.recorded import Recorded

ARRIVED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MAILBOX = "service@example.com"
BODY = "Hello,\n\nthank you for your message. A colleague will come back to you.\n\nKind regards"


def key_of(name: str) -> str:
    letters = base64.b32encode(hashlib.sha256(name.encode()).digest()).decode()[:24].lower()
    return f"wo_{letters}"


def order(name: str = "one", **changes: object) -> WorkOrder:
    made = WorkOrder(
        key=key_of(name),
        original_id=name,
        ref=MessageRef(mailbox=MAILBOX, message_id=f"m-{name}", conversation_id=f"c-{name}"),
        sender=Address(address="anna@customer.example", name="Anna Berg"),
        to=(Address(address=MAILBOX),),
        subject="Opening hours",
        body_text="Hello,\n\nwhen are you open on Saturday?\n\nKind regards\nAnna Berg",
        received_at=ARRIVED,
        source="history",
    )
    return made.model_copy(update=changes)


def legacy(name: str = "one", **changes: object) -> LegacyOutcome:
    made = LegacyOutcome(
        work_order_key=key_of(name),
        origin=Origin.HISTORY,
        escalated=False,
        recipient="anna@customer.example",
        subject="Re: Opening hours",
        body_text=BODY,
        policy_version="legacy-1",
        line_sha256="0" * 64,
        decided_at=ARRIVED + timedelta(seconds=3),
    )
    return made.model_copy(update=changes)


def draft(**changes: object) -> Draft:
    made = Draft(
        subject="Re: Opening hours",
        body_text=BODY,
        language="en",
        to=(Address(address="anna@customer.example"),),
        author="rules@1",
    )
    return made.model_copy(update=changes)


def new(name: str = "one", **changes: object) -> Replayed:
    made = Replayed(
        work_order_key=key_of(name),
        engine="e1",
        decision=Decision.DRAFT,
        tier=Tier.ROUTINE,
        draft=draft(),
        language="en",
        thread=Lookup.HIT,
        contact=Lookup.MISS,
        input_sha256="1" * 64,
        duration_ms=70,
    )
    return made.model_copy(update=changes)


def reply(name: str = "one", **changes: object) -> ReplyOutcome:
    made = ReplyOutcome(work_order_key=key_of(name), origin=Origin.HISTORY, publisher="legacy")
    return made.model_copy(update=changes)


def records(**changes: object) -> Records:
    given: dict[str, object] = {
        "order": order(), "origin": Origin.HISTORY, "legacy": legacy(), "new": new(), **changes
    }  # fmt: skip
    return Records(**given)  # type: ignore[arg-type]


def recorded(mail: WorkOrder) -> Recorded:
    """What a live run would have found: the mail alone in its conversation, an unknown customer."""
    message = ThreadMessage(
        message_id=mail.ref.message_id or mail.original_id,
        sender=mail.sender,
        recipients=mail.to,
        sent_at=mail.received_at,
        subject=mail.subject,
        text=mail.body_text,
        from_us=False,
    )
    return Recorded(
        thread=Thread(
            lookup=Lookup.HIT,
            messages=(message,),
            head_message_id=message.message_id,
            taken_at=mail.received_at,
        ),
        crm=Crm(
            contact=Lookup.MISS,
            deals=Lookup.MISS,
            updates=Lookup.MISS,
            taken_at=mail.received_at,
        ),
    )
