"""``swarm history``: legacy's own files of before, as inputs of a comparison and nothing else."""

import getpass
from pathlib import Path
from typing import Annotated

import typer

from swarm.cli.output import NO, installation, leave, many, print_json, say
from swarm.errors import MalformedInputError
from swarm.shadow.history.importing import FileReport, Files, Importer
from swarm.shadow.history.mapping import mapping_of

app = typer.Typer(help="Work orders of before, for the comparison.", no_args_is_help=True)

_MOST_SHOWN = 20  # misfits of one file; --json has up to 1,000
_File = typer.Argument(exists=True, dir_okay=False, help="JSONL, one a line.")


@app.callback()
def _alone() -> None:
    """Keep ``import`` a command of its own."""


@app.command("import")
def import_(
    orders: Annotated[Path, _File],
    outbox: Annotated[Path, _File],
    *,
    sent: Annotated[Path | None, typer.Option(help="What was sent, by work order.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Classes (or none), by work order.")] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="TOML: where the fields stand; left out: our own names.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what fits and what does not; write nothing.")
    ] = False,
    actor: Annotated[str | None, typer.Option(help="Who imports; default: you.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Take in legacy's work orders and outbox. Exit code 1: a line did not fit.

    Nothing of it becomes a job, a draft, an alert or an escalation. What is known stays as it is,
    so the same files may be given again; what was erased is refused.
    """
    settings, database = installation()
    importer = Importer(
        database=database,
        secret=settings.core.swarm_key_secret.get_secret_value(),
        mapping=mapping_of(mapping),
        actor=_named(actor),
        signature=settings.core.reply_signature,
    )
    report = importer.take_in(Files(orders, outbox, sent, labels), dry_run=dry_run)
    if as_json:
        print_json(report)
    else:
        for kind, found in report.files.items():
            _tell(kind, found, dry_run=dry_run)
    if any(found.counts.get("misfit") for found in report.files.values()):
        leave(NO)


def _named(actor: str | None) -> str:
    name = (actor or getpass.getuser()).strip()
    if not name:
        raise MalformedInputError("an import needs an actor")
    return name


def _tell(kind: str, found: FileReport, *, dry_run: bool) -> None:
    counts = dict(found.counts)
    new = counts.pop("new", 0)
    others = "".join(f", {number} {what}" for what, number in counts.items())
    say(f"{kind}: {many(found.lines, 'line')}, {new} {'would be ' if dry_run else ''}new{others}")
    for each in found.misfits[:_MOST_SHOWN]:
        say(f"  line {each.line}: {each.reason}")
    more = len(found.misfits[_MOST_SHOWN:]) + found.more_misfits
    if more > 0:
        say(f"  and {more} more")
