"""``swarm run-once``: one mail through the whole chain in this process, without any service."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from swarm.cli.once import Once, drive
from swarm.cli.output import FAILED, NO, YES, console, leave, print_json


def run_once(
    file: Annotated[Path, typer.Argument(help="One mail as .eml.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run one mail through all stages on an in-memory store and show what would become of it.

    Exit codes: 0 publishable, 1 escalated to a human or declined, 2 failed. Nothing is stored or
    sent, and no service is asked; the output says what is assumed about Outlook and monday.
    """
    outcome = drive(file)
    if as_json:
        print_json(outcome)
    else:
        _print(outcome)
    leave(YES if outcome.publishable else NO if outcome.escalated or outcome.declined else FAILED)


def _print(outcome: Once) -> None:
    terminal, result = console(), outcome.result
    verdict = "publishable" if outcome.publishable else outcome.state.value
    terminal.print(Text(f"{outcome.key}  {verdict}", "bold"))
    for reason in result.policy.reasons:
        terminal.print(Text(f"  {reason.rule}: {reason.detail}"))
    for gap in result.context.gaps:
        terminal.print(Text(f"  gap: {gap}"))
    for assumption in outcome.assumed:
        terminal.print(Text(f"  assumed: {assumption}"))
    if result.draft.offered:
        terminal.rule(f"draft by {result.draft.author}")
        for head, people in (("To", result.draft.to), ("Cc", result.draft.cc)):
            if people:
                terminal.print(Text(f"{head}: {', '.join(each.address for each in people)}"))
        terminal.print(Text(result.draft.body_text))
    else:
        terminal.print(Text(f"  no draft: {result.draft.withheld}"))
