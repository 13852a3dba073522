"""What we ship is safe and live in every reachable state, and the short cuts are caught."""

import pytest
from protocol_model import State, Variant, faults, search, successors


@pytest.mark.parametrize(
    "variant",
    [
        pytest.param(Variant(), id="shipped: held instead of sent again"),
        pytest.param(
            Variant(resend="mailbox empty", guard=True),
            id="E: sent again behind a guard in the Zap",
        ),
        pytest.param(
            Variant(resend="settled", zapier_may_be_slower_than_settling=False),
            id="C: sent again after a settling time no Zap outlasts",
        ),
        pytest.param(
            Variant(reaper="age to ready", resend="mailbox empty", guard=True),
            id="D: even resending on age is safe behind the guard",
        ),
    ],
)
def test_no_reachable_state_has_two_drafts_and_none_is_stranded(variant: Variant) -> None:
    found = search(variant)
    assert found.states > 300
    assert (found.duplicates, found.stranded) == (0, 0)


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(Variant(reaper="age to ready"), id="A: resend when the lease expires"),
        pytest.param(
            Variant(
                reaper="age to unknown",
                resend="settled",
                zapier_may_be_slower_than_settling=False,
            ),
            id="B: resend when the mailbox is empty, the owner not proven dead",
        ),
        pytest.param(Variant(resend="mailbox empty"), id="C': resend while Zapier may be slower"),
    ],
)
def test_a_short_cut_that_can_draft_twice_is_caught(mutant: Variant) -> None:
    assert search(mutant).duplicates > 0


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(Variant(hand_over=False), id="F: ready rows are not handed over at the flip"),
        pytest.param(Variant(reaper="none"), id="G: no reaper"),
    ],
)
def test_a_short_cut_that_loses_a_reply_is_caught(mutant: Variant) -> None:
    found = search(mutant)
    assert found.duplicates == 0
    assert found.stranded > 0


def test_two_uncertain_posts_are_the_most_there_ever_are_even_with_the_guard() -> None:
    variant = Variant(resend="mailbox empty", guard=True)
    seen, frontier = {State()}, [State()]
    while frontier:
        state = frontier.pop()
        for move in (*successors(state, variant), *faults(state, variant)):
            assert move.uncertain <= 2
            if move not in seen:
                seen.add(move)
                frontier.append(move)
