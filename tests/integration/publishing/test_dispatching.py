"""One publication from READY to its end, over real Postgres and real HTTP."""

from dataclasses import replace

import pytest
from postbox import Postbox
from publishing_world import World, payload

from swarm.errors import RateLimitedError
from swarm.models import Reason
from swarm.publishing.dispatch.dispatcher import Dispatched, dispatch_once
from swarm.publishing.dispatch.reconciler import Reconciled, reconcile
from swarm.publishing.dispatch.round import run_round
from swarm.publishing.ledger.claim import ClaimCandidate

pytestmark = pytest.mark.integration


def test_a_ready_publication_is_posted_once_and_found_again_in_the_mailbox(world: World) -> None:
    key = world.ready()
    deps = world.publisher()

    assert dispatch_once(deps).outcome is Dispatched.ACCEPTED
    assert world.row(key)["state"] == "ACCEPTED"
    assert [result.outcome for result in reconcile(deps)] == [Reconciled.CONFIRMED]

    row = world.row(key)
    assert (row["state"], row["order_state"]) == ("CONFIRMED", "published")
    assert (row["draft_id"], row["draft_folder"]) == ("draft-1", "drafts")
    assert world.log(key) == ["ready", "claimed", "accepted", "confirmed"]
    assert world.alerts(key) == []
    assert dispatch_once(deps).outcome is Dispatched.IDLE
    assert len(world.postbox.posts) == 1


def test_the_posted_body_is_the_payload_with_claim_fields_all_strings(world: World) -> None:
    key = world.ready()
    dispatch_once(world.publisher())
    (post,) = world.postbox.posts_of(key)
    assert (post["fence"], post["epoch"], post["attempt"]) == ("1", "1", "1")
    assert post["auto_send"] == "false"
    assert post["draft_marker"] in post["body_text"]
    assert all(isinstance(value, str) for value in post.values())


@pytest.mark.fault("T33")
@pytest.mark.parametrize(
    ("mode", "outcome", "state", "drafts"),
    [
        ("reply lost", Dispatched.UNKNOWN, "UNKNOWN", 1),
        ("500 before", Dispatched.UNKNOWN, "UNKNOWN", 0),
        ("500 after", Dispatched.UNKNOWN, "UNKNOWN", 1),
        ("paused", Dispatched.ACCEPTED, "ACCEPTED", 0),
        ("429", Dispatched.NOT_SENT, "READY", 0),
    ],
)
def test_an_answer_is_believed_only_as_far_as_it_proves(
    world: World, mode: str, outcome: Dispatched, state: str, drafts: int
) -> None:
    key = world.ready()
    world.postbox.mode = mode
    assert dispatch_once(world.publisher()).outcome is outcome
    assert world.row(key)["state"] == state
    assert len(world.postbox.drafts_of(key)) == drafts
    assert dispatch_once(world.publisher()).outcome is Dispatched.IDLE


@pytest.mark.fault("T31")
def test_an_unknown_outcome_is_confirmed_by_the_mailbox_and_not_sent_again(world: World) -> None:
    key = world.ready()
    world.postbox.mode = "reply lost"
    deps = world.publisher()
    dispatch_once(deps)
    run_round(deps)
    assert world.row(key)["state"] == "CONFIRMED"
    assert len(world.postbox.posts) == 1


@pytest.mark.fault("T32")
def test_a_429_waits_at_least_as_long_as_it_was_asked_to(world: World) -> None:
    key = world.ready()
    world.postbox.mode = "429"
    dispatch_once(world.publisher())
    row = world.row(key)
    assert (row["not_before"] - row["changed_at"]).total_seconds() >= 7
    world.age(key, 60)
    world.postbox.mode = "ok"
    assert dispatch_once(world.publisher()).outcome is Dispatched.ACCEPTED
    assert world.row(key)["fence"] == 2


@pytest.mark.fault("T32")
def test_a_refused_connection_is_tried_again_and_finally_buried(
    world: World, postbox: Postbox
) -> None:
    """READY -> DEAD only because no attempt was ever taken by anybody (section 3)."""
    key = world.ready()
    postbox.mode = "429"
    deps = world.publisher()
    for _ in range(deps.timings.max_attempts):
        assert dispatch_once(deps).outcome is Dispatched.NOT_SENT
        world.age(key, 600)
    assert run_round(deps).ended == 1
    row = world.row(key)
    assert (row["state"], row["order_state"]) == ("DEAD", "dead")
    assert world.alerts(key) == ["work_order.dead"]


