"""When a sent text is the draft that was offered, and how alike two replies are."""

import pytest

from swarm.shadow.likeness import EDITED, alike, names_a_work_order, own_part, same

SIGNATURE = "Customer Service"
SAID = (
    "Hello Jane,\n\nyour parcel left on Monday and should reach you within two days. You can follow"
    " it with the number on your invoice."
)
QUOTED = "On Mon, 2 Mar 2026 at 10:00, Jane <jane@customer.example> wrote:\n> Where is it?"
HEADED = (
    "From: Jane <jane@customer.example>\nSent: Monday, 2 March 2026 10:00\n"
    "To: service@example.com\nSubject: A parcel\n\nWhere is it?"
)
DRAFT = f"{SAID}\n\nKind regards\nCustomer Service\n\nRef: SW-ABCDEFGH"


@pytest.mark.parametrize(
    "sent",
    [
        DRAFT,
        DRAFT.replace("\n", "\r\n"),
        DRAFT.replace(" ", "\u00a0"),
        DRAFT.replace(". You", ".\n\n   You"),
        f"{SAID}\n\nKind regards\nCustomer Service",
        SAID,
        f"{SAID}\n\nBest regards,\nRobin Miller\nCustomer Service\nTel. +44 20 7946 0000",
        f"{SAID}\n\n-- \nRobin",
        f"{DRAFT}\n\n{QUOTED}",
        f"{DRAFT}\n\n{HEADED}",
        DRAFT.replace("Monday", "Mon\x00day\ud800"),
    ],
)
def test_white_space_signature_reference_and_history_do_not_count(sent: str) -> None:
    assert same(DRAFT, sent, SIGNATURE)
    assert alike(DRAFT, sent, SIGNATURE) == 1.0


@pytest.mark.parametrize(
    "sent",
    [
        DRAFT.replace("Monday", "Tuesday"),
        DRAFT.replace("two days", "two days, not earlier"),
        DRAFT.replace("should", "should not"),
        DRAFT.replace("invoice.", "invoice!"),
        f"{DRAFT}\n\nP.S. We refund the postage.",
    ],
)
def test_an_edit_is_seen_and_is_still_the_draft(sent: str) -> None:
    assert not same(DRAFT, sent, SIGNATURE)
    assert EDITED <= alike(DRAFT, sent, SIGNATURE) <= 1.0


def test_letters_composed_otherwise_are_the_same_letters() -> None:
    assert same("Gr\u00fc\u00dfe aus K\u00f6ln", "Gru\u0308\u00dfe aus Ko\u0308ln")


def test_other_words_are_not_the_draft() -> None:
    other = "Good day, I rang the depot: they bring it on Friday evening. Robin"
    assert alike(DRAFT, other, SIGNATURE) < EDITED


def test_likeness_counts_tokens_as_written_down() -> None:
    assert alike("one two three four", "one two three five") == pytest.approx(2 * 3 / 8)
    assert alike("one two", "two one") == pytest.approx(2 * 1 / 4)
    assert alike("One, TWO.", "one two") == 1.0
    assert alike("one", "two") == 0.0


def test_a_reply_of_nothing_is_like_nothing_else() -> None:
    assert alike("", "one two") == 0.0
    assert same("", "")


def test_a_reference_in_quoted_history_names_no_work_order_of_this_reply() -> None:
    assert names_a_work_order(DRAFT)
    assert names_a_work_order(DRAFT.replace(" ", "\u00a0"))
    assert not names_a_work_order(f"Thanks.\n\n{QUOTED}\n> Ref: SW-ABCDEFGH")
    assert not names_a_work_order("We write Ref: SW-ABCDEFGH below each draft.")


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("", ""),
        ("Hello", "Hello"),
        ("Hello\nKind regards", "Hello"),
        ("It is there.\n\nKind regards\nRobin\n\nP.S. Sorry.", "It is there.\n\nP.S. Sorry."),
        ("Please call our Customer Service", "Please call our Customer Service"),
    ],
)
def test_the_house_s_name_is_taken_off_and_never_put_in(text: str, own: str) -> None:
    assert own_part(text, SIGNATURE) == own


def test_long_and_hostile_texts_are_cut() -> None:
    for text in ("> " * 1_000_000, "a " * 500_000, "\n" * 1_000_000):
        assert len(own_part(text)) <= 100_000
