"""The COMMIT of a claim happened, and its answer was lost: this process knows that it sent nothing.

A lost answer is a ``transaction`` that commits for real and then raises what a cut connection
raises. And what a flip between look and claim makes of a row that is not one's own any more.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from publishing_world import World

from swarm.errors import DatabaseUnavailableError, RemoteUnavailableError
from swarm.models import Reason
from swarm.publishing.dispatch import sweeper
from swarm.publishing.dispatch.deps import PublishingDeps
from swarm.publishing.dispatch.dispatcher import (
    Dispatched,
    dispatch_once,
    record_unrecorded,
    withdraw_unanswered,
)
from swarm.publishing.dispatch.in_flight import InFlight, LostAnswer
from swarm.publishing.dispatch.round import run_round
from swarm.publishing.ledger.claim import ClaimCandidate
from swarm.store.database import Connection, Database

pytestmark = pytest.mark.integration

_STATE = "SELECT state FROM publication_ledger WHERE state = 'SENDING'"


class Cut(Database):
    """Loses the answer to each COMMIT that makes a claim; ``away``: then Postgres is away."""

    def __init__(self, url: str, *, answers_lost: int = 1, away: int = 0) -> None:
        super().__init__(url)
        self.answers_lost, self.away, self._gone = answers_lost, away, False

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        if self._gone and self.away:
            self.away -= 1
            raise DatabaseUnavailableError("away")
        with super().transaction() as connection:
            before = connection.execute(_STATE).fetchone()
            yield connection
            claimed = before is None and connection.execute(_STATE).fetchone() is not None
        if claimed and self.answers_lost:
            self.answers_lost -= 1
            self._gone = True
            raise DatabaseUnavailableError("the connection was cut after COMMIT")


@pytest.fixture
def cut(world: World) -> Iterator[Callable[..., PublishingDeps]]:
    made: list[Cut] = []

    def make(me: str = "swarm", **how: int) -> PublishingDeps:
        made.append(Cut(world.database.url, **how))
        return world.publisher(me, database=made[-1], in_flight=InFlight())

    yield make
    for database in made:
        database.close()


@pytest.mark.fault("T23")
def test_a_claim_whose_commit_was_not_answered_is_ready_again_and_posted_once(
    world: World, cut: Callable[..., PublishingDeps]
) -> None:
    key, deps = world.ready(), cut()
    with pytest.raises(DatabaseUnavailableError):
        dispatch_once(deps, key)
    row = world.row(key)
    assert (row["state"], row["attempts"], row["ever_uncertain"]) == ("READY", 0, False)
    assert world.postbox.posts == []
    assert dispatch_once(deps, key).outcome is Dispatched.ACCEPTED
    assert len(world.postbox.posts) == 1


@pytest.mark.fault("T23")
def test_of_forty_claims_whose_commits_were_not_answered_none_is_held(
    world: World, cut: Callable[..., PublishingDeps]
) -> None:
    keys = [world.ready(number) for number in range(40)]
    deps = cut(answers_lost=20)
    for _ in range(20):
        with pytest.raises(DatabaseUnavailableError):
            dispatch_once(deps)
    run_round(deps, budget_seconds=60)
    assert {world.row(key)["state"] for key in keys} == {"ACCEPTED"}
    assert len(world.postbox.posts) == 40


@pytest.mark.fault("T23")
def test_while_postgres_is_away_the_claim_waits_to_be_taken_back(
    world: World, cut: Callable[..., PublishingDeps]
) -> None:
    key, deps = world.ready(), cut(away=2)
    with pytest.raises(DatabaseUnavailableError):
        dispatch_once(deps, key)
    assert world.row(key)["state"] == "SENDING"
    withdraw_unanswered(deps)
    assert world.row(key)["state"] == "SENDING"
    assert record_unrecorded(deps) == 1
    assert world.row(key)["state"] == "READY"
    assert record_unrecorded(deps) == 0


def test_today_s_sender_takes_its_claim_back_as_well(
    world: World, cut: Callable[..., PublishingDeps]
) -> None:
    world.appoint("legacy")
    key, deps = world.ready(publisher="legacy"), cut("legacy")
    with pytest.raises(DatabaseUnavailableError):
        dispatch_once(deps, key)
    assert world.row(key)["state"] == "READY"


def test_a_claim_that_never_came_to_be_takes_nobody_else_s_back(
    world: World, cut: Callable[..., PublishingDeps]
) -> None:
    """Another process has claimed under the same fence meanwhile, and posts."""
    key, deps = world.ready(), cut(answers_lost=0)
    deps.in_flight.unanswered(LostAnswer(key, 1, uuid4()))
    assert dispatch_once(world.publisher(), key).outcome is Dispatched.ACCEPTED
    world.write("UPDATE publication_ledger SET state = 'SENDING'")
    withdraw_unanswered(deps)
    assert world.row(key)["state"] == "SENDING"
    assert deps.in_flight.to_withdraw() == ()


# --- a flip between look and claim ---


def both_ready(world: World) -> str:
    """The swarm's row is due, and legacy's payload is stored beside it."""
    key = world.ready()
    world.enqueue(key, "legacy")
    return key


def refuses_after(world: World, to: str) -> Callable[[ClaimCandidate], tuple[Reason, ...]]:
    def look(_candidate: ClaimCandidate) -> tuple[Reason, ...]:
        world.appoint(to)
        return (Reason(rule="ES-20", detail="a human has replied since"),)

    return look


def test_a_refusal_after_a_rollback_does_not_hold_legacy_s_row(world: World) -> None:
    key = both_ready(world)
    deps = world.publisher(preflight=refuses_after(world, "legacy"))
    assert dispatch_once(deps, key).outcome is Dispatched.NOT_MINE
    row = world.row(key)
    assert (row["state"], row["publisher"]) == ("READY", "legacy")
    assert dispatch_once(world.publisher("legacy"), key).outcome is Dispatched.ACCEPTED


def test_a_refusal_after_a_reappointment_is_made_again_by_the_next_look(world: World) -> None:
    """The epoch is another: the switch there and back may have brought other bytes."""
    key = both_ready(world)
    deps = world.publisher(preflight=refuses_after(world, "swarm"))
    assert dispatch_once(deps, key).outcome is Dispatched.NOT_MINE
    assert world.row(key)["state"] == "READY"


def test_what_cannot_be_judged_after_a_rollback_does_not_put_legacy_s_row_off(
    world: World,
) -> None:
    key = both_ready(world)

    def look(_candidate: ClaimCandidate) -> tuple[Reason, ...]:
        world.appoint("legacy")
        raise RemoteUnavailableError("the mailbox does not answer")

    assert dispatch_once(world.publisher(preflight=look), key).outcome is Dispatched.NOT_MINE
    assert world.row(key)["not_before"] is None


def test_a_sweep_that_a_rollback_overtakes_leaves_legacy_s_row_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The swarm decided against a draft; before the row is held, legacy is in office again."""
    world.appoint("none")
    key = world.ready()
    world.write("UPDATE publication_ledger SET state = 'PENDING_PAYLOAD', payload_sha256 = NULL")
    world.write("DELETE FROM publication_payload")
    world.appoint("swarm")
    world.write("UPDATE work_orders SET state = 'held', final_at = now()")
    decline = sweeper._decline
    monkeypatch.setattr(
        sweeper, "_decline", lambda deps, row: (world.appoint("legacy"), decline(deps, row))[1]
    )
    sweeper.sweep(world.publisher())
    row = world.row(key)
    assert (row["state"], row["publisher"]) == ("PENDING_PAYLOAD", "legacy")
