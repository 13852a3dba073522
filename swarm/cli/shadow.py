"""``swarm shadow``: replaying work orders of before, and what the comparison says of each."""

import getpass
import time
from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import JsonValue

from swarm.cli.output import installation, many, print_json, say
from swarm.errors import MalformedInputError
from swarm.models import EscalationClass
from swarm.shadow import overview
from swarm.shadow.history.names import find_any_key
from swarm.shadow.models import Comparison
from swarm.shadow.overview import SideBySide
from swarm.shadow.plan import Planned, PlanRequest, still_waiting
from swarm.shadow.plan import plan as make_plan
from swarm.shadow.this_engine import this_engine
from swarm.store.database import Database

app = typer.Typer(help="Today's path and the new one, side by side.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Key = Annotated[str, typer.Argument(help="Work-order key, its beginning, or original id.")]
_BACKFILL = "/asset-groups/~/shadow"
_LOOK_SECONDS = 0.5


@app.command()
def plan(
    *,
    since: Annotated[str, typer.Option(help="From this day or moment on; UTC without a zone.")],
    until: Annotated[str | None, typer.Option(help="Before this one; left out: now.")] = None,
    every: Annotated[int | None, typer.Option(min=1, help="One of so many, at random.")] = None,
    stratified: Annotated[
        int | None, typer.Option(min=1, help="So many, evenly over the kinds there are.")
    ] = None,
    noise: Annotated[
        int | None, typer.Option(min=1, help="One of so many of them is replayed twice.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed draws the same.")] = 0,
    actor: Annotated[str | None, typer.Option(help="Who plans; default: you.")] = None,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait until the partitions are there.")
    ] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Choose work orders to be replayed: they become the partitions ``history``."""
    settings, database = installation()
    wish = PlanRequest(
        since=_moment(since),
        until=_moment(until) if until else datetime.now(UTC),
        every=every,
        stratified=stratified,
        noise=noise,
        seed=seed,
        actor=actor or getpass.getuser(),
    )
    with database.transaction() as connection:
        planned = make_plan(connection, wish)
    left = _waited(database, wait)
    link = settings.core.ui_url.rstrip("/") + _BACKFILL
    if as_json:
        told = planned.model_dump(mode="json")
        print_json({"planned": len(planned.keys), **told, "waiting": left, "link": link})
        return
    _tell(planned, left, link)


@app.command()
def status(*, as_json: AsJson = False) -> None:
    """Say how far the comparison is, engine by engine."""
    settings, database = installation()
    _, engine = this_engine(settings)
    with database.transaction() as connection:
        found = overview.overview(connection, engine)
    if as_json:
        print_json(found)
        return
    for name, number in found.counts.items():
        say(f"{number:>8}  {name}")
    for title, rows in (
        ("replayed", found.replays),
        ("compared", found.comparisons),
        ("twice", found.noise),
    ):
        for row in rows:
            installed = " (installed)" if row["engine"] == engine else ""
            say(f"{title} by {row['engine']}{installed}: {_counts(row)}")


@app.command()
def show(key: Key, *, as_json: AsJson = False) -> None:
    """Show one work order side by side. It quotes mail text."""
    settings, database = installation()
    with database.transaction() as connection:
        secret = settings.core.swarm_key_secret.get_secret_value()
        found = overview.side_by_side(connection, find_any_key(connection, key, secret))
    if as_json:
        print_json(found)
        return
    _print(found)


@app.command()
def label(
    key: Key,
    *,
    reason: Annotated[str, typer.Option(help="Why; it is kept. No names of customers.")],
    classes: Annotated[
        list[EscalationClass] | None, typer.Option("--class", help="Repeat for several.")
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="No person was needed.")] = False,
    actor: Annotated[str | None, typer.Option(help="Who says so; default: you.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a person was needed for a work order. It beats what legacy said."""
    settings, database = installation()
    if bool(classes) is none:
        raise MalformedInputError("give either --class (one or more) or --none")
    if not reason.strip():
        raise MalformedInputError("a label needs a reason")
    given, who = tuple(sorted(set(classes or ()))), actor or getpass.getuser()
    with database.transaction() as connection:
        secret = settings.core.swarm_key_secret.get_secret_value()
        found = find_any_key(connection, key, secret)
        overview.label(connection, found, given, actor=who, reason=reason.strip())
    named: list[JsonValue] = [each.value for each in given]
    if as_json:
        print_json({"key": found, "classes": named, "actor": who})
        return
    say(f"{found}  {', '.join(given) or 'no person was needed'}")


def _moment(said: str) -> datetime:
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        raise MalformedInputError(
            f"{said!r} is no date", hint="for example 2026-03-01, or 2026-03-01T08:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _waited(database: Database, seconds: float) -> int:
    """Return how many still have no partition: none soon, where an installation runs."""
    end = time.monotonic() + seconds
    while True:
        with database.transaction() as connection:
            left = still_waiting(connection)
        if not left or time.monotonic() >= end:
            return left
        time.sleep(_LOOK_SECONDS)


def _tell(planned: Planned, left: int, link: str) -> None:
    for each in planned.strata:
        with_ = "with" if each.attachments else "without"
        kind = f"{each.month}  {each.language}  {with_} attachment  legacy: {each.legacy}"
        say(f"{each.drawn:>6} of {each.there:<6} {kind}")
    again = f", {planned.twice} of them twice" if planned.twice else ""
    say(f"{many(len(planned.keys), 'work order')} planned{again}")
    if left:
        say(f"{left} have no partition yet; at most 5,000 have one at a time")
    say(f"launch the backfill at {link}: select the three assets, materialize, all partitions")


def _counts(row: dict[str, JsonValue]) -> str:
    decisions = row.get("decisions")
    flat = {**row, **(decisions if isinstance(decisions, dict) else {})}
    told = {
        n: v for n, v in flat.items() if n not in ("engine", "decisions") and v not in (0, None)
    }
    return ", ".join(f"{name} {value}" for name, value in told.items())


def _print(found: SideBySide) -> None:
    order = found.order
    say(f"{order.key}  {order.received_at:%Y-%m-%d %H:%M} UTC  {order.subject}")
    if found.legacy:
        legacy = found.legacy
        what = f"escalated: {', '.join(legacy.reasons)}" if legacy.escalated else "drafted"
        say(f"\nlegacy ({legacy.policy_version}) {what}")
        if not legacy.escalated:
            say(legacy.body_text)
    for each in found.replays:
        why = "; ".join(f"{r.rule}: {r.detail}" for r in each.reasons) or each.detail
        say(f"\nnew path ({each.engine}) {each.decision}{f': {why}' if why else ''}")
        if each.draft:
            say(each.draft.body_text)
    if found.reply:
        say(f"\na person: {found.reply.act}")
        if found.reply.sent_text:
            say(found.reply.sent_text)
    for given in found.labels:
        say(f"\nlabel by {given['actor']}: {given['classes'] or 'no person was needed'}")
    for compared in found.comparisons:
        say(f"\n{_sentence(compared)}")


def _sentence(told: Comparison) -> str:
    said = [f"compared under {told.engine}: {told.pair.value.replace('_', ' ')}"]
    if told.needed:
        said.append(f"a person was needed ({', '.join(told.needed)}; {told.needed_because})")
    if told.missed:
        said.append("MISSED")
    if told.extra:
        said.append("a person was asked for and not needed")
    for name in ("new_legacy", "new_sent", "legacy_sent"):
        value = getattr(told, name)
        if value is not None:
            said.append(f"{name.replace('_', ' to ')} {value:.2f}")
    return "; ".join(said)
