"""How many connections the workers asked for need, and what the embedded server is given."""

import pytest

from swarm.up.connections import embedded_limit, needed


@pytest.mark.parametrize(("workers", "sum_of_all"), [(1, 51), (2, 53), (16, 81), (28, 105)])
def test_each_worker_and_the_publisher_count_two_and_the_comparison_seven(
    workers: int, sum_of_all: int
) -> None:
    assert needed(workers) == sum_of_all


@pytest.mark.parametrize("workers", [1, 16, 40, 200, 470])
def test_the_embedded_server_is_given_what_the_workers_need_and_never_less_than_usual(
    workers: int,
) -> None:
    assert embedded_limit(workers) >= max(100, needed(workers) + 10)


def test_the_embedded_server_is_not_asked_for_the_impossible() -> None:
    assert embedded_limit(100_000) == 1000
