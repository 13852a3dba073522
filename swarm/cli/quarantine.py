"""``swarm quarantine``: lines nobody could act on; looking, reading again, discarding."""

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from pydantic import JsonValue

from swarm.cli.output import NO, installation, leave, many, print_json, say
from swarm.errors import MalformedInputError
from swarm.intake.stream import quarantine
from swarm.intake.stream.quarantine import BadLine
from swarm.intake.stream.replay import ReplayReport
from swarm.intake.stream.replay import replay as read_again
from swarm.intake.stream.tick import Keep, store_lines, stream_name
from swarm.legacy.home import IntakeFiles, LegacyFiles
from swarm.settings import Settings
from swarm.shadow.outcomes.legacy_stream import store_outcomes
from swarm.store.database import Database

app = typer.Typer(
    help="Lines of the intake and of today's outbox that could not be read.", no_args_is_help=True
)

Place = Annotated[str, typer.Argument(help="STREAM:GENERATION:BYTE, as the list says.")]


@app.command("list")
def list_(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Discarded ones as well.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the lines in quarantine, in the order of the stream."""
    settings, database = installation()
    found = _lines(settings, database, everything=everything)
    if as_json:
        print_json([_plain(line) for line in found])
        return
    for line in found:
        then = f"  discarded by {line.discarded_by}: {line.discard_reason}"
        say(f"{line.place}  {line.length} bytes  {line.reason}{then if line.discarded_at else ''}")
    if not found:
        say("nothing is in quarantine")


@app.command()
def show(
    place: Place, *, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Show a line: why it could not be read, and its first 4 KiB."""
    _, database = installation()
    with database.transaction() as connection:
        line = quarantine.bad_line(connection, place)
    head = line.head.decode("utf-8", "backslashreplace")
    if as_json:
        print_json({**_plain(line), "head": head})
        return
    say(f"{line.place}  {line.length} bytes  sha256 {line.sha256}")
    say(f"since {line.at:%Y-%m-%d %H:%M} UTC: {line.reason}")
    say("".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in head))


@app.command()
def replay(
    place: Annotated[str | None, typer.Argument(help="One line; without it --all.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every line in quarantine.")] = False,
) -> None:
    """Read lines again, as after a mended reader. Exit code 1 when one of them is still bad.

    Known work orders stay as they are.
    """
    settings, database = installation()
    if (place is None) is not everything:
        raise MalformedInputError("give either one place or --all", hint="swarm quarantine list")
    lines = _lines(settings, database) if place is None else [_line(database, place)]
    reports = [_again(settings, database, line) for line in lines]
    bad = sum(report.quarantined for report in reports)
    new = sum(report.accepted for report in reports)
    came = f"{many(new, 'work order')} came of it, {bad} still bad"
    say(f"{many(len(lines), 'line')} read again: {came}")
    if bad:
        leave(NO)


@app.command()
def discard(
    place: Place,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why it may stay out; it is kept.")],
    who: Annotated[str | None, typer.Option("--actor", help="Who says so; default: you.")] = None,
) -> None:
    """Leave a line out for good. Exit code 1: it was discarded before."""
    _, database = installation()
    with database.transaction() as connection:
        line = quarantine.bad_line(connection, place)
        done = quarantine.discard(
            connection, place, who=who or getpass.getuser(), why=reason.strip() or "not said"
        )
    say(f"{line.place}  {'discarded' if done else 'was discarded before'}")
    if not done:
        leave(NO)


def _lines(
    settings: Settings, database: Database, *, everything: bool = False
) -> Sequence[BadLine]:
    with database.transaction() as connection:
        names = [stream_name(path) for path, _ in _streams(settings)]
        return quarantine.bad_lines(connection, *names, everything=everything)


def _line(database: Database, place: str) -> BadLine:
    with database.transaction() as connection:
        return quarantine.bad_line(connection, place)


def _again(settings: Settings, database: Database, line: BadLine) -> ReplayReport:
    path, keep = next(each for each in _streams(settings) if stream_name(each[0]) == line.stream)
    return read_again(
        database,
        path,
        settings.core.swarm_key_secret.get_secret_value(),
        generation=line.generation,
        from_offset=line.byte_offset,
        until=line.byte_offset + line.length + 1,
        keep=keep,
    )


def _streams(settings: Settings) -> tuple[tuple[Path, Keep], ...]:
    """The streams whose lines can be bad, each with what its lines mean."""
    home = settings.core.swarm_home
    return (
        (IntakeFiles(home).work_orders, store_lines),
        (LegacyFiles(home).outbox, store_outcomes),
    )


def _plain(line: BadLine) -> dict[str, JsonValue]:
    return {"place": line.place, **line.model_dump(mode="json", exclude={"head"})}
