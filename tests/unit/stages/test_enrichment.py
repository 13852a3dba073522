"""What is known of a customer: gathered, degraded aloud, contradicted aloud, twice the same."""

import pytest
from replying import CONTACT, CUSTOMER, Board, Mailbox, deal, message, order, received, services

from swarm.errors import RateLimitedError, RemoteRefusedError, RemoteUnavailableError
from swarm.models import Address, CrmUpdate, EvidenceKind, Lookup
from swarm.stages.enrichment.gather import gather

AWAY = RemoteUnavailableError("no answer")


def test_everything_known_becomes_evidence_in_a_fixed_order() -> None:
    note = CrmUpdate(update_id="u1", item_id="k1", text="prefers mail")
    found = gather(received(), services(monday=Board(notes=(note,))))
    assert [(e.id, e.kind, e.text) for e in found.context.evidence] == [
        ("e1", EvidenceKind.INBOUND, received().text),
        ("e2", EvidenceKind.INBOUND, "Order 20417"),
        ("e3", EvidenceKind.THREAD, "hello"),
        ("e4", EvidenceKind.CRM_CONTACT, "Anna Smith"),
        ("e5", EvidenceKind.CRM_FIELD, "Shipped"),
        ("e6", EvidenceKind.CRM_FIELD, "2026-03-09"),
        ("e7", EvidenceKind.CRM_UPDATE, "prefers mail"),
    ]
    assert {e.owner for e in found.context.evidence} == {CUSTOMER.address.lower()}
    assert found.context.head_message_id == "m2"
    assert found.context.gaps == ()
    assert found.context.conflicts == ()


def test_the_same_sources_give_the_same_evidence_hash() -> None:
    first, second = gather(received(), services()), gather(received(), services())
    assert first.context.digest() == second.context.digest()


def test_only_the_address_that_is_answered_is_looked_up() -> None:
    board = Board()
    mail = received(work_order=order(reply_to=(Address(address="Desk@customer.example"),)))
    gather(mail, services(monday=board))
    assert board.asked[0] == "contacts desk@customer.example"


@pytest.mark.parametrize(
    "trouble", [AWAY, RateLimitedError("slow", retry_after=1), RemoteRefusedError("no")]
)
def test_an_outlook_that_is_away_is_unavailable_and_a_gap(trouble: RemoteUnavailableError) -> None:
    found = gather(received(), services(outlook=Mailbox(trouble=trouble)))
    assert found.thread.lookup is Lookup.UNAVAILABLE
    assert found.context.thread is Lookup.UNAVAILABLE
    assert any("Outlook" in gap for gap in found.context.gaps)
    assert found.crm.contact is Lookup.HIT


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("contacts", (Lookup.UNAVAILABLE, Lookup.UNAVAILABLE, Lookup.UNAVAILABLE)),
        ("deals", (Lookup.HIT, Lookup.UNAVAILABLE, Lookup.MISS)),
        ("updates", (Lookup.HIT, Lookup.HIT, Lookup.UNAVAILABLE)),
    ],
)
def test_each_part_of_monday_fails_for_itself_and_aloud(
    question: str, expected: tuple[Lookup, ...]
) -> None:
    crm_gap = gather(received(), services(monday=Board(trouble={question: AWAY})))
    crm = crm_gap.crm
    assert (crm.contact, crm.deals, crm.updates) == expected
    assert any("monday.com" in gap for gap in crm_gap.context.gaps)


def test_sources_that_are_not_attached_are_unavailable_not_missing() -> None:
    found = gather(received(), services(outlook=None, monday=None))
    assert found.thread.lookup is Lookup.UNAVAILABLE
    assert found.crm.contact is Lookup.UNAVAILABLE
    assert len(found.context.gaps) == 2


def test_an_unknown_sender_is_a_miss_without_a_gap() -> None:
    board = Board(contacts=())
    found = gather(received(), services(monday=board))
    assert (found.crm.contact, found.crm.deals) == (Lookup.MISS, Lookup.MISS)
    assert board.asked == ["contacts anna.smith@customer.example"]
    assert found.context.gaps == ()


