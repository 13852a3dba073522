"""A worker gives back its connections when no run has come for a while, and not before."""

import time
from collections.abc import Iterator

import pytest

from swarm_assets.runtime import rest

WAIT = 0.05


@pytest.fixture
def given_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    told: list[str] = []
    monkeypatch.setattr(rest, "_IDLE_SECONDS", WAIT)
    monkeypatch.setattr(rest, "give_back_connections", lambda: told.append("connections"))
    yield told
    rest.stay_awake()


def test_after_the_last_of_many_runs_it_rests_once(given_back: list[str]) -> None:
    for _ in range(50):
        rest.stay_awake()
        rest.rest_soon()
    time.sleep(10 * WAIT)
    assert given_back == ["connections"]


def test_a_run_that_comes_before_keeps_all(given_back: list[str]) -> None:
    rest.rest_soon()
    rest.stay_awake()
    time.sleep(10 * WAIT)
    assert given_back == []
