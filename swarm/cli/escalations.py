"""``swarm escalations``: what waits for a human, and saying that one has taken it."""

import getpass
from typing import Annotated

import typer

from swarm.cli.output import NO, console, installation, leave, print_json, say
from swarm.cli.review_view import print_escalations
from swarm.observe.review.acknowledging import acknowledge
from swarm.observe.review.escalations import escalations
from swarm.observe.review.reading import reading

app = typer.Typer(
    help="Work orders that wait for a human: escalated (ES-22) or declined.", no_args_is_help=True
)

_SHOWN = frozenset(
    {
        "key",
        "state",
        "classes",
        "owner",
        "received_at",
        "acknowledge_by",
        "acknowledged_at",
        "acknowledged_by",
        "overdue",
    }
)
"""What `list --json` says: no mail text, no address."""


@app.command("list")
def list_(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Acknowledged ones as well.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List what nobody has acknowledged, most pressing first."""
    _, database = installation()
    with reading(database) as connection:
        found = escalations(connection, everything=everything, texts=False)
    if as_json:
        print_json([each.model_dump(mode="json", include=set(_SHOWN)) for each in found])
    elif found:
        print_escalations(console(), found, mails=False)
    else:
        say("no open escalations")


@app.command()
def ack(
    key: Annotated[str, typer.Argument(help="Work-order key, its beginning, or original id.")],
    *,
    who: Annotated[str | None, typer.Option("--actor", help="Who took it; default: you.")] = None,
) -> None:
    """Say that a human has taken an escalation. Exit code 1: taken before, or there is none."""
    settings, database = installation()
    secret = settings.core.swarm_key_secret.get_secret_value()
    taken = acknowledge(database, key, who or getpass.getuser(), secret=secret)
    before = f"taken by {taken.by} before" if taken.by else "no open escalation"
    say(f"{taken.key}  {'acknowledged' if taken.now else before}")
    if not taken.now:
        leave(NO)
