"""The table of legal moves of a ledger row: complete, no way back, and what the SQL obeys."""

import re
from pathlib import Path

import pytest

from swarm.publishing.ledger import transitions
from swarm.publishing.ledger.states import LedgerState
from swarm.publishing.ledger.transitions import MOVES

FINAL = {LedgerState.CONFIRMED, LedgerState.HELD, LedgerState.DEAD}
SENT = {LedgerState.ACCEPTED, LedgerState.UNKNOWN}


def reachable(start: LedgerState) -> set[LedgerState]:
    seen, todo = set[LedgerState](), [start]
    while todo:
        here = todo.pop()
        if here not in seen:
            seen.add(here)
            todo += [
                after for move in MOVES.values() if here in move.before for after in move.after
            ]
    return seen


@pytest.mark.parametrize("state", sorted(set(LedgerState) - FINAL))
def test_every_state_that_is_not_final_leads_to_a_final_one(state: LedgerState) -> None:
    assert reachable(state) & FINAL


@pytest.mark.parametrize("state", sorted(SENT))
def test_what_may_have_arrived_is_never_ready_again(state: LedgerState) -> None:
    assert not reachable(state) & {LedgerState.READY, LedgerState.SENDING}


def test_only_a_draft_that_turns_up_moves_a_held_row_and_nothing_moves_the_other_ends() -> None:
    assert reachable(LedgerState.HELD) == {LedgerState.HELD, LedgerState.CONFIRMED}
    assert reachable(LedgerState.CONFIRMED) == {LedgerState.CONFIRMED}
    assert reachable(LedgerState.DEAD) == {LedgerState.DEAD}


def test_the_table_at_the_head_of_the_module_is_the_one_in_force() -> None:
    text = transitions.__doc__ or ""
    table = text[text.index("    from ") : text.index("Never:")]
    assert set(re.findall(r"\b(\w+_\w+)\b", table)) - {"PENDING_PAYLOAD"} == set(MOVES)


def test_no_statement_names_a_state_to_start_from_beside_the_table() -> None:
    """But ``postpone`` and ``schedule_looks``, which move none."""
    source = Path(transitions.__file__).read_text("utf-8")
    named = re.findall(r"state = '(\w+)'\n\"\"\"", source)
    assert named == ["READY"]  # postpone
    assert len(re.findall(r"state = ANY\(%\(before\)s\)", source)) == len(MOVES)


def test_a_caller_that_saw_a_row_where_the_move_may_not_start_is_told_so() -> None:
    with pytest.raises(ValueError, match="record_held may not start from CONFIRMED"):
        transitions._before("record_held", [LedgerState.CONFIRMED])
