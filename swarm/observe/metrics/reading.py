"""One reading of everything, in one snapshot, within limits: a statement's, and all of it.

What is not read in time is left out and says so (``swarm_up`` 0): a scrape must never be what a
busy database has to wait for.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric

from swarm.errors import DatabaseError, DatabaseUnavailableError
from swarm.observe.metrics import tallies
from swarm.observe.metrics.gauges import GAUGES
from swarm.observe.metrics.metric import Gauge, Unit, family
from swarm.observe.metrics.streams import MEASURED, HomeFiles
from swarm.observe.metrics.tallies import HISTOGRAMS, TALLIES
from swarm.store.database import Connection, Database, table_exists

UP: Final = Gauge("swarm_up", "Whether the database answered to all of it in time.", unit=Unit.FLAG)
TOOK: Final = Gauge(
    "swarm_scrape_duration_seconds", "How long the last reading took.", unit=Unit.SECONDS
)

METRICS: Final = (UP, TOOK, *GAUGES, *TALLIES, *HISTOGRAMS, *MEASURED)
"""Every metric of ours; those of the process are prometheus_client's."""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long a reading may take, in seconds."""

    statement: float = 2.0
    total: float = 5.0


def read(
    database: Database,
    files: HomeFiles,
    limits: TimeLimits = TimeLimits(),
    clock: Callable[[], float] = time.monotonic,
) -> Sequence[Metric]:
    """Return every metric, or as much as came before a limit or the database's end.

    Raises nothing that concerns the database: that is what ``swarm_up`` is for.
    """
    began, found, patience = clock(), list[Metric](), _Patience(limits, clock)
    try:
        for each in _all(database, files, patience):
            found.append(each)
        tallies.fold(database)
        complete = True
    except DatabaseError:
        complete = False
    return [
        family(UP, [((), float(complete))]),
        family(TOOK, [((), clock() - began)]),
        *found,
    ]


def _all(database: Database, files: HomeFiles, patience: "_Patience") -> Iterator[Metric]:
    with database.snapshot() as connection:
        for gauge in GAUGES:
            patience.limit(connection)
            there = not gauge.needs or table_exists(connection, gauge.needs)
            yield _gauge(connection, gauge) if there else family(gauge, ())
        patience.limit(connection)
        yield from tallies.families(tallies.sums(connection))
        patience.limit(connection)
        yield from files.families(connection)


class _Patience:
    """What is left of a reading's time, told to the server only when it changes."""

    def __init__(self, limits: TimeLimits, clock: Callable[[], float]) -> None:
        self._limits, self._clock, self._until = limits, clock, clock() + limits.total
        self._told = 0.0

    def limit(self, connection: Connection) -> None:
        """Give the next statement its time, or what is left of all of it."""
        left = self._until - self._clock()
        if left <= 0:
            raise DatabaseUnavailableError("the reading took too long")
        allowed = min(self._limits.statement, left)
        if allowed != self._told:
            milliseconds = max(1, int(allowed * 1000))
            connection.execute(f"SET LOCAL statement_timeout = {milliseconds}")
            self._told = allowed


def _gauge(connection: Connection, gauge: Gauge) -> GaugeMetricFamily:
    found: dict[tuple[str, ...], float] = {(value,): 0.0 for value in gauge.always}
    values = {"always": list(gauge.always)} if gauge.always else None
    for row in connection.execute(gauge.sql, values):
        found[tuple(str(row[label]) for label in gauge.labels)] = float(row["value"])
    return family(gauge, found.items())
