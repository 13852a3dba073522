"""The phrases of each language: complete, and safe against what a sender calls himself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm.specialists.phrasebook import languages, phrasebook

ENGLISH = phrasebook("en")
assert ENGLISH is not None


def test_every_language_that_is_judged_is_written() -> None:
    assert languages() == {"en", "de", "fr", "es", "nl", "it", "pt"}


@pytest.mark.parametrize("language", sorted(languages()))
def test_each_language_says_everything_english_says(language: str) -> None:
    book = phrasebook(language)
    assert book is not None
    assert book.phrases.keys() == ENGLISH.phrases.keys()
    assert book.topics.keys() == ENGLISH.topics.keys()
    assert book.patterns.keys() == ENGLISH.patterns.keys()
    assert book.vocabulary.keys() == ENGLISH.vocabulary.keys()


def test_a_language_without_phrases_is_none() -> None:
    assert phrasebook("pl") is None
    assert phrasebook("../en") is None


@pytest.mark.parametrize(
    "name",
    [
        "Anna Smith", "Jean-Luc Dupont", "José", "J. R. Miller", "Dr. Ada Kern", "Jan de Vries",
        "Chloé Martin", "João da Silva", "Emil Larsen", "Giulia Rossi",
        "Jørn Hansen", "Seán O'Connor",
    ],
)  # fmt: skip
def test_a_plain_name_is_greeted(name: str) -> None:
    assert name in ENGLISH.greet(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "anna@x.example",
        "Visit http://evil.example",
        "Call 555 1234",
        "a" * 80,
        "<b>x</b>",
        "A|B",
        "Stupid Idiot",
        "Blöder Sack",
        "Sale Con",
        "Hijo De Puta",
        "Dick Head",
        "Karen Complainer",
        "Very Angry Customer",
        "Dear Customer",
        "Website",
        "Web Shop",
        "info",
        "Müller GmbH",
        "ACME",
        "ANNA KELLER",
        "anna keller",
        "Kundin",
        "No Reply",
        "Service Team",
        "Kern, Ada",
        "Ada Kern (Sales)",
        "Anna Smith is a fool",
        "李 明",
    ],
)
def test_a_name_that_is_no_name_is_left_out(name: str) -> None:
    assert ENGLISH.greet(name) == "Hello,"


def test_a_rare_family_name_is_known_by_the_address_that_spells_it() -> None:
    assert ENGLISH.greet("Anna Quuxberg") == "Hello,"
    assert ENGLISH.greet("Anna Quuxberg", "anna.quuxberg@example.org") == "Hello Anna Quuxberg,"
    assert ENGLISH.greet("Stupid Idiot", "stupid.idiot@example.org") == "Hello,"


@given(st.text(max_size=80))
def test_no_name_smuggles_marks_or_digits_into_the_greeting(name: str) -> None:
    greeted = ENGLISH.greet(name)
    assert not set(greeted) & set('<>@/:&"0123456789{}[]')
    assert "\n" not in greeted
