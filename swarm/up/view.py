"""The picture of ``swarm up``: a live table, or plain lines where there is no terminal.

What is shown comes from ``progress``; nothing is asked or decided here.
"""

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from swarm.models import Stage, WorkOrderState
from swarm.up.progress import Line, Picture

_COLOURS = {
    WorkOrderState.PUBLISHED: "green",
    WorkOrderState.ESCALATED: "yellow",
    WorkOrderState.DECLINED: "blue",
    WorkOrderState.HELD: "magenta",
    WorkOrderState.DEAD: "red",
}
_STAGES = len(Stage)


class Screen(Protocol):
    """Where ``swarm up`` reports to."""

    def say(self, sentence: str) -> None:
        """Show a sentence that stays."""
        ...

    def show(self, picture: Picture) -> None:
        """Show where every work order is now."""
        ...


class PlainScreen:
    """One line per change: for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seen: dict[str, Line] = {}

    def say(self, sentence: str) -> None:
        """Print the sentence."""
        self._console.print(sentence, markup=False, highlight=False, soft_wrap=True)

    def show(self, picture: Picture) -> None:
        """Print the work orders whose state changed since the last picture."""
        for line in picture.lines:
            before = self._seen.get(line.key)
            if before is None or before.state is not line.state:
                self.say(f"{line.key}  {line.state.value:<10}  {line.why}")
            self._seen[line.key] = line


class LiveScreen:
    """A table that redraws itself, below the sentences said so far."""

    def __init__(self, console: Console) -> None:
        # No refresh thread: children are tied to the thread that starts them (die_with_parent).
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def say(self, sentence: str) -> None:
        """Print the sentence above the table."""
        self._live.console.print(sentence, markup=False, highlight=False)

    def show(self, picture: Picture) -> None:
        """Redraw the table, cut to the height of the terminal."""
        room = max(5, self._live.console.size.height - 8)
        self._live.update(table(picture, room), refresh=True)


def table(picture: Picture, room: int = 200) -> Table:
    """Draw the newest ``room`` work orders with a caption of the counts."""
    drawn = Table(title="Work orders", caption=caption(picture), expand=True)
    drawn.add_column("work order", no_wrap=True)
    drawn.add_column("stages", no_wrap=True)
    drawn.add_column("state", no_wrap=True)
    drawn.add_column("why", ratio=1, overflow="ellipsis", no_wrap=True)
    for line in picture.lines[-room:]:
        colour = _COLOURS.get(line.state, "cyan")
        done = line.stages_done
        name = "" if line.state.final else line.stage
        bar = f"{'━' * done}{'·' * (_STAGES - done)} {name}"
        drawn.add_row(line.key, bar, Text(line.state.value, style=colour), Text(line.why))
    return drawn


def caption(picture: Picture) -> str:
    """Say how many work orders are in each state."""
    if not picture.total:
        return "no work order yet"
    parts = [f"{n} {s.value}" for s in WorkOrderState if (n := picture.counts.get(s, 0))]
    return f"{picture.total} in all: {', '.join(parts)}"
