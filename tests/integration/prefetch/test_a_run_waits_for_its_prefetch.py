"""A run is requested when its answers are there; whatever is wrong with the prefetcher, soon."""

import pytest

from swarm.prefetch.claims import LEASE_SECONDS

pytestmark = pytest.mark.integration


def test_without_a_prefetcher_nothing_waits(line) -> None:
    key = line.due("b")
    assert line.requested() == [key]


def test_beside_a_prefetcher_it_waits_until_it_was_thought_about(line) -> None:
    key = line.due("b")
    mine = line.prefetcher()
    mine.pulse([])
    assert line.requested() == [], "nobody took it yet"
    (claim,) = mine.take(1)
    assert line.requested() == [], "it is thought about"
    mine.end(claim)
    assert line.requested() == [key]


def test_one_that_was_left_is_requested_at_once(line) -> None:
    key = line.due("b")
    mine = line.prefetcher()
    mine.pulse([])
    (claim,) = mine.take(1)
    mine.end(claim, "too many calls of this model wait for their turn")
    assert line.requested() == [key]


def test_a_prefetcher_that_fell_silent_keeps_nobody_waiting(line) -> None:
    held, untaken = line.due("b"), line.due("c")
    mine = line.prefetcher()
    mine.pulse([])
    mine.take(1)
    line.pass_time(11)
    assert line.requested() == [held, untaken]


def test_one_that_is_thought_about_for_too_long_is_requested(line) -> None:
    key = line.due("b")
    mine = line.prefetcher()
    mine.take(1)
    line.pass_time(61)
    mine.pulse([key])
    assert line.requested() == [key]


def test_two_prefetchers_died_over_it_so_its_run_shall_see(line) -> None:
    poison, other = line.due("b"), line.due("c")
    for host, wanted in (("one", (1, 0)), ("two", (0, 1))):
        (claim,) = line.prefetcher(host).take(*wanted)
        assert claim.work_order_key == poison
        line.pass_time(LEASE_SECONDS + 1)
    line.prefetcher("three").pulse([])
    assert line.requested() == [poison]
    assert other not in line.requested()


def test_one_that_nobody_takes_waits_ten_times_as_long_and_no_longer(line) -> None:
    key = line.due("b")
    line.pass_time(590)
    line.prefetcher().pulse([])
    assert line.requested() == []
    line.pass_time(11)
    line.prefetcher().pulse([])
    assert line.requested() == [key]


def test_while_the_model_answers_nobody_it_goes_as_without_a_prefetcher(line) -> None:
    key = line.due("b")
    line.prefetcher().pulse([])
    line.sql(
        "INSERT INTO model_endpoints (name, broken, trouble_at) VALUES ('openai/m', true, now())"
    )
    assert line.requested() == [key]
