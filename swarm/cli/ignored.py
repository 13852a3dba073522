"""``swarm ignored``: the mails that need no answer, why, and bringing one in after all."""

import getpass
from typing import Annotated

import typer

from swarm.cli.output import NO, installation, leave, print_json, say
from swarm.errors import MalformedInputError
from swarm.installation.taking import take as take_in
from swarm.intake.stream.sorted_out import (
    SortedOutMail,
    find_sorted_out,
    mark_seen,
    read_sorted_out,
    sorted_out,
)
from swarm.legacy.home import IntakeFiles
from swarm.settings import Settings
from swarm.sorting.classifier import SortedOut
from swarm.store.database import Database

app = typer.Typer(help="Mails that need no answer, and why.", no_args_is_help=True)

_REASONS = tuple(reason.value for reason in SortedOut)

Who = Annotated[str | None, typer.Option("--actor", help="Who says so; default: you.")]


@app.command("list")
def list_(
    *,
    reason: Annotated[str | None, typer.Option(help="Only this reason.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Those brought in as well.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List what was sorted out, newest first, with reason, sender and subject."""
    if reason is not None and reason not in _REASONS:
        raise MalformedInputError(f"no such reason: {reason}", hint=f"one of {', '.join(_REASONS)}")
    settings, database = installation()
    _read(settings, database)
    with database.transaction() as connection:
        found = sorted_out(connection, reason=reason, everything=everything, limit=limit)
    if as_json:
        print_json([mail.model_dump(mode="json") for mail in found])
        return
    for mail in found:
        say_mail(mail)
    if not found:
        say("nothing was sorted out")


@app.command()
def take(
    key: Annotated[str, typer.Argument(help="Key or original id, as the list says.")],
    *,
    who: Who = None,
) -> None:
    """Bring a mail in as a work order after all. Exit code 1: it was brought in before."""
    settings, database = installation()
    mail = left_out(settings, database, key, everything=True)
    if mail is None:
        raise MalformedInputError("no such mail was sorted out", hint="swarm ignored list")
    taken = take_in(database, settings, mail, who=who or getpass.getuser())
    say(f"{mail.key}  {'brought in' if taken else 'was brought in before'}")
    if not taken:
        leave(NO)


@app.command()
def seen(
    name: Annotated[str, typer.Argument(metavar="KEY_OR_REASON", help="A mail, or all of these.")],
    *,
    who: Who = None,
) -> None:
    """Say that a person looked and leaves it out; settles the alert.

    Exit code 1: there was nothing to look at.
    """
    settings, database = installation()
    mail = left_out(settings, database, name, everything=True)
    with database.transaction() as connection:
        count = mark_seen(connection, mail.key if mail else name, who=who or getpass.getuser())
    say(f"{count} looked at")
    if not count:
        leave(NO)


def left_out(
    settings: Settings, database: Database, name: str, *, everything: bool = False
) -> SortedOutMail | None:
    """Return the mail of this key, its beginning, or id that is sorted out; else None.

    ``everything``: or that was.
    """
    _read(settings, database)
    with database.transaction() as connection:
        mail = find_sorted_out(connection, name, settings.core.swarm_key_secret.get_secret_value())
    return mail if mail and (everything or mail.taken_at is None) else None


def say_mail(mail: SortedOutMail) -> None:
    """Print one mail on one line."""
    when = f"{mail.received_at:%Y-%m-%d %H:%M}" if mail.received_at else "at an unknown time"
    then = f"  brought in by {mail.taken_by}" if mail.taken_at else ""
    say(f"{mail.key}  {when}  {mail.reason}  {mail.sender}  {_one_line(mail.subject)}{then}")


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _read(settings: Settings, database: Database) -> None:
    """Take in what the list has got since the last tick, also where no sensor runs."""
    secret = settings.core.swarm_key_secret.get_secret_value()
    read_sorted_out(database, IntakeFiles(settings.core.swarm_home).ignored, secret)
