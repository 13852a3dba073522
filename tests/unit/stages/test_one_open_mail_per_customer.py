"""A customer who writes again before anybody replied goes to a human, whatever the subject."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from replying import received, routine, services

from swarm.clients.protocol import FoundDraft
from swarm.errors import RemoteUnavailableError
from swarm.models import (
    Address,
    Contact,
    MessageRef,
    Stage,
    ThreadMessage,
    WorkOrder,
    WorkOrderState,
)
from swarm.stages.enrichment.gather import gather, with_inbound
from swarm.stages.enrichment.repeated import waiting_elsewhere
from swarm.stages.floor import reasons_at
from swarm.stages.reply.draft import brief_of
from swarm.store.memory import MemoryStore

T0 = datetime(2026, 11, 3, 9, 12, tzinfo=UTC)
CUSTOMER = Address(address="Eva.Drei@kunde.example", name="Eva Drei")
US = Address(address="desk@ours.example")


def mail(number: int, **changes: object) -> WorkOrder:
    good = WorkOrder(
        key="wo_" + "abcdefgh"[number] * 24,
        original_id=f"mail-{number}",
        ref=MessageRef(
            mailbox=US.address,
            message_id=f"m{number}",
            internet_message_id=f"<{number}@kunde.example>",
            conversation_id=f"c{number}",
        ),
        sender=CUSTOMER,
        subject=f"Order 20423, try {number}",
        body_text="When will my order 20423 be delivered?",
        received_at=T0 + timedelta(minutes=number),
        source="test",
    )
    return good.model_copy(update=changes)


class Outlook:
    """Conversations by id; one that is not there cannot be read."""

    def __init__(
        self,
        conversations: Mapping[str, Sequence[ThreadMessage]],
        draft: FoundDraft | Exception | None = None,
    ) -> None:
        self.conversations, self.draft = conversations, draft

    def conversation(self, conversation_id: str) -> Sequence[ThreadMessage]:
        if conversation_id not in self.conversations:
            raise RemoteUnavailableError("away")
        return self.conversations[conversation_id]

    def find_dispatched(self, *, key: str, **_asked: object) -> Sequence[FoundDraft]:
        if isinstance(self.draft, Exception):
            raise self.draft
        return (self.draft,) if self.draft else ()


def said(order: WorkOrder) -> ThreadMessage:
    return ThreadMessage(
        message_id=str(order.ref.message_id), sender=order.sender, recipients=(US,),
        sent_at=order.received_at, text=order.body_text, from_us=False,
    )  # fmt: skip


def reply(order: WorkOrder, *, minutes: int = 5) -> ThreadMessage:
    return ThreadMessage(
        message_id=f"reply-{order.ref.message_id}", sender=US, recipients=(order.sender,),
        sent_at=order.received_at + timedelta(minutes=minutes), text="Soon.", from_us=True,
    )  # fmt: skip


def unanswered(
    *orders: WorkOrder, replies: Sequence[ThreadMessage] = (), away: Sequence[str] = ()
) -> int:
    """Mails without a reply as the last of these sees them."""
    store = MemoryStore(clock=lambda: T0)
    for order in orders:
        assert store.accept(order)
    names = {str(order.ref.conversation_id): [said(order)] for order in orders}
    for answer in replies:
        names["c" + answer.message_id[-1]].append(answer)
    outlook = Outlook({name: found for name, found in names.items() if name not in away})
    bundle = services(store=store, outlook=outlook)
    found = gather(received(work_order=orders[-1]), bundle)
    return found.context.inbound_unanswered


def test_each_try_of_a_customer_counts_whatever_its_subject() -> None:
    tries = [mail(1), mail(2), mail(3)]
    assert [unanswered(*tries[:n]) for n in (1, 2, 3)] == [1, 2, 3]


def test_the_second_mail_is_withheld_by_the_rule() -> None:
    store = MemoryStore(clock=lambda: T0)
    first, second = mail(1), mail(2, body_text="Please ignore my last mail.")
    store.accept(first)
    store.accept(second)
    bundle = services(store=store, outlook=Outlook({"c1": [said(first)], "c2": [said(second)]}))
    for order, rules in ((first, set()), (second, {"ES-04"})):
        context = gather(received(work_order=order), bundle).context
        brief = brief_of(received(work_order=order), context, routine(), bundle)
        assert {r.rule for r in reasons_at(Stage.CONTEXT, brief, None, bundle)} == rules
    assert any("other conversations" in gap for gap in context.gaps)


def test_a_reply_of_ours_anywhere_answers_what_came_before_it() -> None:
    tries = [mail(1), mail(2), mail(3, received_at=T0 + timedelta(hours=1))]
    assert unanswered(*tries, replies=[reply(tries[1])]) == 1
    assert unanswered(*tries, replies=[reply(tries[0], minutes=0)]) == 2


def test_a_reply_in_the_second_of_a_mail_answers_it() -> None:
    first = mail(1, received_at=T0 + timedelta(milliseconds=700))
    answer = reply(first).model_copy(update={"sent_at": T0})
    assert unanswered(first, mail(2), replies=[answer]) == 1


def test_a_conversation_that_cannot_be_read_counts_as_unanswered() -> None:
    first, second = mail(1), mail(2)
    assert unanswered(first, second, replies=[reply(first, minutes=0)], away=["c1"]) == 2


def test_another_customer_is_none_of_his_business_but_a_mail_of_the_thread_is() -> None:
    other = Address(address="colleague@kunde.example")
    assert unanswered(mail(1, sender=other), mail(2)) == 1
    assert unanswered(mail(1, sender=other), mail(2, references=("<1@kunde.example>",))) == 2
    assert unanswered(mail(1, sender=other), mail(2, in_reply_to="<1@kunde.example>")) == 2


def test_who_is_answered_is_the_customer_not_the_form_that_wrote() -> None:
    form = Address(address="form@ours.example")
    asks = [mail(n, sender=form, reply_to=(Address(address=f"{n}@kunde.example"),)) for n in (1, 2)]
    assert unanswered(*asks) == 1
    assert unanswered(asks[0], asks[1].model_copy(update={"reply_to": asks[0].reply_to})) == 2


def test_the_earlier_mail_does_not_look_at_the_later_one() -> None:
    store = MemoryStore(clock=lambda: T0)
    first, second = mail(1), mail(2)
    store.accept(first)
    store.accept(second)
    bundle = services(store=store, outlook=Outlook({}))
    assert store.contacts(first.key) == ()
    [before] = store.contacts(second.key)
    assert before == Contact(
        key=first.key, state=WorkOrderState.ACCEPTED, conversation_id="c1", message_id="m1",
        received_at=first.received_at,
    )  # fmt: skip
    thread = gather(received(work_order=first), bundle).thread
    assert waiting_elsewhere(first, thread, bundle) == 0


def test_a_mail_our_web_form_wrote_is_the_customers_and_unanswered() -> None:
    order = mail(1, sender=US, reply_to=(CUSTOMER,))
    written = said(order).model_copy(update={"from_us": True})
    thread = gather(received(work_order=order), services(outlook=Outlook({"c1": [written]}))).thread
    assert thread.inbound_unanswered == 1
    assert with_inbound(thread, order) == thread


@pytest.mark.parametrize("state", ["escalated", "held", "dead", "published"])
def test_an_ended_mail_without_a_reply_still_waits(state: str) -> None:
    store = MemoryStore(clock=lambda: T0)
    first, second = mail(1), mail(2)
    store.accept(first)
    store.accept(second)
    store.record(first.key).state = WorkOrderState(state)
    bundle = services(store=store, outlook=Outlook({"c1": [said(first)], "c2": [said(second)]}))
    assert gather(received(work_order=second), bundle).context.inbound_unanswered == 2


DRAFT = FoundDraft(message_id="d1", folder="drafts", is_draft=True, created_at=T0)


@pytest.mark.parametrize(
    ("state", "draft", "waiting"),
    [
        ("published", DRAFT, 1),
        ("published", DRAFT.model_copy(update={"folder": "an archive of theirs"}), 1),
        ("published", DRAFT.model_copy(update={"is_draft": False, "folder": "sentitems"}), 0),
        ("published", DRAFT.model_copy(update={"folder": "deleteditems"}), 0),
        ("published", None, 0),
        ("published", RemoteUnavailableError("away"), 1),
        ("held", DRAFT, 1),
        ("publishing", None, 1),
        ("escalated", DRAFT, 0),
    ],
)
@pytest.mark.parametrize("place", ["c1", "c2"], ids=["elsewhere", "in this conversation"])
def test_a_draft_that_stands_is_open_whoever_replied_by_hand(
    state: str, draft: FoundDraft | Exception | None, waiting: int, place: str
) -> None:
    store = MemoryStore(clock=lambda: T0)
    first, second = mail(1), mail(2, received_at=T0 + timedelta(hours=1))
    first = first.model_copy(
        update={"ref": first.ref.model_copy(update={"conversation_id": place})}
    )
    store.accept(first)
    store.accept(second)
    store.record(first.key).state = WorkOrderState(state)
    talks = {"c1": [said(first), reply(first)], "c2": [said(first), reply(first), said(second)]}
    bundle = services(store=store, outlook=Outlook(talks, draft))
    thread = gather(received(work_order=second), bundle).thread
    assert waiting_elsewhere(second, thread, bundle) == waiting


@pytest.mark.parametrize(
    ("state", "draft", "waiting"),
    [
        ("published", DRAFT, 1),
        ("published", None, 0),
        ("publishing", None, 1),
        ("escalated", DRAFT, 0),
        ("running", None, 0),
    ],
)
def test_a_later_mail_counts_once_a_draft_of_it_may_stand(
    state: str, draft: FoundDraft | None, waiting: int
) -> None:
    """The correction was read and judged before what it corrects."""
    store = MemoryStore(clock=lambda: T0)
    first, second = mail(1), mail(2)
    store.accept(second)
    store.accept(first)
    store.record(second.key).state = WorkOrderState(state)
    bundle = services(store=store, outlook=Outlook({"c1": [said(first)]}, draft))
    thread = gather(received(work_order=first), bundle).thread
    assert waiting_elsewhere(first, thread, bundle) == waiting


def test_of_two_that_came_in_in_reversed_order_the_later_one_waits() -> None:
    assert unanswered(mail(2), mail(1)) == 1
    store = MemoryStore(clock=lambda: T0)
    first, second = mail(1), mail(2)
    store.accept(second)
    store.accept(first)
    bundle = services(store=store, outlook=Outlook({"c1": [said(first)], "c2": [said(second)]}))
    assert gather(received(work_order=second), bundle).context.inbound_unanswered == 2
