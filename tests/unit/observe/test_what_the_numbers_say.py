"""Each check of the health starts from numbers in order, and one is spoilt."""

from collections.abc import Sequence

import pytest
from prometheus_client.core import GaugeMetricFamily

from swarm.errors import DatabaseUnavailableError
from swarm.observe.health import LOOKS, Numbers, judged

GOOD: Sequence[tuple[str, dict[str, str], float]] = (
    ("swarm_up", {}, 1),
    ("swarm_queue_oldest_seconds", {}, 3),
    ("swarm_queue_waiting_for_model", {}, 0),
    ("swarm_dead_letters", {}, 0),
    ("swarm_publications", {"state": "HELD"}, 2),
    ("swarm_alerts_open", {"kind": "work_order.held"}, 0),
    ("swarm_work_orders", {"state": "held"}, 0),
    ("swarm_stream_lag_seconds", {"reader": "tables", "stream": "work_orders"}, 2),
    ("swarm_stream_lag_seconds", {"reader": "publish_sender", "stream": "outbox"}, 2),
    ("swarm_alert_undelivered_oldest_seconds", {}, 5),
    ("swarm_dagster_heartbeat_seconds", {"daemon": "SENSOR"}, 20),
    ("swarm_sensor_tick_seconds", {"sensor": "intake"}, 1),
    ("swarm_sensor_tick_seconds", {"sensor": "retire"}, 580),
    ("swarm_sensor_on", {"sensor": "intake"}, 1),
    ("swarm_legacy_expected", {}, 1),
    ("swarm_legacy_heartbeat_seconds", {"program": "publish_sender"}, 2),
    ("swarm_home_free_ratio", {}, 0.6),
)


def numbers(name: str = "", value: float = 0, **labels: str) -> Numbers:
    families = []
    for each, theirs, good in GOOD:
        family = GaugeMetricFamily(each, "x", labels=tuple(theirs))
        spoilt = each == name and labels == theirs
        family.add_metric([*theirs.values()], value if spoilt else good)
        families.append(family)
    return Numbers(families)


def bad(given: Numbers) -> list[str]:
    return [check.name for check in judged(given).checks if not check.ok]


def test_where_everything_is_in_order_all_is_well() -> None:
    assert bad(numbers()) == []
    assert len(judged(numbers()).checks) == len(LOOKS)


@pytest.mark.parametrize(
    ("check", "name", "labels", "value"),
    [
        ("queue_moves", "swarm_queue_oldest_seconds", {}, 901),
        ("nothing_dead", "swarm_dead_letters", {}, 1),
        ("nothing_held", "swarm_alerts_open", {"kind": "work_order.held"}, 1),
        ("nothing_held", "swarm_work_orders", {"state": "held"}, 1),
        (
            "streams_read",
            "swarm_stream_lag_seconds",
            {"reader": "tables", "stream": "work_orders"},
            301,
        ),
        ("alerts_delivered", "swarm_alert_undelivered_oldest_seconds", {}, 601),
        ("dagster_alive", "swarm_dagster_heartbeat_seconds", {"daemon": "SENSOR"}, 151),
        ("dagster_alive", "swarm_sensor_tick_seconds", {"sensor": "intake"}, 181),
        ("dagster_alive", "swarm_sensor_on", {"sensor": "intake"}, 0),
        ("legacy_alive", "swarm_legacy_heartbeat_seconds", {"program": "publish_sender"}, 91),
        ("disk_has_room", "swarm_home_free_ratio", {}, 0.09),
    ],
)
def test_one_number_that_is_bad_fails_one_check(
    check: str, name: str, labels: dict[str, str], value: float
) -> None:
    found = judged(numbers(name, value, **labels))
    assert [(c.name, bool(c.why)) for c in found.checks if not c.ok] == [(check, True)]


def test_what_could_not_be_read_is_not_well() -> None:
    with pytest.raises(DatabaseUnavailableError):
        judged(numbers("swarm_up", 0))


def test_today_s_path_may_be_away_where_nobody_expects_it() -> None:
    families = [GaugeMetricFamily("swarm_up", "x", value=1)]
    assert bad(Numbers(families)) == []
