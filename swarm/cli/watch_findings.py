"""What ``swarm doctor`` finds about the watch: the watchman, where alerts go, and Dagster."""

from collections.abc import Iterator

from swarm.cli.findings import Finding, Health
from swarm.errors import SwarmError
from swarm.installation.home import Home
from swarm.observe.watched import WatchState, watched
from swarm.settings import Settings
from swarm.store.database import Database


def watch(settings: Settings, database: Database) -> Iterator[Finding]:
    """Look at the watch over a running installation; changes nothing, tells nobody."""
    try:
        now = watched(database, Home(settings.core.swarm_home), settings.core.ui_url)
    except SwarmError as error:
        yield _finding("watchman", Health.BAD, str(error))
        return
    yield _watchman(now)
    yield from _sinks(settings, now)
    bad = [_finding("dagster", Health.BAD, sentence) for sentence in now.troubles]
    yield from bad or [_finding("dagster", Health.GOOD, "daemon, code server and sensors work")]


def _watchman(now: WatchState) -> Finding:
    if now.watchman_alive:
        return _finding("watchman", Health.GOOD, "it lives and looks what to tell")
    since = f"{now.watchman_at:%Y-%m-%d %H:%M} UTC" if now.watchman_at else "ever"
    return _finding("watchman", Health.BAD, f"silent since {since}: nobody is told of anything")


def _sinks(settings: Settings, now: WatchState) -> Iterator[Finding]:
    for each in now.sinks:
        failing = each.failing_since is not None
        since = f"takes nothing since {each.failing_since:%H:%M} UTC: " if failing else ""
        health = Health.BAD if failing else Health.GOOD
        took = (
            f"took the last one {each.took_at:%Y-%m-%d %H:%M} UTC"
            if each.took_at
            else "nothing to tell yet"
        )
        yield _finding(f"alerts to {each.sink}", health, f"{since}{each.last_error or took}")
    if [each.sink for each in now.sinks] in ([], ["log"]):
        note = "alerts stay in this house: set ALERT_SLACK_URL, ALERT_TEAMS_URL, ALERT_MAIL_URL or"
        yield _finding("alerts", Health.NOTE, f"{note} ALERT_EVENTS_URL, then `swarm alerts test`")
    if settings.alerts.heartbeat_url is None:
        note = "nobody outside would miss the watchman: set ALERT_HEARTBEAT_URL"
        yield _finding("dead-man's switch", Health.NOTE, note)


def _finding(name: str, health: Health, detail: str) -> Finding:
    return Finding(area="watch", name=name, health=health, detail=detail)
