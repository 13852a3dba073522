"""The table of recent work orders as a narrow terminal shows it."""

from datetime import UTC, datetime
from io import StringIO

from rich.console import Console

from swarm.cli.status_view import _recent
from swarm.models import Tier, WorkOrderState
from swarm.observe.status import RecentWorkOrder, Status

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def row(state: WorkOrderState, letter: str) -> RecentWorkOrder:
    return RecentWorkOrder(
        key=f"wo_{letter * 24}",
        state=state,
        stage="received",
        tier=Tier.ROUTINE,
        reason="no approved answer to 1 question (another topic)",
        accepted_at=NOW,
        age_seconds=319,
    )


def test_no_state_and_no_key_is_cut_in_a_terminal_of_eighty_columns() -> None:
    rows = tuple(row(state, "abcdefgh"[n]) for n, state in enumerate(WorkOrderState))
    written = StringIO()
    Console(file=written, width=80).print(_recent(Status.model_construct(recent=rows)))
    for each in rows:
        line = next(line for line in written.getvalue().splitlines() if each.key in line)
        assert each.state.value in line.split()


def test_a_reason_is_read_in_whole_lines_and_not_letter_by_letter() -> None:
    """Beside the key it once had a column of nine letters, and took as many lines."""
    written = StringIO()
    rows = (row(WorkOrderState.DECLINED, "a"),)
    Console(file=written, width=80).print(_recent(Status.model_construct(recent=rows)))
    lines = written.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.strip() for line in lines][2:] == [rows[0].reason]
