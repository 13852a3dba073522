"""What people see while work orders move."""

import io

import pytest
from rich.console import Console

from swarm.models import WorkOrderState
from swarm.up.progress import Line, Picture
from swarm.up.view import LiveScreen, PlainScreen, caption, table

KEY = "wo_" + "a" * 24
RUNNING = Line(KEY, WorkOrderState.RUNNING, "draft", "running")
PUBLISHED = Line(KEY, WorkOrderState.PUBLISHED, "publish", "draft confirmed in drafts")


def picture(*lines: Line) -> Picture:
    return Picture(lines, {line.state: 1 for line in lines})


def test_a_work_order_in_hand_shows_how_many_stages_are_done() -> None:
    assert RUNNING.stages_done == 6
    assert PUBLISHED.stages_done == 11
    assert Line(KEY, WorkOrderState.ACCEPTED, "", "").stages_done == 0


def test_only_unfinished_work_orders_count_as_unfinished() -> None:
    assert picture(RUNNING).unfinished == 1
    assert picture(PUBLISHED).unfinished == 0


def test_without_a_terminal_each_change_is_one_line() -> None:
    out = io.StringIO()
    screen = PlainScreen(Console(file=out))
    for seen in (RUNNING, RUNNING, PUBLISHED, PUBLISHED):
        screen.show(picture(seen))
    assert [line.split()[1] for line in out.getvalue().splitlines()] == ["running", "published"]


def test_brackets_in_a_reason_are_text_and_not_markup() -> None:
    out = io.StringIO()
    PlainScreen(Console(file=out)).say("[red]x[/red]")
    assert out.getvalue() == "[red]x[/red]\n"


def test_the_table_shows_the_newest_that_fit() -> None:
    lines = [Line(f"wo_{n:024}", WorkOrderState.ACCEPTED, "", "[why]") for n in range(30)]
    out = io.StringIO()
    Console(file=out, width=120).print(table(picture(*lines), room=5))
    shown = out.getvalue()
    assert f"wo_{29:024}" in shown
    assert f"wo_{24:024}" not in shown
    assert "[why]" in shown


def test_the_live_table_ends_with_the_last_picture() -> None:
    out = io.StringIO()
    with LiveScreen(Console(file=out, force_terminal=True, width=120)) as screen:
        screen.say("starting")
        screen.show(picture(PUBLISHED))
    assert "starting" in out.getvalue()
    assert "draft confirmed in drafts" in out.getvalue()


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({}, "no work order yet"),
        ({WorkOrderState.HELD: 2}, "2 in all: 2 held"),
        (
            {WorkOrderState.ESCALATED: 1, WorkOrderState.PUBLISHED: 3},
            "4 in all: 3 published, 1 escalated",
        ),
    ],
)
def test_the_caption_counts_states_in_the_order_of_life(
    counts: dict[WorkOrderState, int], words: str
) -> None:
    assert caption(Picture((), counts)) == words
