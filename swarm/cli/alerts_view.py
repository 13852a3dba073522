"""Alerts as a person reads them in a terminal of eighty columns."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from swarm.store.alert_deliveries import ToldTo
from swarm.store.alert_kinds import KINDS, known_kind
from swarm.store.alert_listing import ListedAlert
from swarm.store.alert_silences import Silence

_INDENT = (0, 0, 0, 7)


def print_alerts(
    console: Console, alerts: Sequence[ListedAlert], silences: Sequence[Silence], now: datetime
) -> None:
    """Print each with what it is about, then the kinds that are kept quiet."""
    for alert in alerts:
        kind = known_kind(alert.kind)
        marks = [_age(alert, now), *(["silenced"] if alert.silenced_until else [])]
        head = f"{alert.id:>5}  {kind.severity.upper():<5}  {alert.kind:<27}  {', '.join(marks)}"
        console.print(Text(head, "dim" if alert.resolved_at else "bold"))
        times = f" ({alert.count} times)" if alert.count > 1 else ""
        console.print(Padding(Text(alert.subject, overflow="fold"), _INDENT))
        console.print(Padding(Text(f"{alert.detail}{times}"), _INDENT))
    if not alerts:
        console.print("no open alerts")
    for each in silences:
        said = f"{each.kind} is quiet until {each.until:%Y-%m-%d %H:%M} UTC"
        console.print(Text(f"{said} ({each.actor}: {each.reason})", "dim"))


def print_alert(console: Console, alert: ListedAlert, told: Sequence[ToldTo]) -> None:
    """Print one with all that is known of it."""
    kind = known_kind(alert.kind)
    over = f"{alert.resolved_at:%Y-%m-%d %H:%M} UTC" if alert.resolved_at else "open"
    by = f", by {alert.resolved_by}" if alert.resolved_by else ""
    quiet = (
        f"until {alert.silenced_until:%Y-%m-%d %H:%M} UTC, {alert.silenced_by}:"
        f" {alert.silence_reason}"
        if alert.silenced_until
        else ""
    )
    facts = (
        ("alert", f"{alert.id}  {alert.kind}"),
        ("", kind.title),
        ("subject", alert.subject),
        ("said", alert.detail),
        ("times", str(alert.count)),
        ("since", f"{alert.at:%Y-%m-%d %H:%M} UTC"),
        ("over", f"{over}{by}"),
        ("silenced", quiet),
        ("severity", f"{kind.severity} ({kind.owner})"),
        ("means", kind.meaning),
        ("ends", kind.ends),
        ("help", kind.documentation),
        *((f"to {each.sink}", _told(each)) for each in told),
    )
    for name, value in facts:
        if value:
            console.print(Text(f"{name:<10}{value}", overflow="fold"))


def print_kinds(console: Console) -> None:
    """Print every kind with its severity and title."""
    for kind in KINDS.values():
        console.print(Text(f"{kind.severity.upper():<5}  {kind.kind:<27}  {kind.owner}"))
        console.print(Padding(Text(f"{kind.title}. {kind.meaning}", "dim"), _INDENT))


def _told(known: ToldTo) -> str:
    if known.told_at is None:
        return f"refused {known.refusals} times" if known.refusals else "not told yet"
    among = " among others" if known.bundle else ""
    ended = ", its end too" if known.over_at else ""
    return f"told{among} {known.told_at:%Y-%m-%d %H:%M:%S} UTC{ended}"


def _age(alert: ListedAlert, now: datetime) -> str:
    if alert.resolved_at is not None:
        return f"over {alert.resolved_at:%m-%d %H:%M}"
    minutes = max(0, int((now - alert.at).total_seconds() // 60))
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"  # noqa: PLR2004 - two hours
