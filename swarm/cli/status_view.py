"""The status of the system as a person reads it in a terminal."""

from collections.abc import Iterator, Mapping

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from swarm.legacy.standby.heartbeats import Heartbeat, LegacyPath
from swarm.observe.status import Escalations, Replies, Status
from swarm.observe.watched import WatchState

# Fits eighty columns; in a narrower terminal the line breaks behind the key, which stays whole.
_RECENT = "{:<27}  {:<10}  {:<8}  {:<8}  {:>9}"
_HEADINGS = ("most recent", "state", "stage", "tier", "age")


def print_status(console: Console, now: Status) -> None:
    """Print counts, then what needs somebody, then the recent work orders."""
    console.print(_facts(now))
    for alert in now.alerts:
        times = f" ({alert.count} times)" if alert.count > 1 else ""
        said = f"alert  {alert.kind}  {alert.subject}  {alert.detail}{times}"
        console.print(Text(said, "yellow"))
    if now.recent:
        console.print(_recent(now))


def _facts(now: Status) -> Table:
    table = Table.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2))
    queue, control = now.queue, now.control
    table.add_row("work orders", _counts({s.value: n for s, n in now.states.items()}))
    table.add_row(
        "queue",
        f"{queue.depth} waiting ({queue.backing_off} after a failure), oldest"
        f" {queue.oldest_seconds:.0f} s, {queue.dead_letters} dead letters",
    )
    if queue.waiting_for_model:
        waits = f"{queue.waiting_for_model} work orders wait for it; none is lost"
        table.add_row("model", waits)
    table.add_row("publications", _counts(now.ledger))
    table.add_row("publisher", f"{control.active} (epoch {control.epoch}): {control.reason}")
    table.add_row("intake lines", _counts(now.intake_lines))
    table.add_row("sorted out", _counts(now.sorted_out))
    if now.quarantine:
        table.add_row("quarantine", _counts(now.quarantine))
    for stream in now.streams:
        lag = "" if stream.lag_bytes is None else f", {stream.lag_bytes} bytes behind"
        table.add_row("stream", f"{stream.stream}: {stream.lines} lines{lag}")
    for beat in _shown(now.legacy):
        table.add_row("legacy", heartbeat_sentence(beat))
    if now.legacy_outcomes:
        table.add_row("legacy decided", _counts(now.legacy_outcomes))
    table.add_row("escalations", _open(now.escalations))
    if now.replies.acts:
        table.add_row("drafts", _replied(now.replies))
    for sentence in _watch(now.watched):
        table.add_row("watch", sentence)
    if now.by_hand:
        more = f" (and {len(now.by_hand) - 1} more)" if now.by_hand[1:] else ""
        said = f"that nothing is inserted by hand is not proven: {now.by_hand[0]}{more}"
        table.add_row("database", said)
    return table


def _watch(watched: WatchState | None) -> Iterator[str]:
    """Say what is wrong with the watch and with Dagster; nothing when all is well."""
    if watched is None:
        return
    if not watched.watchman_alive:
        since = f"{watched.watchman_at:%Y-%m-%d %H:%M} UTC" if watched.watchman_at else "ever"
        yield f"the watchman is silent since {since}: nobody is told of anything"
    for sink in watched.sinks:
        if sink.failing_since is not None:
            yield f"{sink.sink} takes no alerts since {sink.failing_since:%H:%M} UTC"
    yield from watched.troubles


def _open(waiting: Escalations) -> str:
    return f"{waiting.open} open, {waiting.declined} declined, {waiting.overdue} overdue"


def _replied(replies: Replies) -> str:
    acts = _counts({name.replace("_", " "): n for name, n in replies.acts.items()})
    share = replies.share_sent_unchanged
    told = "" if share is None else f"; share sent unchanged {share:.0%} of {replies.decided}"
    return f"{acts}{told}"


def heartbeat_sentence(beat: Heartbeat) -> str:
    """Say how a program of today's path lives and how far it is behind."""
    life = "never ran" if beat.age_seconds is None else f"heartbeat {beat.age_seconds:.0f} s ago"
    stale = " (stale)" if beat.stale else ""
    ledger = ", without the ledger" if beat.connected is False else ""
    return f"{beat.program}: {life}{stale}, {beat.lag_bytes} bytes behind{ledger}"


def _shown(legacy: LegacyPath | None) -> tuple[Heartbeat, ...]:
    """Programs that must run or ever ran; an installation without today's path shows none."""
    if legacy is None:
        return ()
    return tuple(beat for beat in legacy.programs if legacy.expected or beat.at is not None)


def _recent(now: Status) -> Group:
    """One line each, with room for the whole key and state; the reason stands below, whole."""
    lines: list[RenderableType] = [Text(_RECENT.format(*_HEADINGS), "bold")]
    for row in now.recent:
        age = f"{row.age_seconds:.0f} s"
        cells = (row.key, row.state.value, row.stage or "", row.tier.name.lower(), age)
        lines.append(Text(_RECENT.format(*cells).rstrip()))
        if row.reason:
            lines.append(Padding(Text(row.reason, "dim"), (0, 0, 0, 4)))
    return Group(*lines)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.items() if n) or "none"
