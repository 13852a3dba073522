"""How many workers a machine gets when nobody says a number."""

import os

import pytest

from swarm.up.connections import needed
from swarm.up.sizing import usual_workers, workers_here


@pytest.mark.parametrize(
    ("cores", "megabytes", "workers"),
    [(2, 24_000, 2), (4, 8_000, 4), (4, 1_700, 3), (1, 1_000, 1), (16, 64_000, 8)],
    ids=["a worker a core", "four", "memory for three", "never none", "no more unless asked for"],
)
def test_a_worker_a_core_as_far_as_memory_goes(cores: int, megabytes: int, workers: int) -> None:
    assert usual_workers(cores, megabytes) == workers


def test_whatever_the_machine_an_ordinary_server_has_the_connections() -> None:
    assert needed(usual_workers(256, 1 << 20)) <= 97


def test_this_machine_gets_one_at_least_and_no_more_than_its_cores() -> None:
    assert 1 <= workers_here() <= (os.cpu_count() or 1)
