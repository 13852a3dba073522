"""A question finds the answer to it, in its language, and an off-topic one finds nothing."""

from datetime import UTC, datetime

import pytest
from replying import sample_shelf

from swarm.knowledge import LANGUAGES
from swarm.knowledge.terms import negated, terms

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def found(question: str, language: str = "en", at: datetime = NOW) -> list[str]:
    return [match.snippet.id for match in sample_shelf().read().find(question, language, at)]


@pytest.mark.parametrize(
    ("language", "question", "answer"),
    [
        ("en", "What are your opening hours on Saturday?", "opening-hours"),
        ("en", "Could you send me a copy of my invoice 4711, please?", "invoice-copies"),
        ("en", "How can I return an item?", "return-procedure"),
        ("de", "Wie sind Ihre Öffnungszeiten?", "opening-hours"),
        ("de", "Welche Zahlungsarten akzeptieren Sie?", "payment-methods"),
        ("fr", "Où puis-je télécharger ma facture ?", "invoice-copies"),
    ],
)
def test_a_question_finds_its_answer(language: str, question: str, answer: str) -> None:
    assert found(question, language)[0] == answer


@pytest.mark.parametrize(
    "question",
    [
        "Do you like jazz?",
        "What is the status of my complaint?",
        "How long does it take for a transfer?",
        "Is the desk made of oak?",
        "My return was lost, what happens now?",
        "",
        "?!",
        "12345 67890",
        "a " * 5000,
    ],
)
def test_a_question_about_something_else_finds_nothing(question: str) -> None:
    assert found(question) == []


def test_an_answer_is_given_only_in_a_language_it_is_written_in() -> None:
    assert found("How do I register my product for the warranty?")
    assert found("How do I register my product for the warranty?", "de") == []
    assert found("Was sind Ihre Öffnungszeiten?", "es") == []
    assert found("What are your opening hours?", "xx") == []


def test_an_expired_answer_is_never_found() -> None:
    assert found("What are your opening hours?", at=datetime(2031, 1, 1, tzinfo=UTC)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_its_words(language: str) -> None:
    assert terms("Bestellung order commande pedido ordine encomenda 10482", language)
    assert "10482" not in terms("order 10482", language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "it has not arrived"),
        ("de", "nicht geliefert"),
        ("fr", "pas livrée"),
        ("es", "no ha llegado"),
        ("it", "non arrivato"),
        ("nl", "niet geleverd"),
        ("pt", "não chegou"),
    ],
)
def test_a_negation_is_heard(language: str, text: str) -> None:
    assert negated(text, language)
    assert not negated(text.rsplit(maxsplit=1)[-1], language)
