"""``swarm erase``: a person's mail goes for good. What it reaches: ``swarm.lifecycle.erasure``."""

import os
from typing import Annotated

import typer

from swarm.cli.output import NO, keeping, leave, print_json, say
from swarm.installation.environment import SANDBOX_URL
from swarm.lifecycle.erasure import Eraser, Erasure
from swarm.sandbox.remote import SandboxControl


def erase(
    name: Annotated[str, typer.Argument(metavar="KEY|ID|ADDRESS", help="What is to be erased.")],
    *,
    actor: Annotated[str, typer.Option("--actor", help="Who decided; kept on record.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept, so without names.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would reach.")] = False,
    compact: Annotated[
        bool, typer.Option("--compact", help="Rewrite the tables afterwards (locks each).")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Erase a work order, or everything from an address, and refuse it for ever.

    Refused while a run or a publication is under way. Cut short, the same command ends it. Exit
    code 1: the search afterwards still found something, and says where. A mail of somebody else
    that names it stays, and is told.
    """
    settings, database = keeping()
    url = os.environ.get(SANDBOX_URL)
    eraser = Eraser(
        database,
        settings.core.swarm_home.absolute(),
        settings.core.swarm_key_secret.get_secret_value(),
        forget=SandboxControl(url).forget if url else None,
    )
    done = eraser.erase(name, actor=actor, reason=reason, dry_run=dry_run, compact=compact)
    if as_json:
        print_json(done)
    else:
        _print(done)
    if done.left:
        leave(NO)


def _print(done: Erasure) -> None:
    total = sum(done.places.values())
    did = "would erase" if done.dry_run else f"erasure {done.number}: erased"
    say(f"{did} {len(done.work_orders)} work orders, {total} rows and lines")
    for place, count in done.places.items():
        say(f"{count:>8}  {place}")
    for place, count in done.left.items():
        say(f"STILL FOUND {count} times in {place}")
    for key in done.mentioned_in:
        say(f"mentioned in {key}, stays: decide about it by itself")
    say("only a person can reach:")
    for each in done.elsewhere:
        words = f": search for {', '.join(each.search_for)}" if each.search_for else ""
        say(f"  {each.place}{words}")
