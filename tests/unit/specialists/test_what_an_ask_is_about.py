"""A record answers only a plain question for its value, about the order that is meant."""

import pytest
from replying import INBOUND, STATUS, brief, context, order, received, services

from swarm.models import Evidence, Stage
from swarm.safety.ruleset import judge
from swarm.specialists.asked import asks_for_value, points_at_own, references_in, topic_of
from swarm.specialists.phrasebook import phrasebook
from swarm.specialists.protocol import Proposal
from swarm.specialists.rules import RulesSpecialist
from swarm.stages.floor import case_of
from swarm.stages.reply.assemble import assemble

DATE = STATUS.model_copy(
    update={"id": "e3", "source": "monday:deal:delivery_date", "text": "2026-03-09"}
)

ABOUT_THE_ORDER = [
    ("en", "When will my order be delivered?"),
    ("en", "Could you please let me know when I can expect delivery of my order?"),
    ("en", "Where is my parcel?"),
    ("en", "Is our shipment on its way?"),
    ("en", "What is the status of my order no. 20417?"),
    ("de", "Wann wird meine Bestellung voraussichtlich geliefert?"),
    ("de", "Wie ist der Status meiner Bestellung?"),
    ("fr", "Où en est ma commande ?"),
    ("es", "¿Cuál es el estado de mi pedido?"),
    ("it", "Quando arriva il mio ordine?"),
    ("nl", "Waar blijft mijn bestelling?"),
    ("pt", "Qual é o estado da minha encomenda?"),
]

ABOUT_SOMETHING_ELSE = [
    ("en", "What is the status of my complaint?"),
    ("en", "What is the status of my application for the job?"),
    ("en", "When will my refund for order 20417 arrive?"),
    ("en", "When will the technician come to look at my order?"),
    ("en", "How do I track my order?"),
    ("en", "Can I change the delivery date of my order?"),
    ("en", "Why has my order not been delivered?"),
    ("en", "How much does my neighbour's order cost?"),
    ("en", "When will the replacement for my order arrive?"),
    ("de", "Wie ist der Stand meiner Reklamation?"),
    ("de", "Wann kommt mein Geld für die Bestellung 20417?"),
    ("fr", "Quel est le statut de ma réclamation ?"),
    ("es", "¿Cuál es el estado de mi reclamación?"),
    ("it", "Qual è lo stato del mio reclamo?"),
    ("nl", "Wat is de status van mijn klacht?"),
    ("pt", "Qual é o estado da minha reclamação?"),
]


def said_to(ask: str, *evidence: Evidence, subject: str = "", text: str = "") -> Proposal:
    mail = received(work_order=order(subject=subject), text=text or ask, asks=(ask,))
    given = brief(received=mail, context=context(evidence=(INBOUND, *evidence)))
    return RulesSpecialist().propose(given, None, ())


def plain(language: str, ask: str) -> bool:
    book = phrasebook(language)
    assert book is not None
    topic = topic_of(ask, book)
    return topic is not None and (
        asks_for_value(ask, topic, book, ["Order 20417"]) and points_at_own(ask, topic, book)
    )


@pytest.mark.parametrize(("language", "ask"), ABOUT_THE_ORDER)
def test_a_plain_question_about_the_order_is_one(language: str, ask: str) -> None:
    assert plain(language, ask)


@pytest.mark.parametrize(("language", "ask"), ABOUT_SOMETHING_ELSE)
def test_a_question_about_something_else_is_none(language: str, ask: str) -> None:
    assert not plain(language, ask)


@pytest.mark.parametrize(("_", "ask"), [pair for pair in ABOUT_SOMETHING_ELSE if pair[0] == "en"])
def test_one_order_on_record_is_no_answer_to_something_else(_: str, ask: str) -> None:
    said = said_to(ask, STATUS, DATE)
    assert said.decline is not None
    assert said.claims == ()


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Order 99999", "When will my order be delivered?"),
        ("RE: 99999", "When will my order be delivered?"),
        ("A question", "My order number is 99999. When will my order be delivered?"),
        ("", "When will my order #99999 be delivered?"),
    ],
)
def test_a_number_nobody_has_is_never_answered_with_another_order(subject: str, text: str) -> None:
    ask = "When will my order be delivered?"
    said = said_to(ask, STATUS, DATE, subject=subject, text=text)
    assert "2026-03-09" not in said.body_text
    assert "could not find the order number 99999" in said.body_text
    assert "tell us your order number" not in said.body_text


def test_the_number_in_the_subject_is_the_order_that_is_meant() -> None:
    other = DATE.model_copy(update={"id": "e4", "title": "Order 30000", "text": "2026-05-05"})
    ask = "When will my order be delivered?"
    said = said_to(ask, DATE, other, subject="Order 20417")
    assert [claim.quote for claim in said.claims] == ["2026-03-09"]


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("The garden bench Meridian", "When will my order be delivered?"),
        ("", "I ordered a standing desk from you. When will it be delivered?"),
        ("", "My order of the two lamps is due. When will it be delivered?"),
    ],
)
def test_a_thing_no_order_on_record_names_is_asked_about(subject: str, text: str) -> None:
    ask = "When will it be delivered?" if "it be" in text else text
    said = said_to(ask, DATE, subject=subject, text=text)
    assert said.claims == ()
    assert "tell us your order number" in said.body_text


def test_nobody_who_gave_no_number_is_told_of_the_number_he_gave() -> None:
    text = "We live in 10115 Berlin, call 0170 5550123. When will my order be delivered?"
    said = said_to("When will my order be delivered?", DATE, text=text)
    assert "could not find" not in said.body_text
    assert "2026-03-09" not in said.body_text


def test_two_orders_named_in_one_ask_are_both_answered() -> None:
    other = STATUS.model_copy(update={"id": "e4", "title": "Order 30000", "text": "In production"})
    said = said_to("What is the status of my orders 20417 and 30000?", STATUS, other)
    assert "20417: The status of your order is: Shipped." in said.body_text
    assert "30000: The status of your order is: In production." in said.body_text


def test_of_two_numbers_the_unknown_one_is_asked_about_beside_the_answer() -> None:
    said = said_to("What is the status of my orders 20417 and 99999?", STATUS)
    assert "Shipped" in said.body_text
    assert "could not find the order number 99999" in said.body_text


@pytest.mark.parametrize(
    ("text", "plain_ones", "vague"),
    [
        ("my order 20417", {"20417"}, set()),
        ("#20417", {"20417"}, set()),
        ("order, my no. is 20417", {"20417"}, set()),
        ("it is 20417", set(), {"20417"}),
        ("call +49 30 5550101", set(), set()),
        ("on 2026-03-09 I paid 1240 EUR", set(), set()),
        ("in 2026", set(), set()),
    ],
)
def test_order_numbers_are_told_from_other_numbers(
    text: str, plain_ones: set[str], vague: set[str]
) -> None:
    book = phrasebook("en")
    assert book is not None
    found = references_in(text, book)
    assert (set(found.plain), set(found.vague)) == (plain_ones, vague)


def test_the_number_of_the_subject_may_be_repeated_to_who_wrote_it() -> None:
    ask = "When will my order be delivered?"
    mail = received(work_order=order(subject="Order 99999"), text=ask, asks=(ask,))
    given = brief(received=mail, context=context(evidence=(INBOUND, DATE)))
    rules = RulesSpecialist()
    draft = assemble(rules.propose(given, None, ()), given, author="rules", revision=0)
    assert "99999" in draft.body_text
    assert rules.review_fact(given, draft).findings == ()
    assert judge(Stage.DRAFT, case_of(given, draft, services())) == ()
