"""``swarm rehearse``: the whole journey on the sandbox, before anybody dares it."""

import random
import shutil
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from swarm.cli.output import FAILED, YES, complain, console, leave, print_json, say
from swarm.models import Noun
from swarm.rehearsal.installation import NotShownError, running
from swarm.rehearsal.journey import SETTINGS, STEPS, Rehearsal, Shown, rehearse
from swarm.rehearsal.ui import DagsterUi
from swarm.up.programs import any_free_port

_FEWEST = 1000


class Rehearsed(Noun):
    """What was shown; ``figures`` are the same for the same seed."""

    seed: int
    shown: tuple[Shown, ...]
    figures: dict[str, int]
    failed: str = ""
    seconds: float


def rehearse_command(
    *,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same numbers.")] = None,
    orders: Annotated[
        int, typer.Option(min=_FEWEST, help="Work orders of the invented history.")
    ] = 1500,
    home: Annotated[
        Path | None, typer.Option("--home", help="A new folder to rehearse in; default: temporary.")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the home for you to look at.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Shadow, history, backfill, gates, certificate, cutover, a fault, and the way back: all on
    doubles, in minutes.

    Exit codes: 0 every step was shown, 2 one was not.
    """
    chosen = seed if seed is not None else random.SystemRandom().randrange(1, 1_000_000)
    root = (home or Path(tempfile.mkdtemp(prefix="swarm-rehearsal-"))).absolute()
    if not as_json:
        say(f"seed {chosen}; home {root}")
    told = _told(root, chosen, orders, quiet=as_json)
    if as_json:
        print_json(told)
    else:
        _print(told)
    if not keep and home is None and not told.failed:
        shutil.rmtree(root, ignore_errors=True)
    leave(FAILED if told.failed else YES)


def _told(root: Path, seed: int, orders: int, *, quiet: bool) -> Rehearsed:
    began, shown, failed = time.monotonic(), list[Shown](), ""
    figures: dict[str, int] = {}
    try:
        with (
            running(root / "home", any_free_port(), SETTINGS) as installation,
            closing(DagsterUi(installation.port)) as ui,
        ):
            journey = Rehearsal(installation, ui, root, seed, orders, datetime.now(UTC))
            figures = journey.figures
            for each in rehearse(journey):
                shown.append(each)
                if not quiet:
                    count = f"{len(shown)}/{len(STEPS)}"
                    say(f"{count}  {each.step}: {each.what}  ({each.seconds:.0f} s)")
    except NotShownError as error:
        failed = str(error)
    return Rehearsed(
        seed=seed,
        shown=tuple(shown),
        figures=figures,
        failed=failed,
        seconds=time.monotonic() - began,
    )


def _print(told: Rehearsed) -> None:
    table = Table("step", "shown", "seconds", title=f"rehearsal, seed {told.seed}")
    for each in told.shown:
        table.add_row(each.step, Text(each.what), f"{each.seconds:.0f}")
    console().print(table)
    for name, number in told.figures.items():
        say(f"{number:>6}  {name}")
    if told.failed:
        complain(f"not shown: {told.failed}")
    else:
        say(f"all {len(told.shown)} steps were shown in {told.seconds:.0f} s")
