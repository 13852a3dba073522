"""A good mail, the sources that know about it, and a specialist that answers as told.

Shared by the tests of specialists, graphs and stages. The doubles are honest objects behind the
real protocols: they keep data, count what was asked, and raise our own errors when told to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

from swarm.clients.bounded_http import AnswerTooLargeError
from swarm.clients.protocol import DeltaPage, Enclosure, FoundDraft
from swarm.errors import SwarmError
from swarm.knowledge import Shelf
from swarm.models import (
    Address,
    Attachment,
    Claim,
    Context,
    CrmField,
    CrmItem,
    CrmUpdate,
    Draft,
    Evidence,
    EvidenceKind,
    Fence,
    Lookup,
    MessageRef,
    Received,
    Review,
    Ruling,
    Stage,
    ThreadMessage,
    Tier,
    TierDecision,
    WorkOrder,
)
from swarm.settings import QueueSettings
from swarm.specialists.protocol import Brief, Classification, Proposal
from swarm.specialists.rules import RulesSpecialist
from swarm.stages.services import Services
from swarm.store.memory import MemoryStore
from swarm.store.memory_queue import MemoryQueue

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEY = "wo_" + "a" * 24
MAILBOX = "service@ours.example"
CUSTOMER = Address(address="Anna.Smith@customer.example", name="Anna Smith")
ASK = "What is the status of my order 20417?"


def order(**changes: object) -> WorkOrder:
    """A mail from Anna that asks for the status of her order."""
    good = WorkOrder(
        key=KEY,
        original_id="line-1",
        ref=MessageRef(mailbox=MAILBOX, message_id="m2", conversation_id="c1"),
        sender=CUSTOMER,
        to=(Address(address=MAILBOX),),
        subject="Order 20417",
        body_text=f"Hello, {ASK} Anna",
        received_at=NOW,
        source="test",
    )
    return good.model_copy(update=changes)


def received(**changes: object) -> Received:
    """The same mail, read."""
    good = Received(work_order=order(), text=f"Hello, {ASK} Anna", language="en", asks=(ASK,))
    return good.model_copy(update=changes)


def message(number: int, *, from_us: bool = False, text: str = "hello") -> ThreadMessage:
    """The ``number``-th message of the conversation."""
    us, them = Address(address=MAILBOX), CUSTOMER
    return ThreadMessage(
        message_id=f"m{number}",
        sender=us if from_us else them,
        recipients=(them,) if from_us else (us,),
        sent_at=NOW + timedelta(minutes=number),
        text=text,
        from_us=from_us,
    )


def deal(item_id: str = "d1", name: str = "Order 20417", **columns: str) -> CrmItem:
    """A deal with a column for each keyword."""
    values = columns or {"status": "Shipped", "delivery_date": "2026-03-09", "secret": "margin 12"}
    fields = tuple(
        CrmField(item_id=item_id, board_id="b2", column_id=column, title=column, text=text)
        for column, text in values.items()
    )
    return CrmItem(item_id=item_id, board_id="b2", name=name, fields=fields)


CONTACT = CrmItem(item_id="k1", board_id="b1", name="Anna Smith")


@dataclass
class Mailbox:
    """An Outlook that holds one conversation."""

    messages: Sequence[ThreadMessage] = (message(1, from_us=True), message(2))
    trouble: SwarmError | None = None
    conversation_id: str = "c1"
    files: Sequence[tuple[Attachment, bytes | SwarmError]] = ()
    asked: list[str] = field(default_factory=list)

    def conversation(self, conversation_id: str) -> Sequence[ThreadMessage]:
        self.asked.append(f"conversation {conversation_id}")
        if self.trouble:
            raise self.trouble
        return self.messages if conversation_id == self.conversation_id else ()

    def find_dispatched(
        self, *, key: str, conversation_id: str | None, marker: str, since: datetime
    ) -> Sequence[FoundDraft]:
        return ()

    def mark_dispatched(self, message_id: str, key: str) -> None:
        self.asked.append(f"mark {message_id}")

    def delta(self, link: str | None, *, since: datetime) -> DeltaPage:
        return DeltaPage(messages=())

    def enclosures(self, message_id: str) -> Sequence[Enclosure]:
        self.asked.append(f"enclosures {message_id}")
        if self.trouble:
            raise self.trouble
        return [
            Enclosure(attachment_id=f"a{place}", label=label)
            for place, (label, _) in enumerate(self.files)
        ]

    def attachment_bytes(self, message_id: str, attachment_id: str, *, most_bytes: int) -> bytes:
        self.asked.append(f"bytes {message_id} {attachment_id}")
        content = self.files[int(attachment_id[1:])][1]
        if isinstance(content, Exception):
            raise content
        if len(content) > most_bytes:
            raise AnswerTooLargeError("too large")
        return content


@dataclass
class Board:
    """A monday.com with contacts, deals and notes; ``trouble`` maps a question to its error."""

    contacts: Sequence[CrmItem] = (CONTACT,)
    deals: Sequence[CrmItem] = field(default_factory=lambda: (deal(),))
    notes: Sequence[CrmUpdate] = ()
    trouble: dict[str, Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def contacts_by_email(self, addresses: Sequence[str]) -> Sequence[CrmItem]:
        self._ask("contacts", addresses)
        return self.contacts

    def deals_of(self, contact_ids: Sequence[str]) -> Sequence[CrmItem]:
        self._ask("deals", contact_ids)
        known = {contact.item_id for contact in self.contacts}
        return self.deals if known & {*contact_ids} else ()

    def updates_of(self, item_ids: Sequence[str]) -> Sequence[CrmUpdate]:
        self._ask("updates", item_ids)
        return [note for note in self.notes if note.item_id in item_ids]

    def _ask(self, question: str, about: Sequence[str]) -> None:
        self.asked.append(f"{question} {' '.join(about)}")
        if question in self.trouble:
            raise self.trouble[question]


class Told(RulesSpecialist):
    """A rules specialist whose answers a test may replace, and which counts what it was asked."""

    name = "told"

    def __init__(
        self,
        *,
        bodies: Sequence[str | Exception] = (),
        classification: Classification | Exception | None = None,
        reviews: dict[Stage, Ruling | Exception] | None = None,
    ) -> None:
        super().__init__()
        self.bodies = list(bodies)
        self.classification = classification
        self.reviews = reviews or {}
        self.asked: list[str] = []

    def classify(self, received: Received) -> Classification:
        self.asked.append("classify")
        if isinstance(self.classification, Exception):
            raise self.classification
        return self.classification or super().classify(received)

    def propose(self, brief: Brief, previous: Draft | None, findings: Sequence[str]) -> Proposal:
        self.asked.append("revise" if previous else "propose")
        if not self.bodies:
            return super().propose(brief, previous, findings)
        body = self.bodies.pop(0)
        if isinstance(body, Exception):
            raise body
        return Proposal(body_text=body, language="en", answered=brief.received.asks)

    def review_tone(self, brief: Brief, draft: Draft) -> Review:
        return self._told(Stage.TONE, super().review_tone(brief, draft))

    def review_fact(self, brief: Brief, draft: Draft) -> Review:
        return self._told(Stage.FACT, super().review_fact(brief, draft))

    def review_qa(self, brief: Brief, draft: Draft) -> Review:
        return self._told(Stage.QA, super().review_qa(brief, draft))

    def _told(self, stage: Stage, honest: Review) -> Review:
        self.asked.append(stage.value)
        told = self.reviews.get(stage)
        if isinstance(told, Exception):
            raise told
        if told is None:
            return honest
        return honest.model_copy(update={"ruling": told, "findings": ("as told",)})


def sample_shelf() -> Shelf:
    """The invented approved answers of the package."""
    return Shelf(Path(str(resources.files("swarm.samples"))) / "knowledge")


def services(**changes: object) -> Services:
    """Everything in order, on an in-memory store."""
    good = Services(
        store=MemoryStore(clock=lambda: NOW),
        specialist=RulesSpecialist(),
        outlook=Mailbox(),
        monday=Board(),
        mailbox=MAILBOX,
        approved_columns=("status", "delivery_date", "amount"),
        clock=lambda: NOW,
    )
    return replace(good, **changes)


def accepted(services: Services, work_order: WorkOrder | None = None) -> Fence:
    """Take the mail in and open it for a run."""
    store, taken = services.store, work_order or order()
    assert isinstance(store, MemoryStore)
    store.accept(taken)
    queue = MemoryQueue(store, QueueSettings())
    queue.enqueue(taken.key)
    return queue.open(taken.key, "run-1", None)


STATUS = Evidence(
    id="e2",
    kind=EvidenceKind.CRM_FIELD,
    source="monday:deal:status",
    owner=CUSTOMER.address.lower(),
    title="Order 20417",
    text="Shipped",
)
INBOUND = Evidence(
    id="e1",
    kind=EvidenceKind.INBOUND,
    source="graph:inbound",
    owner=CUSTOMER.address.lower(),
    text=f"Hello, {ASK} Anna",
)


def context(**changes: object) -> Context:
    """A context that knows the order's status."""
    good = Context(
        thread=Lookup.HIT,
        contact=Lookup.HIT,
        evidence=(INBOUND, STATUS),
        participants=(CUSTOMER.address.lower(),),
        customer=CUSTOMER.address.lower(),
        inbound_unanswered=1,
        head_message_id="m2",
    )
    return good.model_copy(update=changes)


def routine() -> TierDecision:
    """A tier that lets a draft be written."""
    return TierDecision(tier=Tier.ROUTINE, detectors={"lexicon": "1"})


def brief(**changes: object) -> Brief:
    """All of it together."""
    good = Brief(
        received=received(), context=context(), tier=routine(), signature="Customer Service"
    )
    return good.model_copy(update=changes)


def claim(quote: str = "Shipped", evidence_id: str = "e2", text: str | None = None) -> Claim:
    """A claim about the order's status."""
    sentence = text or f"The status of your order is: {quote}."
    return Claim(text=sentence, evidence_id=evidence_id, quote=quote)
