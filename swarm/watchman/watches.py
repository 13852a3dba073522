"""What the watchman looks at by itself, every few seconds, and alerts when it lasts.

Nothing here leans on Dagster: what it must report is that Dagster is dead. A look that fails keeps
no other from being taken, and ends no alert. What lives elsewhere: what is looked at and how it is
judged (``swarm.observe``, ``swarm.store.alerts``, ``swarm.legacy.standby``), telling it
(``delivery``).
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from swarm.errors import DatabaseUnavailableError, SwarmError
from swarm.installation.home import Home
from swarm.installation.program_deaths import STEADY_SECONDS, deaths_file, read_deaths
from swarm.legacy.home import IntakeFiles, LegacyFiles
from swarm.legacy.standby import heartbeats
from swarm.observe import dagster_health, stalled
from swarm.observe.trouble import Trouble
from swarm.publishing.dispatch.sweeper import alert_long_waits
from swarm.settings import Settings
from swarm.store import alert_deliveries, alerts
from swarm.store.alert_endings import end_what_is_over
from swarm.store.database import Connection, Database
from swarm.store.model_ledger import settle_forgotten_models
from swarm.watchman.failing_turns import tell_failing_turns
from swarm.watchman.lasting import Lasting

_log = logging.getLogger(__name__)

DIES: Final = "installation.program_dies"
SINK: Final = "alerts.sink_failing"

_MANY_DEATHS: Final = 5
_LIVES: Final = timedelta(seconds=STEADY_SECONDS + 40)  # after the longest pause of its start
_MANY_REFUSALS: Final = 3

# So long a trouble is seen at every look before it is alerted. With the limits of
# ``dagster_health`` a dead daemon or a silent sensor is told within three minutes.
_HOLDS: Final = {
    dagster_health.OFF: timedelta(seconds=20),
    stalled.LAG: timedelta(seconds=120),
    stalled.RUNS: timedelta(0),
    DIES: timedelta(0),
    SINK: timedelta(0),
}
_HOLD: Final = timedelta(seconds=60)


class _Look(NamedTuple):
    """A look at something, and every kind it can find: what of them it does not find is over."""

    kinds: tuple[str, ...]
    take: Callable[[datetime], Iterable[Trouble]]


class Watches:
    """All that is looked at in one installation. ``sinks`` are the names of its sinks."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        sinks: Sequence[str],
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._settings = settings
        self._home = Home(settings.core.swarm_home)
        self._sinks = frozenset(sinks)
        self._clock = clock
        self._patience = Lasting(_HOLDS, _HOLD)
        self._looks = (
            _Look(dagster_health.KINDS_WATCHED, self._dagster),
            _Look((stalled.LAG,), self._streams),
            _Look((stalled.RUNS,), self._runs),
            _Look((DIES,), self._programs),
            _Look((SINK,), self._ways_out),
        )

    def turn(self) -> None:
        """Look at everything once.

        Raises ``DatabaseUnavailableError``: nothing can be seen or said without it.
        """
        for step in (self._tables, self._intake_programs, self._conditions):
            _guarded(step)

    def _tables(self) -> None:
        """What the rooms themselves know how to alert and settle."""
        now, files = self._clock(), LegacyFiles(self._home.root)
        waited = self._settings.publishing.unconfirmed_alert_seconds
        steps: tuple[Callable[[Connection], object], ...] = (
            alerts.watch_connections,
            alerts.watch_backlog,
            settle_forgotten_models,
            alerts.raise_overdue_escalations,
            lambda connection: heartbeats.watch(connection, files, now),
            lambda connection: alert_long_waits(connection, waited),
            end_what_is_over,
        )
        for step in steps:
            _guarded(partial(self._in_transaction, step))

    def _in_transaction(self, step: Callable[[Connection], object]) -> None:
        with self._database.transaction() as connection:
            step(connection)

    def _intake_programs(self) -> None:
        tell_failing_turns(self._database, IntakeFiles(self._home.root))

    def _conditions(self) -> None:
        now, seen, looked = self._clock(), list[Trouble](), list[str]()
        for look in self._looks:
            try:
                seen += look.take(now)
                looked += look.kinds
            except DatabaseUnavailableError:
                raise
            except SwarmError as error:
                _log.warning("could not look: %s", error)
        ripe = self._patience.ripe(seen, now)
        with self._database.transaction() as connection:
            for trouble in ripe:
                alerts.raise_alert(connection, trouble.kind, trouble.subject, trouble.detail)
            alerts.resolve_others(connection, looked, [(each.kind, each.subject) for each in seen])

    def _dagster(self, _now: datetime) -> Iterable[Trouble]:
        facts = dagster_health.look(
            self._database, workspace=self._home.workspace, ui_url=self._settings.core.ui_url
        )
        return () if facts is None else dagster_health.troubles(facts)

    def _streams(self, _now: datetime) -> Iterable[Trouble]:
        root = self._home.root
        files = (IntakeFiles(root).work_orders, LegacyFiles(root).outbox)
        with self._database.transaction() as connection:
            return tuple(stalled.lags(connection, files))

    def _runs(self, _now: datetime) -> Iterable[Trouble]:
        with self._database.transaction() as connection:
            return tuple(stalled.failing_runs(connection))

    def _programs(self, now: datetime) -> Iterable[Trouble]:
        for each in read_deaths(deaths_file(self._home.run)).values():
            if each.deaths >= _MANY_DEATHS and now - each.died_at < _LIVES:
                detail = f"it {each.last}, {each.deaths} times in a row"
                yield Trouble(DIES, each.name, detail)

    def _ways_out(self, now: datetime) -> Iterable[Trouble]:
        with self._database.transaction() as connection:
            states = alert_deliveries.sinks(connection)
        for each in states:
            if each.sink not in self._sinks:
                continue
            if each.broken(now):
                yield Trouble(SINK, each.sink, f"it takes nothing: {each.last_error}")
            elif each.refusals >= _MANY_REFUSALS:
                yield Trouble(SINK, each.sink, f"it refuses a message: {each.last_error}")


def _guarded(step: Callable[[], None]) -> None:
    """Take a step; what is wrong with one keeps no other from being taken."""
    try:
        step()
    except DatabaseUnavailableError:
        raise
    except (SwarmError, OSError) as error:
        _log.warning("could not look: %s", error)
