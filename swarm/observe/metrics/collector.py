"""What prometheus_client asks at a scrape: every metric, or ``swarm_up`` 0 when there is none."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from swarm.observe.metrics.metric import family
from swarm.observe.metrics.reading import METRICS, UP
from swarm.observe.metrics.shared import Shared

KEPT_SECONDS: Final = 5.0
PATIENCE_SECONDS: Final = 8.0
"""Longer than a reading may take by itself, shorter than Prometheus's usual ten."""


class SharedReading(Collector):
    """A collector over ``read``; scrapes at the same time share one reading."""

    def __init__(
        self,
        read: Callable[[], Sequence[Metric]],
        *,
        kept: float = KEPT_SECONDS,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._shared = Shared(read, kept=kept, patience=patience)

    def describe(self) -> Iterator[Metric]:
        """Name every metric without reading: registering must not ask the database."""
        for metric in METRICS:
            yield Metric(metric.name.removesuffix("_total"), metric.help, metric.kind)

    def collect(self) -> Iterator[Metric]:
        """Yield the newest reading."""
        yield from self._shared.get() or [family(UP, [((), 0.0)])]
