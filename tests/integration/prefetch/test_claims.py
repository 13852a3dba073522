"""A work order is thought ahead of by one prefetcher at a time, and by two at most."""

import pytest
from psycopg.rows import dict_row

from swarm.prefetch.claims import LEASE_SECONDS

pytestmark = pytest.mark.integration

OVER = LEASE_SECONDS + 1


def keys(claims) -> list[str]:
    return [claim.work_order_key for claim in claims]


def test_the_oldest_is_taken_first_and_by_one_alone(line) -> None:
    first, second = line.due("b"), line.due("c")
    one, other = line.prefetcher("one"), line.prefetcher("two")
    assert keys(one.take(1)) == [first]
    assert keys(other.take(5)) == [second]
    assert keys(one.take(5)) == []


def test_who_was_killed_is_followed_by_another_once_and_by_no_third(line) -> None:
    key = line.due("b")
    (claim,) = line.prefetcher("one").take(1)
    assert line.prefetcher("two").take(1) == []
    line.pass_time(OVER)
    (again,) = line.prefetcher("two").take(1)
    assert (again.work_order_key, again.attempt, again.tries) == (key, claim.attempt, 2)
    line.pass_time(OVER)
    assert line.prefetcher("three").take(1) == []


def test_few_of_those_a_prefetcher_died_with_are_taken_together(line) -> None:
    for name in "bcdefg":
        line.due(name)
    line.prefetcher("one").take(6)
    line.pass_time(OVER)
    new = line.due("h")
    taken = line.prefetcher("two").take(5, 2)
    assert [claim.suspect for claim in taken].count(True) == 2
    assert [claim.work_order_key for claim in taken if not claim.suspect] == [new]


def test_a_lease_that_is_renewed_is_not_taken(line) -> None:
    line.due("b")
    mine = line.prefetcher("one")
    (claim,) = mine.take(1)
    line.pass_time(OVER - 2)
    mine.pulse([claim.work_order_key])
    line.pass_time(OVER - 2)
    assert line.prefetcher("two").take(1) == []


def test_who_lost_its_claim_ends_nothing(line) -> None:
    line.due("b")
    mine, other = line.prefetcher("one"), line.prefetcher("two")
    (claim,) = mine.take(1)
    line.pass_time(OVER)
    (theirs,) = other.take(1)
    assert mine.end(claim) is False
    assert other.end(theirs) is True
    assert other.end(theirs) is False


def test_the_next_attempt_is_thought_ahead_of_as_well(line) -> None:
    key = line.due("b")
    mine = line.prefetcher()
    mine.pulse([])
    (claim,) = mine.take(1)
    assert mine.end(claim) is True
    (request,) = line.queue.request_due(5)
    fence = line.queue.open(key, "run-1", request.attempt)
    line.queue.put_off(fence, "the model is away")
    assert mine.take(1) == []
    line.pass_time(60)
    (second,) = mine.take(1)
    assert (second.attempt, second.tries) == (claim.attempt + 1, 1)


def test_nothing_is_taken_while_the_model_answers_nobody(line) -> None:
    line.due("b")
    line.sql(
        "INSERT INTO model_endpoints (name, broken, trouble_at) VALUES ('openai/m', true, now())"
    )
    assert line.prefetcher().take(5) == []


def test_who_is_stopped_gives_up_what_it_holds(line) -> None:
    key = line.due("b")
    mine = line.prefetcher()
    mine.pulse([])
    (claim,) = mine.take(1)
    assert line.requested() == []
    mine.leave()
    assert line.requested() == [key]
    assert mine.end(claim) is False
    with line.database.transaction() as connection:
        cursor = connection.cursor(row_factory=dict_row)
        row = cursor.execute("SELECT state, why FROM prefetches").fetchone()
    assert row == {"state": "left", "why": "the prefetcher was stopped"}
