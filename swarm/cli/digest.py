"""``swarm digest``: the morning summary, printed or handed to the alert sinks."""

import sys
from typing import Annotated

import typer

from swarm.cli.output import NO, installation, leave, print_json, say
from swarm.observe.digest import read_digest, send, text_of


def digest(
    *,
    only_print: Annotated[
        bool, typer.Option("--print", help="Print it; send nothing to anybody.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; send nothing.")] = False,
) -> None:
    """Send the morning summary through the alert sinks, once a day. No mail text, no address.

    Exit code 1: this morning's was sent before.
    """
    settings, database = installation()
    made = read_digest(database, settings.core.house_time_zone)
    if as_json:
        print_json(made)
        return
    if only_print:
        sys.stdout.write(text_of(made) + "\n")
        return
    sent = send(database, made)
    say(f"{made.day}  {'handed to the alert sinks' if sent else 'was handed over before'}")
    if not sent:
        leave(NO)
