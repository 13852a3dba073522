"""The one definition of how alike two texts are."""

import pytest

from swarm.shadow.likeness import act_of, alike, same
from swarm.shadow.models import Act

OFFERED = (
    "Hello Anna,\n\nwe open at nine on Saturday.\n\nKind regards\nCustomer Service\n"
    "Ref: SW-ABCDEFGH\n"
)


def test_spacing_reference_line_and_signature_do_not_count() -> None:
    sent = "Hello  Anna,\r\n\r\n\r\nwe open at nine\u00a0on Saturday.\nKind regards"
    assert act_of(OFFERED, sent, "Customer Service") == (Act.SENT_UNCHANGED, 1.0)


def test_a_changed_word_is_a_light_edit() -> None:
    act, likeness = act_of(OFFERED, OFFERED.replace("nine", "ten"))
    assert act is Act.SENT_EDITED
    assert 0.8 <= likeness < 1


def test_another_letter_is_a_rewriting() -> None:
    act, likeness = act_of(OFFERED, "We never open on weekends, I am sorry to say. Yours, Bob")
    assert act is Act.REWRITTEN
    assert likeness < 0.5


def test_a_changed_capital_is_an_edit_and_no_difference_of_words() -> None:
    assert act_of("hello", "Hello") == (Act.SENT_EDITED, 1.0)


def test_nothing_is_like_nothing_and_unlike_something() -> None:
    assert alike("", "") == 1.0
    assert alike("", "word") == 0.0


def test_it_does_not_matter_which_comes_first() -> None:
    assert alike("a b c d", "b c x") == alike("b c x", "a b c d")


def test_the_measure_is_twice_the_common_tokens_over_all_tokens() -> None:
    assert alike("one two three", "one two four") == pytest.approx(2 * 2 / 6)


def test_invisible_characters_make_no_other_text() -> None:
    assert same("he\u200bllo", "hello")


def test_a_text_without_end_is_compared_up_to_a_bound() -> None:
    assert alike("word " * 100_000, "word " * 5_000) == 1.0
