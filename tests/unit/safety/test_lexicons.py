"""The lexicon language, the matcher's reading of words, and its cost on hostile text."""

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm.safety import injection
from swarm.safety.commitments import commitments
from swarm.safety.detectors.detection import LEXICONS
from swarm.safety.facts import facts
from swarm.safety.identifiers import identifiers
from swarm.safety.lexicon import compile_lexicon, load, parse
from swarm.safety.links import link_findings
from swarm.safety.masking import mask
from swarm.safety.matching import Matcher
from swarm.safety.words import fold, words_of


def found(lexicon: str, text: str) -> list[str]:
    matcher = Matcher(compile_lexicon(tuple(parse(lexicon, "test"))))
    return [text[hit.start : hit.end] for hit in matcher.hits(words_of(text))]


def test_words_in_order_with_a_gap() -> None:
    lexicon = "[legal: x]\ntake|taking ~2 court"
    assert found(lexicon, "We take you to court.") == ["take you to court"]
    assert found(lexicon, "We take you and them to court.") == []
    assert found(lexicon, "The court will take.") == []


def test_a_phrase_does_not_cross_the_end_of_a_sentence() -> None:
    assert found("[legal: x]\ntake ~2 court", "Please take. The court") == []


def test_two_parts_in_either_order() -> None:
    lexicon = "[fraud: x]\nrecogni* && payment"
    assert found(lexicon, "This payment I cannot recognise.") == ["recognise"]
    assert found(lexicon, "This payment is fine. I recognise it.") == []


def test_parts_across_sentences_and_the_end_of_one() -> None:
    lexicon = "[fraud: x]\npayment &&& i didnt $"
    assert found(lexicon, "It shows a payment. I didn't!") == ["payment"]
    assert found(lexicon, "It shows a payment. I didn't see it.") == []


def test_an_idiom_strikes_its_words_out() -> None:
    lexicon = "[idiom: x]\nfood court\n[legal: x]\ncourt"
    assert found(lexicon, "In the food court.") == []
    assert found(lexicon, "In court.") == ["court"]


@pytest.mark.parametrize(
    "bad", ["sue", "[legal: x]\nSue", "[legal: x]\nsue ~3", "[x: y]\n{nothing}"]
)
def test_a_bad_line_names_its_place(bad: str) -> None:
    with pytest.raises(ValueError, match=r"bad:\d"):
        list(parse(bad, "bad"))


@pytest.mark.parametrize("name", [*LEXICONS, "injection", "commitments", "promises", "status"])
def test_every_packaged_lexicon_compiles(name: str) -> None:
    assert load(name).phrases


@pytest.mark.parametrize(
    ("raw", "shape"),
    [
        ("Kündigung", "kundigung"),
        ("Straße", "strasse"),
        ("DIDN'T", "didnt"),
        ("fr\u0430ud", "fraud"),
    ],
)
def test_folding_undoes_what_hides_a_word(raw: str, shape: str) -> None:
    assert fold(raw) == shape


def test_french_and_italian_articles_are_no_part_of_a_word() -> None:
    assert [w.text for w in words_of("l'avocat d'identité quelqu'un dell'avvocato")] == [
        "avocat", "identite", "quelquun", "avvocato",
    ]  # fmt: skip


@given(st.text(max_size=400))
def test_words_lie_in_the_text_in_order(text: str) -> None:
    last = 0
    for word in words_of(text):
        assert last <= word.start < word.end <= len(text)
        last = word.end


READERS: dict[str, Callable[[str], object]] = {
    "escalation phrases": lambda t: Matcher(load(*LEXICONS)).hits(words_of(t)),
    "injection": injection.scan,
    "mask": mask,
    "links": lambda t: link_findings(t, ()),
    "facts": facts,
    "identifiers": identifiers,
    "commitments": commitments,
}
HOSTILE = {
    "one letter": "a",
    "spaces": " ",
    "words": "sue you for money and ",
    "digits": "1 ",
    "dashes": "12-",
    "brackets": "[",
    "tags": "<img ",
    "links": "http://a.b/",
    "percent": "%41",
    "base64": "QUJD",
    "invisible": "\u200b",
    "topics": "bgb; ",
    "short promises": "We guarantee it. ",
    "half-phrases": "someone used my card to open an account without my ",
}


@pytest.mark.parametrize("reader", READERS)
def test_hostile_text_costs_time_in_proportion_to_its_size(reader: str) -> None:
    """A tenth of a megabyte of each: quadratic time would show as minutes."""
    for text in HOSTILE.values():
        whole = text * (100_000 // len(text))
        began = time.process_time()
        READERS[reader](whole)
        assert time.process_time() - began < 5
