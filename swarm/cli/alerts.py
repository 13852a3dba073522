"""``swarm alerts``: what is wrong, who was told, keeping a kind quiet, and trying the way out."""

import getpass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from pydantic import JsonValue

from swarm.cli.alerts_view import print_alert, print_alerts, print_kinds
from swarm.cli.output import FAILED, NO, complain, console, installation, leave, print_json, say
from swarm.clock import utc_now
from swarm.errors import MalformedInputError, RefusedError, SwarmError
from swarm.models import Noun
from swarm.patterns import linear
from swarm.store import alert_listing
from swarm.store.alert_deliveries import told_to
from swarm.store.alert_endings import end_by_person
from swarm.store.alert_kinds import KINDS, Severity, known_kind
from swarm.store.alert_silences import silence, standing
from swarm.watchman.messages import Course, Notice
from swarm.watchman.sinks.configured import configured_sinks
from swarm.watchman.sinks.protocol import Sink
from swarm.watchman.watchman import name_of

app = typer.Typer(help="What is wrong, and who was told.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Actor = Annotated[str | None, typer.Option("--actor", help="Who says so; default: you.")]

_SPAN = linear(r"([0-9]{1,4})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@app.command("list")
def list_(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also what is over.")] = False,
    kind: Annotated[str | None, typer.Option("--kind", help="Of this kind alone.")] = None,
    kinds: Annotated[bool, typer.Option("--kinds", help="List the kinds there are.")] = False,
    as_json: AsJson = False,
) -> None:
    """List open alerts, newest first."""
    if kinds:
        if as_json:
            print_json([each.model_dump(mode="json") for each in KINDS.values()])
        else:
            print_kinds(console())
        return
    _, database = installation()
    now = utc_now()
    with database.transaction() as connection:
        found = alert_listing.listed(connection, now, everything=everything, kind=kind)
        silences = standing(connection, now)
    if as_json:
        print_json([_plain(each) for each in found])
    else:
        print_alerts(console(), found, silences, now)


@app.command()
def show(
    alert_id: Annotated[int, typer.Argument(metavar="ID")], *, as_json: AsJson = False
) -> None:
    """Show one alert: what it means, what ends it, who was told."""
    _, database = installation()
    with database.transaction() as connection:
        found = alert_listing.one(connection, alert_id, utc_now())
        told = told_to(connection, alert_id)
    if found is None:
        raise MalformedInputError(f"there is no alert {alert_id}", hint="swarm alerts list")
    if as_json:
        kind = known_kind(found.kind).model_dump(mode="json")
        print_json({**_plain(found), "about": kind, "told_to": [_json(each) for each in told]})
    else:
        print_alert(console(), found, told)


@app.command("test")
def try_out(
    *,
    sink: Annotated[str | None, typer.Option("--sink", help="This one alone.")] = None,
) -> None:
    """Tell every configured sink that this is a test. Exit code 2: one did not take it."""
    settings, _ = installation()
    sinks = configured_sinks(settings.alerts)
    chosen = [each for each in sinks if sink in {None, each.name}]
    if not chosen:
        raise RefusedError(f"no sink {sink!r} is set", hint=", ".join(s.name for s in sinks))
    message = _test_message(name_of(settings.core.swarm_home), settings.core.desk_url)
    taken = [_told(each, message) for each in chosen]
    if not all(taken):
        leave(FAILED)


@app.command("silence")
def silence_(
    kind: Annotated[str, typer.Argument(help="A kind, as `list --kinds` names it.")],
    *,
    until: Annotated[str, typer.Option("--until", help="2026-12-01T09:00Z, or 30m, 2h, 3d.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; shown beside its alerts.")],
    actor: Actor = None,
) -> None:
    """Keep a kind quiet for a while: raised and listed, not told. The newest word holds.

    What pages can be silenced for 24 hours at most. `--until 0m` ends a silence.
    """
    _, database = installation()
    now = utc_now()
    end, who = _moment(until, now), actor or getpass.getuser()
    with database.transaction() as connection:
        silence(connection, kind, until=end, reason=reason, actor=who, now=now)
    quiet = f"is quiet until {end:%Y-%m-%d %H:%M} UTC" if end > now else "is told again"
    say(f"{kind} {quiet} ({who}: {reason})")


@app.command()
def seen(alert_id: Annotated[int, typer.Argument(metavar="ID")], *, actor: Actor = None) -> None:
    """End an alert whose end only a person can see. Exit code 1: it was over already."""
    _, database = installation()
    with database.transaction() as connection:
        ended = end_by_person(connection, alert_id, actor)
    say(f"alert {alert_id} {'is over' if ended else 'was over already'}")
    if not ended:
        leave(NO)


def _told(sink: Sink, message: Notice) -> bool:
    try:
        sink.tell(message)
    except SwarmError as error:
        complain(f"{sink.name}: {error}")
        return False
    finally:
        sink.close()
    say(f"{sink.name}: taken")
    return True


def _test_message(name: str, link: str) -> Notice:
    now = utc_now()
    return Notice(
        incident=f"{name}:test:{now.timestamp():.0f}",
        course=Course.PASSED,
        severity=Severity.WAITS,
        kind="alerts.test",
        headline=f"This is a test of {name}",
        lines=("Nothing is wrong. Somebody ran `swarm alerts test`.",),
        link=link,
        at=now,
    )


def _moment(text: str, now: datetime) -> datetime:
    span = _SPAN.fullmatch(text)
    if span is not None:
        return now + timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        hint = "like 2026-12-01T09:00Z, 30m, 2h or 3d"
        raise MalformedInputError(f"{text!r} is no time", hint=hint) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _plain(alert: alert_listing.ListedAlert) -> dict[str, JsonValue]:
    return {**_json(alert), "severity": known_kind(alert.kind).severity.value}


def _json(noun: Noun) -> dict[str, JsonValue]:
    plain: dict[str, JsonValue] = noun.model_dump(mode="json")
    return plain
