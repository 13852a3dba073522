"""What a metric is: a name, a sentence, labels, and how its value is come by."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from prometheus_client.core import GaugeMetricFamily


class Unit(StrEnum):
    """What a value counts in; seconds and bytes stand in the metric's name, too."""

    SECONDS = "seconds"
    BYTES = "bytes"
    RATIO = "0 to 1"
    FLAG = "0 or 1"
    CURRENCY = "currency of MODEL_*_PRICE_PER_MILLION"
    TOKENS = "tokens"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Gauge:
    """What is now. ``sql`` gives ``value`` and a column for each label; no row is no sample.

    ``always`` are values of its one label that are 0 when no row has them. ``needs`` names a table
    of Dagster's, without which nothing is asked. ``sql`` is empty where the value is measured
    outside of the database.
    """

    name: str
    help: str
    sql: str = ""
    labels: tuple[str, ...] = ()
    unit: Unit = Unit.COUNT
    needs: str = ""
    always: tuple[str, ...] = ()
    kind = "gauge"


@dataclass(frozen=True, slots=True)
class Tally:
    """What happened since the installation began: the sum of all deltas called ``key``.

    ``prefix`` keeps the deltas whose last label begins with it, and is cut off.
    """

    name: str
    help: str
    key: str
    labels: tuple[str, ...]
    unit: Unit = Unit.COUNT
    prefix: str = ""
    kind = "counter"


@dataclass(frozen=True, slots=True)
class Histogram:
    """How long things took. Deltas called ``key`` carry the bucket as their last label; their sum
    is called ``key`` and ``_sum``. ``bounds`` are those of the migration's trigger.
    """

    name: str
    help: str
    key: str
    labels: tuple[str, ...]
    bounds: tuple[float, ...]
    unit: Unit = Unit.SECONDS
    kind = "histogram"


Metric: TypeAlias = Gauge | Tally | Histogram


def family(gauge: Gauge, samples: Iterable[tuple[Sequence[str], float]]) -> GaugeMetricFamily:
    """Return a gauge with its samples: values of its labels, and a number."""
    made = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
    for labels, value in samples:
        made.add_metric(labels, value)
    return made
