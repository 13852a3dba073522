"""What a scrape asks of a large installation is found by an index; what ended is not walked."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from filled_tables import GROWING, fill

from swarm.observe.metrics import tallies
from swarm.observe.metrics.gauges import GAUGES
from swarm.observe.metrics.metric import Gauge
from swarm.store import embedded
from swarm.store.database import Database

pytestmark = pytest.mark.integration

ORDERS = 20_000


@pytest.fixture(scope="module")
def filled(postgres_server: str) -> Iterator[str]:
    url = embedded.create_database(postgres_server, "cheap_scrape", template="template_swarm")
    fill(url, ORDERS, events=5)
    yield url
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute('DROP DATABASE "cheap_scrape" WITH (FORCE)')


def plan(url: str, sql: str, values: dict[str, Any] | None) -> Any:
    with psycopg.connect(url, options="-c search_path=swarm,public") as connection:
        found = connection.execute(f"EXPLAIN (FORMAT JSON) {sql}", values).fetchone()  # type: ignore[call-overload]
    assert found
    return found[0][0]["Plan"]


def walked(node: Any) -> Iterator[str]:
    """Name the tables a plan reads from end to end."""
    if node["Node Type"] in ("Seq Scan", "Parallel Seq Scan"):
        yield node["Relation Name"]
    for child in node.get("Plans", ()):
        yield from walked(child)


@pytest.mark.parametrize("gauge", [g for g in GAUGES if not g.needs], ids=lambda g: g.name)
def test_no_gauge_walks_a_table_that_only_grows(filled: str, gauge: Gauge) -> None:
    values = {"always": list(gauge.always)} if gauge.always else None
    found = plan(filled, gauge.sql, values)
    assert not GROWING & {*walked(found)}, json.dumps(found, indent=1)


def test_counters_are_read_from_the_tallies_alone(filled: str) -> None:
    with psycopg.connect(filled, options="-c search_path=swarm") as connection:
        found = connection.execute(f"EXPLAIN (FORMAT JSON) {tallies.SUMS}").fetchone()
    assert found
    assert {*walked(found[0][0]["Plan"])} <= {"tallies", "tally_deltas"}


def test_deltas_become_totals(filled: str) -> None:
    database = Database(filled)
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO tally_deltas SELECT 'x', ARRAY['y'], 1 FROM generate_series(1, 1000)"
        )
    assert tallies.fold(database) == 1000
    assert tallies.fold(database) == 0
    with database.transaction() as connection:
        assert tallies.sums(connection)["x"] == {("y",): 1000.0}
    database.close()