def test_used_up_attempts_are_held_when_one_of_them_may_have_arrived(world: World) -> None:
    key = world.ready()
    world.write("UPDATE publication_ledger SET attempts = 5, ever_uncertain = true")
    run_round(world.publisher())
    row = world.row(key)
    assert (row["state"], row["order_state"]) == ("HELD", "held")
    assert world.alerts(key) == ["work_order.held"]


def test_a_draft_that_is_there_already_is_confirmed_without_a_post(world: World) -> None:
    key = world.ready()
    world.postbox.draft(payload(key).model_dump())
    assert dispatch_once(world.publisher()).outcome is Dispatched.CONFIRMED
    assert world.row(key)["state"] == "CONFIRMED"
    assert world.postbox.posts == []


def test_a_reason_of_the_preflight_holds_the_draft_and_alerts(world: World) -> None:
    """ES-20: somebody answered since the context was taken."""
    key = world.ready()

    def answered(_candidate: ClaimCandidate) -> tuple[Reason, ...]:
        return (Reason(rule="ES-20", detail="a human answered meanwhile"),)

    assert dispatch_once(world.publisher(preflight=answered)).outcome is Dispatched.HELD
    row = world.row(key)
    assert (row["state"], row["order_state"]) == ("HELD", "held")
    assert "ES-20" in row["last_error"]
    assert world.postbox.posts == []


def test_a_preflight_that_cannot_tell_now_leaves_the_draft_for_later(world: World) -> None:
    key = world.ready()

    def unavailable(_candidate: ClaimCandidate) -> tuple[Reason, ...]:
        raise RateLimitedError("wait", retry_after=1)

    assert dispatch_once(world.publisher(preflight=unavailable)).outcome is Dispatched.DEFERRED
    row = world.row(key)
    assert (row["state"], row["attempts"]) == ("READY", 0)
    assert row["not_before"] > row["changed_at"]


def test_a_mailbox_that_cannot_be_searched_delays_and_never_drops(world: World) -> None:
    key = world.ready()
    world.postbox.search_down = True
    assert dispatch_once(world.publisher()).outcome is Dispatched.DEFERRED
    assert world.postbox.posts == []
    world.postbox.search_down = False
    world.age(key, 60)
    assert dispatch_once(world.publisher()).outcome is Dispatched.ACCEPTED


def test_a_draft_put_off_again_and_again_is_alerted_before_long(world: World) -> None:
    """A person must know of it, although the next try is always a second away."""
    key = world.ready()
    world.postbox.search_down = True
    for _ in range(3):
        world.age(key, 400)
        assert dispatch_once(world.publisher()).outcome is Dispatched.DEFERRED
        run_round(world.publisher())
    assert world.alerts(key) == ["publication.stuck"]
    world.postbox.search_down = False
    world.age(key, 60)
    dispatch_once(world.publisher())
    world.age(key, 1)
    run_round(world.publisher())
    assert (world.row(key)["state"], world.alerts(key)) == ("CONFIRMED", [])


def test_a_claim_older_than_the_deadline_is_not_posted(world: World) -> None:
    key = world.ready()
    moments = iter([0.0, 21.0])
    deps = world.publisher(clock=lambda: next(moments))
    assert dispatch_once(deps).outcome is Dispatched.NOT_SENT
    assert world.postbox.posts == []
    assert world.row(key)["state"] == "READY"


class _FlipsFirst:
    """A pace whose wait is when the switch happens: between claim and post."""

    def __init__(self, world: World) -> None:
        self._world = world

    def wait(self) -> None:
        self._world.appoint("legacy")


def test_a_switch_between_claim_and_post_stops_the_post_and_hands_over(world: World) -> None:
    key = world.ready()
    world.enqueue(key, "legacy")
    deps = replace(world.publisher(), rate_limit=_FlipsFirst(world))
    assert dispatch_once(deps).outcome is Dispatched.NOT_SENT
    row = world.row(key)
    assert (row["state"], row["publisher"], row["attempts"]) == ("READY", "legacy", 0)
    assert dispatch_once(world.publisher("legacy")).outcome is Dispatched.ACCEPTED
    assert [post["fence"] for post in world.postbox.posts] == ["2"]


class _ReapedFirst(_FlipsFirst):
    def wait(self) -> None:
        self._world.write("UPDATE publication_ledger SET state = 'UNKNOWN'")


def test_a_claim_taken_away_before_the_post_ends_without_a_post(world: World) -> None:
    key = world.ready()
    deps = replace(world.publisher(), rate_limit=_ReapedFirst(world))
    assert dispatch_once(deps).outcome is Dispatched.FENCED
    assert world.postbox.posts == []
    assert world.row(key)["state"] == "UNKNOWN"
