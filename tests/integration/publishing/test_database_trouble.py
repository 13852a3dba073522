"""Whatever Postgres answers, at whichever step: one error of our tree, one draft, one end."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from publishing_world import World, payload
from troubled_database import PERMANENT, TRANSIENT, TroubledDatabase

from swarm.errors import DatabaseError
from swarm.publishing.dispatch.deps import PublishingDeps
from swarm.publishing.dispatch.dispatcher import dispatch_once
from swarm.publishing.dispatch.in_flight import InFlight
from swarm.publishing.dispatch.round import publications_due, run_round

pytestmark = pytest.mark.integration

MOST_TRANSACTIONS = 12  # one dispatch and its look make fewer; beyond them nothing is disturbed


@pytest.fixture
def troubled(world: World) -> Iterator[TroubledDatabase]:
    database = TroubledDatabase(world.database.url)
    yield database
    database.close()


def go_on(world: World, key: str, in_flight: InFlight) -> None:
    """Later rounds of the same program, on a database that works again."""
    for seconds in (0, 400, 60, 1801, 60):
        world.age(key, seconds)
        run_round(world.publisher(in_flight=in_flight))


def disturbed(world: World, troubled: TroubledDatabase, state: str, number: int) -> str:
    """One round whose n-th transaction is answered with ``state``; returns the work order's key."""
    key = world.ready(number)
    in_flight = InFlight()
    troubled.transactions = 0
    troubled.sqlstate_of = lambda n: state if n == number else None
    with suppress(DatabaseError):  # the program says so and does its next round
        run_round(world.publisher(database=troubled, in_flight=in_flight))
    go_on(world, key, in_flight)
    return key


@pytest.mark.fault("T29")
@pytest.mark.parametrize("state", ["55P03", "53100", "42501"])
@pytest.mark.parametrize("after_the_work", [False, True], ids=["before", "after"])
def test_trouble_at_any_step_of_a_round_ends_with_one_draft(
    world: World, troubled: TroubledDatabase, state: str, after_the_work: bool
) -> None:
    """The sender knows that it did not post, or what the hook said, and records it later."""
    troubled.after_the_work = after_the_work
    for number in range(1, MOST_TRANSACTIONS + 1):
        key = disturbed(world, troubled, state, number)
        assert world.row(key)["state"] == "CONFIRMED", f"transaction {number}"
        assert len(world.postbox.posts_of(key)) == 1, f"transaction {number}"
        assert world.alerts(key) == []


@pytest.mark.fault("T29")
@pytest.mark.parametrize("step", [dispatch_once, run_round, publications_due])
def test_no_sqlstate_is_anything_but_an_error_of_our_tree(
    world: World, troubled: TroubledDatabase, step: Callable[[PublishingDeps], object]
) -> None:
    deps = world.publisher(database=troubled)
    for state in TRANSIENT + PERMANENT:
        troubled.sqlstate_of = lambda _number, state=state: state
        with pytest.raises(DatabaseError) as caught:
            step(deps)
        assert caught.value.sqlstate == state
        assert "value of a mail" not in str(caught.value) or state == "P0001"


def test_a_draft_found_before_the_claim_is_confirmed_later_when_it_cannot_be_now(
    world: World, troubled: TroubledDatabase
) -> None:
    """Nothing of this claim was sent, so it is not taken for one that hangs."""
    key = world.ready()
    world.postbox.draft(payload(key).model_dump())
    in_flight = InFlight()
    troubled.sqlstate_of = lambda n: "55P03" if n == 3 else None  # candidate, claim, confirm
    result = dispatch_once(world.publisher(database=troubled, in_flight=in_flight))
    assert result.outcome == "not_sent"
    assert world.row(key)["state"] == "SENDING"
    go_on(world, key, in_flight)
    assert world.row(key)["state"] == "CONFIRMED"
    assert world.postbox.posts == []
