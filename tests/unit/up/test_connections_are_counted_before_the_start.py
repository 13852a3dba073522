"""How many connections the workers asked for need, and what the embedded server is given."""

import pytest

from swarm.up.connections import embedded_limit, needed


@pytest.mark.parametrize(("workers", "sum_of_all"), [(1, 55), (2, 57), (16, 85), (28, 109)])
def test_each_worker_and_the_publisher_count_two_the_comparison_seven_the_prefetcher_four(
    workers: int, sum_of_all: int
) -> None:
    assert needed(workers) == sum_of_all


@pytest.mark.parametrize("workers", [1, 16, 40, 200, 468])
def test_the_embedded_server_is_given_what_the_workers_need_and_never_less_than_usual(
    workers: int,
) -> None:
    assert embedded_limit(workers) >= max(100, needed(workers) + 10)


def test_the_embedded_server_is_not_asked_for_the_impossible() -> None:
    assert embedded_limit(100_000) == 1000
