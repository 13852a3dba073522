"""Choosing what is replayed: the same seed draws the same, evenly over the kinds there are."""

from datetime import UTC, datetime, timedelta

from swarm.shadow.plan import AT_A_TIME, drawn, evenly
from swarm_assets.sensors.history import KEEP, leaving

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_rare_kinds_are_drawn_as_often_as_common_ones() -> None:
    chosen = evenly([["a"] * 100, ["b"] * 5, ["c"] * 2], 9)
    assert (chosen.count("a"), chosen.count("b"), chosen.count("c")) == (4, 3, 2)


def test_no_more_is_drawn_than_there_is() -> None:
    assert sorted(evenly([["a"], ["b"]], 10)) == ["a", "b"]
    assert evenly([], 10) == []


def test_a_seed_gives_one_order_and_another_seed_another() -> None:
    keys = [f"wo_{n}" for n in range(50)]
    assert sorted(keys, key=lambda k: drawn(1, k)) == sorted(keys, key=lambda k: drawn(1, k))
    assert sorted(keys, key=lambda k: drawn(1, k)) != sorted(keys, key=lambda k: drawn(2, k))


def test_settled_partitions_stay_a_day() -> None:
    settled = {"old": NOW - KEEP - timedelta(minutes=1), "young": NOW - timedelta(hours=1)}
    assert leaving(settled, {"old", "young", "open"}, 0, NOW) == ["old"]


def test_settled_partitions_leave_early_when_others_wait_for_their_place() -> None:
    there = {f"p{n}" for n in range(AT_A_TIME)}
    settled = {f"p{n}": NOW - timedelta(seconds=AT_A_TIME - n) for n in range(10)}
    assert leaving(settled, there, 3, NOW) == ["p0", "p1", "p2"]
    assert leaving(settled, there, 0, NOW) == []


def test_what_is_not_settled_never_leaves() -> None:
    there = {f"p{n}" for n in range(AT_A_TIME)}
    assert leaving({}, there, 1000, NOW) == []
