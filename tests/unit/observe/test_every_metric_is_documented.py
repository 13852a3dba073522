"""docs/metrics.md lists every metric as it is, and none that is not."""

from pathlib import Path

from swarm.observe.metrics.metric import Metric, Unit
from swarm.observe.metrics.reading import METRICS

TOLD = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text("utf-8")


def row(metric: Metric) -> str:
    labels = ", ".join(metric.labels) or "-"
    return f"| `{metric.name}` | {metric.kind} | {metric.unit} | {labels} | {metric.help} |"


def test_the_table_is_what_the_collector_tells() -> None:
    told = [line for line in TOLD.splitlines() if line.startswith("| `swarm_")]
    assert told == [row(metric) for metric in METRICS]


def test_names_carry_their_unit_as_prometheus_wants_it() -> None:
    endings = {Unit.SECONDS: "_seconds", Unit.BYTES: "_bytes", Unit.RATIO: "_ratio"}
    for metric in METRICS:
        ending = endings.get(metric.unit)
        assert ending is None or metric.name.endswith(ending), metric.name
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
    assert len({metric.name for metric in METRICS}) == len(METRICS)
