"""``swarm publisher``: who may publish, and changing it. The rules are in ``swarm.publishing``."""

import getpass
from typing import Annotated

import typer

from swarm.cli.output import installation, print_json, say
from swarm.cutover import certificate
from swarm.publishing.control import PublisherName
from swarm.publishing.switch import commands
from swarm.publishing.switch.commands import Flip
from swarm.store.home_world import require_home
from swarm.store.world import Service

app = typer.Typer(help="Who may publish: legacy, swarm or nobody.", no_args_is_help=True)

Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the history.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change, change nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


_AFTER_A_STOP = (
    "nobody publishes now: `swarm publisher rollback` gives it to today's path, which"
    " `swarm up --with-legacy` runs; a sandbox begins anew with `swarm home new DIR`"
)


@app.command()
def show(*, as_json: AsJson = False) -> None:
    """Say who publishes, since when and why."""
    _, database = installation()
    status = commands.show(database)
    if as_json:
        print_json(status)
        return
    now = status.control
    who = "nobody" if now.active is PublisherName.NONE else now.active.value
    say(f"{who} publishes (epoch {now.epoch}) since {now.at:%Y-%m-%d %H:%M:%S} UTC")
    say(f"appointed by {now.actor}: {now.reason}")
    if status.wish is not None:
        end = "until" if status.wish.standing else "no longer: it ran out at"
        what = f"waits to cut over, {end} {status.wish.expires_at:%H:%M:%S} UTC"
        say(f"{status.wish.actor} {what}: {status.wish.reason}")
    for name, number in status.publications.items():
        say(f"{number:>6}  {name}")
    for row in status.pending:
        waits = f"has waited {row.age_seconds:.0f} s for a payload of {row.publisher}"
        say(f"{row.work_order_key}  {waits}")


@app.command()
def cutover(reason: Reason, *, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Give publishing to swarm; refused without a valid certificate."""
    settings, database = installation()
    require_home(settings, Service.MAILBOX, Service.HOOK)  # stopping and going back never ask
    flip = commands.cutover(
        database,
        actor=getpass.getuser(),
        reason=reason,
        certificate=certificate.refusal,
        dry_run=dry_run,
    )
    _tell(flip, as_json=as_json)


@app.command()
def rollback(reason: Reason, *, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Give publishing back to legacy, at once and without conditions."""
    _, database = installation()
    flip = commands.rollback(database, actor=getpass.getuser(), reason=reason, dry_run=dry_run)
    _tell(flip, as_json=as_json)


@app.command()
def stop(reason: Reason, *, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Let nobody publish until the next switch."""
    _, database = installation()
    flip = commands.stop(database, actor=getpass.getuser(), reason=reason, dry_run=dry_run)
    _tell(flip, as_json=as_json)
    if not as_json and not dry_run:
        say(_AFTER_A_STOP)


def _tell(flip: Flip, *, as_json: bool) -> None:
    if as_json:
        print_json(flip)
        return
    say(commands.describe(flip))
