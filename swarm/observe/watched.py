"""Who watches the watchers: does the watchman live, can it tell anybody, does Dagster work?

Asked by whoever looks at the system, and so also when the watchman is dead. What lives elsewhere:
telling without being asked (``swarm.watchman``).
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import Field

from swarm.installation.home import Home
from swarm.models import Noun
from swarm.observe import dagster_health
from swarm.store.alert_deliveries import SinkState, sinks
from swarm.store.alert_kinds import known_kind
from swarm.store.database import Database

SILENT_AFTER: Final = timedelta(seconds=60)
"""It looks every two seconds what to tell, and no sink may hold it for longer than 30."""

_FORGOTTEN: Final = timedelta(hours=1)


class WatchState(Noun):
    """The watch over the installation at one moment."""

    watchman_at: datetime | None = Field(description="When it last looked what to tell")
    watchman_alive: bool
    sinks: tuple[SinkState, ...] = Field(description="Where alerts go, and how each does")
    troubles: tuple[str, ...] = Field(description="What is wrong with Dagster now, a sentence each")


def watched(database: Database, home: Home, ui_url: str) -> WatchState:
    """Look at watchman, sinks and Dagster; raises a ``DatabaseError``."""
    facts = dagster_health.look(database, workspace=home.workspace, ui_url=ui_url)
    with database.transaction() as connection:
        known = sinks(connection)
    now = datetime.now(UTC)
    turns = [each.turned_at for each in known if each.turned_at is not None]
    newest = max(turns, default=None)
    found = () if facts is None else dagster_health.troubles(facts)
    return WatchState(
        watchman_at=newest,
        watchman_alive=newest is not None and now - newest <= SILENT_AFTER,
        sinks=tuple(each for each in known if newest and _still_told(each, newest)),
        troubles=tuple(f"{known_kind(t.kind).title}: {t.detail}" for t in found),
    )


def _still_told(state: SinkState, newest: datetime) -> bool:
    """Whether it is still configured: one that is not is looked after no more."""
    return state.turned_at is not None and newest - state.turned_at <= _FORGOTTEN