@pytest.mark.parametrize(
    ("contacts", "name", "conflicts", "quoted"),
    [
        pytest.param((), "Anna Smith", 0, False, id="no contact"),
        pytest.param((CONTACT,), "Anna Smith", 0, True, id="one contact, same name"),
        pytest.param((CONTACT,), "SMITH, anna", 0, True, id="one contact, name turned round"),
        pytest.param((CONTACT,), "", 0, True, id="one contact, mail without a name"),
        pytest.param((CONTACT,), "Bob Jones", 1, False, id="one contact, other name"),
        pytest.param(
            (CONTACT, CONTACT.model_copy(update={"item_id": "k2"})),
            "Anna Smith",
            1,
            False,
            id="two contacts",
        ),
    ],
)
def test_the_truth_table_of_outlook_against_monday(
    contacts: tuple[object, ...], name: str, conflicts: int, *, quoted: bool
) -> None:
    mail = received(work_order=order(sender=Address(address=CUSTOMER.address, name=name)))
    found = gather(mail, services(monday=Board(contacts=contacts)))
    assert len(found.context.conflicts) == conflicts
    assert any(e.kind is EvidenceKind.CRM_FIELD for e in found.context.evidence) is quoted


def test_deals_of_several_contacts_are_never_even_read() -> None:
    board = Board(contacts=(CONTACT, CONTACT.model_copy(update={"item_id": "k2"})))
    gather(received(), services(monday=board))
    assert len(board.asked) == 1


def test_a_reply_address_at_another_domain_is_said() -> None:
    mail = received(work_order=order(reply_to=(Address(address="x@elsewhere.example"),)))
    said = gather(mail, services()).context.conflicts
    assert any("another domain" in sentence for sentence in said)


def test_a_conversation_without_the_mail_itself_is_a_conflict() -> None:
    found = gather(received(), services(outlook=Mailbox(messages=(message(1),))))
    assert any("does not hold the mail" in sentence for sentence in found.context.conflicts)


def test_messages_between_others_are_no_evidence() -> None:
    boss, clerk = Address(address="boss@ours.example"), Address(address="clerk@ours.example")
    private = message(3).model_copy(
        update={"sender": boss, "recipients": (clerk,), "text": "they owe us money"}
    )
    found = gather(received(), services(outlook=Mailbox(messages=(message(2), private))))
    assert not any("owe" in e.text for e in found.context.evidence)
    assert "1 messages without the customer were left out" in found.context.gaps


def test_only_approved_columns_are_evidence() -> None:
    board = Board(deals=(deal(status="Shipped", margin="12 %"),))
    found = gather(received(), services(monday=board))
    fields = [e.source for e in found.context.evidence if e.kind is EvidenceKind.CRM_FIELD]
    assert fields == ["monday:deal:status"]


def test_old_messages_beyond_twenty_are_named_as_a_gap() -> None:
    many = tuple(message(n, from_us=n % 2 == 0) for n in range(2, 30))
    found = gather(received(), services(outlook=Mailbox(messages=many)))
    assert "8 older messages of the conversation were left out" in found.context.gaps


def test_drafts_in_the_mailbox_are_not_part_of_the_thread() -> None:
    draft = message(9).model_copy(update={"is_draft": True})
    found = gather(received(), services(outlook=Mailbox(messages=(message(2), draft))))
    assert found.context.head_message_id == "m2"


@pytest.mark.parametrize("reply_first", [True, False], ids=["listed first", "listed last"])
def test_a_reply_of_the_same_second_counts_as_after_the_mail(*, reply_first: bool) -> None:
    """Graph's times end at the second, and its order within one says nothing."""
    mail, reply = (
        message(2),
        message(1, from_us=True).model_copy(update={"sent_at": message(2).sent_at}),
    )
    bundle = services(outlook=Mailbox(messages=(reply, mail) if reply_first else (mail, reply)))
    found = gather(received(), bundle)
    assert found.context.inbound_unanswered == 0
    assert found.context.head_message_id == reply.message_id
