"""A scrape as Prometheus reads it: samples by name and labels."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from swarm.observe.metrics.collector import SharedReading
from swarm.observe.metrics.reading import read
from swarm.observe.metrics.streams import HomeFiles
from swarm.store.database import Database

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


class Scrape:
    """The samples of one scrape."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = [*text_string_to_metric_families(text)]
        self.samples: Samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        return self.samples[name, frozenset(labels.items())]

    def get(self, name: str, **labels: str) -> float | None:
        return self.samples.get((name, frozenset(labels.items())))

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.samples}


def scraped(database: Database, home: Path) -> Scrape:
    """Read everything anew, by the objects the endpoint builds."""
    registry = CollectorRegistry()
    registry.register(SharedReading(partial(read, database, HomeFiles(home))))
    return Scrape(generate_latest(registry).decode())
