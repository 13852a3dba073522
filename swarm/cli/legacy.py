"""``swarm legacy``: is today's path ready to take over, prove it, and take it down when it may be.

The rules are in ``swarm.legacy.standby``; its programs are started by ``swarm up --with-legacy``.
"""

import getpass
from datetime import UTC, datetime
from typing import Annotated

import typer

from swarm.cli.output import NO, installation, leave, many, print_json, say
from swarm.cli.status_view import heartbeat_sentence
from swarm.legacy.home import LegacyFiles
from swarm.legacy.standby import countdown
from swarm.legacy.standby.heartbeats import legacy_path
from swarm.legacy.standby.proof import prove
from swarm.shadow.outcomes.legacy_stream import LegacyOutcomes

app = typer.Typer(help="Today's path, standing by after a cutover.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def show(*, as_json: AsJson = False) -> None:
    """Say whether legacy lives, which days are proven, and what speaks against taking it down."""
    settings, database = installation()
    now = datetime.now(UTC)
    with database.transaction() as connection:
        path = legacy_path(connection, LegacyFiles(settings.core.swarm_home), now)
        state = countdown.standby(connection)
    against = countdown.refusals(now, state)
    if as_json:
        parts = {"path": path, "standby": state}
        plain = {name: part.model_dump(mode="json") for name, part in parts.items()}
        print_json({**plain, "against_decommission": list(against)})
        return
    say("legacy must be running" if path.expected else "legacy need not run")
    for beat in path.programs:
        say(heartbeat_sentence(beat))
    say(f"proven days: {', '.join(map(str, state.proven)) or 'none'}")
    _list("it may not be taken down:", against)


@app.command()
def proof(*, as_json: AsJson = False) -> None:
    """Prove now that legacy could take over, and keep the proof; exit code 1: it could not."""
    settings, database = installation()
    core = settings.core
    done = prove(
        database,
        LegacyFiles(core.swarm_home),
        secret=core.swarm_key_secret.get_secret_value(),
        signature=core.reply_signature,
        now=datetime.now(UTC),
    )
    if as_json:
        print_json({**done.model_dump(mode="json"), "holds": done.holds})
    elif done.holds:
        say(f"proven for {done.day}: legacy could take over")
    else:
        _list(f"not proven for {done.day}:", done.reasons)
    if not done.holds:
        leave(NO)


@app.command()
def reread(*, as_json: AsJson = False) -> None:
    """Read its outbox again from the start: outcomes that were lost here come back."""
    settings, database = installation()
    secret = settings.core.swarm_key_secret.get_secret_value()
    outcomes = LegacyOutcomes(database, LegacyFiles(settings.core.swarm_home), secret)
    reports = outcomes.reread()
    lines, new = sum(each.lines for each in reports), sum(each.accepted for each in reports)
    bad = sum(each.quarantined for each in reports)
    if as_json:
        print_json({"lines": lines, "restored": new, "bad": bad})
    else:
        say(f"{many(lines, 'line')} read again: {many(new, 'outcome')} restored, {bad} unreadable")


@app.command()
def decommission(
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the history.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let legacy be taken down; refused before day 14 or with a day unproven (exit code 1)."""
    _, database = installation()
    now = datetime.now(UTC)
    with database.transaction() as connection:
        against = countdown.refusals(now, countdown.standby(connection))
    if not against:
        actor = getpass.getuser()
        countdown.decommission(database, actor=actor, reason=reason, now=now, dry_run=dry_run)
    if as_json:
        print_json({"against": list(against), "decommissioned": not against and not dry_run})
    elif against:
        _list("refused:", against)
    else:
        say(f"legacy {'could' if dry_run else 'can'} be taken down now")
    if against:
        leave(NO)


def _list(title: str, reasons: tuple[str, ...]) -> None:
    if reasons:
        say(title)
    for reason in reasons:
        say(f"  {reason}")
