"""What a person types into a search, and what is looked for."""

from datetime import UTC, datetime

import pytest

from swarm.models import Address, MessageRef, WorkOrder
from swarm.observe.review.asked import TermKind, terms_of
from swarm.observe.review.words import age_in_words, reason_in_words, source_in_words
from swarm.store.mail_search import _found_by, numbers_of, words_of_search


@pytest.mark.parametrize(
    ("typed", "kinds"),
    [
        ("keller", [(TermKind.WORD, "keller")]),
        ("Müller, KELLER!", [(TermKind.WORD, "muller"), (TermKind.WORD, "keller")]),
        ("anna@example.org", [(TermKind.ADDRESS, "anna@example.org")]),
        ("<abc@mail.example.org>", [(TermKind.ADDRESS, "abc@mail.example.org")]),
        ("10482", [(TermKind.NUMBER, "10482")]),
        ("#AB-10482.", [(TermKind.NUMBER, "ab10482")]),
        ("wo_abc", [(TermKind.KEY, "wo_abc")]),
        ("SW-WVA5OMHP", [(TermKind.KEY, "wo_wva5omhp")]),
        ("2026-11-27", [(TermKind.RECEIVED, "2026-11-27")]),
        ("2026-13-27", [(TermKind.NUMBER, "20261327")]),
        ("AAkALgp3BG127xYturBY5CUlBnSs", [(TermKind.ID, "AAkALgp3BG127xYturBY5CUlBnSs")]),
        ("' OR 1=1 --", [(TermKind.WORD, "or"), (TermKind.WORD, "1")]),
        ("   ", []),
        ("!!! --- '''", []),
    ],
)
def test_a_word_is_taken_for(typed: str, kinds: list[tuple[TermKind, str]]) -> None:
    assert [(term.kind, term.text) for term in terms_of(typed, "UTC")] == kinds


def test_days_are_those_of_the_house() -> None:
    (term,) = terms_of("2026-11-01..2026-11-02", "Europe/Berlin")
    assert term.since == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert term.until == datetime(2026, 11, 2, 23, tzinfo=UTC)
    (month,) = terms_of("2026-12", "UTC")
    assert (month.since, month.until) == (
        datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    )  # fmt: skip


def test_what_is_typed_has_an_end() -> None:
    assert len(terms_of("word " * 10_000, "UTC")) == 8
    assert terms_of("9999-12-31", "UTC")[0].kind is not TermKind.RECEIVED


def test_words_and_numbers_are_folded_alike_on_both_sides() -> None:
    assert words_of_search("MÜLLER-Straße") == words_of_search("müller straße")
    assert numbers_of("order AB-10482, invoice 2026/77") == ("ab10482", "10482", "202677", "2026")
    assert numbers_of("x" * 100_000) == ()


def test_ages_reasons_and_sources_are_said_as_people_do() -> None:
    assert [age_in_words(s) for s in (-1, 59, 61, 3700, 90_000, 200_000)] == [
        "0 s", "59 s", "1 min", "1 h 1 min", "25 h", "2 days"
    ]  # fmt: skip
    assert reason_in_words("safety: somebody was hurt") == "Injury or danger: somebody was hurt"
    assert reason_in_words("learned: a sentence that means human_requested") == (
        "One sentence means human requested"
    )
    assert source_in_words("monday:deal:delivery_date") == "the CRM's delivery date"


def test_an_order_without_text_is_found_by_its_html() -> None:
    order = WorkOrder(
        key="wo_" + "a" * 24,
        original_id="x",
        ref=MessageRef(mailbox="m@example.org"),
        sender=Address(address="A@Example.org"),
        subject="Hi",
        body_html='<div style="width:600px">order <b>10482</b></div>',
        received_at=datetime(2026, 11, 1, tzinfo=UTC),
        source="test",
    )
    assert _found_by(order)["numbers"] == ("10482",)
    assert _found_by(order)["addresses"] == ["a@example.org"]
