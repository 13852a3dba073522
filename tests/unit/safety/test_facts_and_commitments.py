"""Figures, dates and statuses are read as what they mean; binding phrases are recognised."""

import pytest

from swarm.safety.commitments import commitments
from swarm.safety.facts import facts, supported


def kinds(text: str) -> list[str]:
    return [fact.kind for fact in facts(text)]


@pytest.mark.parametrize(
    ("said", "quote"),
    [
        ("It costs €1,234.50", "total 1.234,50 EUR"),
        ("It costs 20 euros", "20,00 €"),
        ("on 12 March 2026", "2026-03-12"),
        ("Please confirm 12 March 2026", "2026-03-12"),
        ("es kommt vom 12. März 2026 an", "2026-03-12"),
        ("a partir de 12 de março de 2026", "2026-03-12"),
        ("am 12. März 2026", "12.03.2026"),
        ("le 12 mars 2026", "03/12/2026"),
        ("a 15% share", "15 Prozent"),
        ("it has been shipped", "Status: versandt"),
        ("it has not been paid", "not paid"),
        ("we count 42 boxes", "42 pcs"),
        ("ask Mr. Hollander", "Contact: J. Hollander"),
    ],
)
def test_a_fact_is_supported_by_the_same_value_in_another_notation(said: str, quote: str) -> None:
    (fact,) = facts(said)
    assert supported(fact, quote)


@pytest.mark.parametrize(
    ("said", "quote"),
    [
        ("It costs €1,234.50", "total 1.234,05 EUR"),
        ("It costs 20 euros", "20 boxes"),
        ("on 12 March 2026", "2026-03-13"),
        ("on 12 March 2026", "12 March 2025"),
        ("a 15% share", "15 EUR"),
        ("it has been shipped", "Status: cancelled"),
        ("it has been paid", "not paid"),
        ("we count 42 boxes", "43 boxes"),
        ("ask Mr. Hollander", "Contact: J. Smith"),
    ],
)
def test_a_fact_is_not_supported_by_another_value(said: str, quote: str) -> None:
    (fact,) = facts(said)
    assert not supported(fact, quote)


def test_questions_and_conditions_state_no_status() -> None:
    assert facts("We will look whether it has been shipped, and write once it is delivered.") == ()


def test_list_numbers_are_no_facts() -> None:
    assert facts("1. First\n2. Second") == ()


@pytest.mark.parametrize(
    "text",
    [
        "We will refund the full amount.",
        "You will receive a voucher.",
        "This is free of charge.",
        "You will have it within three days.",
        "It will arrive by Friday.",
        "We accept full responsibility.",
        "This was our mistake.",
        "You are entitled to a replacement.",
        "We guarantee it.",
        "We will send you a new unit.",
        "We confirm the cancellation of your contract.",
        "Wir erstatten Ihnen den Betrag.",
        "Sie erhalten innerhalb von drei Tagen Antwort.",
        "Das war unser Fehler.",
        "Nous vous rembourserons.",
        "Vous avez droit à un échange.",
        "Le reembolsaremos el importe.",
        "Vi rimborseremo l'importo.",
        "Wij vergoeden de schade.",
        "Reembolsaremos o valor.",
    ],
)
def test_a_binding_phrase_is_found(text: str) -> None:
    assert commitments(text)


@pytest.mark.parametrize(
    "text",
    [
        "Thank you for your message. We have received it.",
        "We have received your request about the invoice.",
        "Could you please tell us your order number, so that we can look this up?",
        "The delivery date on record for your order is: 12 March 2026.",
        "A colleague will look into it.",
        "Vielen Dank für Ihre Nachricht. Wir haben sie erhalten.",
        "Merci pour votre message. Nous l'avons bien reçu.",
        "Gracias por su mensaje. Lo hemos recibido.",
        "Grazie per il messaggio. Lo abbiamo ricevuto.",
        "Bedankt voor uw bericht. Wij hebben het ontvangen.",
    ],
)
def test_an_acknowledgement_binds_nobody(text: str) -> None:
    assert commitments(text) == ()
    assert [fact for fact in facts(text) if fact.kind != "date"] == []


@pytest.mark.parametrize(
    "said",
    [
        "The refund of your order was approved.",
        "The status of your order is: Shipped.",
        "Ihr Paket gilt als zugestellt.",
        "Su pedido se ha enviado.",
        "El reembolso se ha aprobado.",
        "O pedido encontra-se expedido.",
        "L'ordine si trova spedito.",
    ],
)
def test_a_word_that_doubts_in_another_language_leaves_nothing_open(said: str) -> None:
    """The word "of" doubts in Dutch: a status behind an English one once stated nothing."""
    assert [fact.kind for fact in facts(said)] == ["status"]


@pytest.mark.parametrize(
    "said",
    [
        "We do not know whether it was shipped.",
        "Wij kijken of uw bestelling is verzonden.",
        "Als het pakket geleverd is, horen wij het graag.",
        "Se l'ordine è stato spedito, ci scriva.",
        "Si su pedido se ha enviado, díganoslo.",
        "Si votre commande est expédiée, dites-le nous.",
        "Se o pedido foi enviado, diga-nos.",
    ],
)
def test_what_is_left_open_states_no_status(said: str) -> None:
    assert facts(said) == ()
