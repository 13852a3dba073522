"""The release drill: kill -9 at every step, in both directions of a switch (protocol, section 11).

Each case must end with exactly one confirmed draft or with one held row and its alert; never with
two drafts, never silent. Real processes, real Postgres, real HTTP.
"""

import signal

import pytest
from publisher_process import (
    AFTER_CLAIM,
    BEFORE_CLAIM,
    BEFORE_POST,
    DURING_FLIP,
    POINTS,
    start,
)
from publishing_world import World

from swarm.publishing.dispatch.round import run_round

pytestmark = [pytest.mark.faults, pytest.mark.integration]

DIRECTIONS = [("swarm", "legacy"), ("legacy", "swarm")]
HELD_AFTER = {AFTER_CLAIM, BEFORE_POST}  # nobody can know that nothing was sent


def kill_at(world: World, me: str, point: str) -> None:
    process = start(world.database.url, world.postbox.url, me, "--at", point)
    assert process.wait(timeout=30) == -signal.SIGKILL


def both_paths_have_a_payload(world: World, active: str) -> str:
    world.appoint(active)
    key = world.ready(1, "swarm")
    world.enqueue(key, "legacy")
    assert world.row(key)["publisher"] == active
    return key


def let_time_pass(world: World, key: str, me: str, **changes: object) -> None:
    """What the loop does from now on: reap after 2D, look, settle, look, hold."""
    deps = world.publisher(me, **changes)
    for seconds in (0, 60, 1801, 60):
        world.age(key, seconds)
        run_round(deps)
    run_round(deps)


def assert_invariants(world: World, key: str) -> None:
    """INV of the fault tests, for one work order."""
    row = world.row(key)
    drafts = world.postbox.drafts_of(key)
    assert len(drafts) <= 1
    assert (row["state"], row["order_state"]) in {("CONFIRMED", "published"), ("HELD", "held")}
    assert (row["state"] == "CONFIRMED") == (len(drafts) == 1)
    assert world.alerts(key) == ([] if drafts else ["work_order.held"])


@pytest.mark.fault("T30")
@pytest.mark.parametrize(("old", "new"), DIRECTIONS)
@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_a_switched_publication_ends_as_one_draft_or_held(
    world: World, point: str, old: str, new: str
) -> None:
    key = both_paths_have_a_payload(world, old)
    kill_at(world, old, point)
    if point == DURING_FLIP:
        assert world.row(key)["publisher"] == old  # rolled back as a whole
    world.appoint(new)
    let_time_pass(world, key, new)

    assert_invariants(world, key)
    row = world.row(key)
    assert row["state"] == ("HELD" if point in HELD_AFTER else "CONFIRMED")
    published_by = new if point in {BEFORE_CLAIM, DURING_FLIP} else old
    assert row["publisher"] == published_by


@pytest.mark.fault("T36")
@pytest.mark.parametrize("point", [AFTER_CLAIM, BEFORE_POST])
def test_a_sender_stopped_between_claim_and_post_is_ended_before_anything_follows(
    world: World, point: str
) -> None:
    """T36: SIGSTOP, reap; it can never wake up and post."""
    key = both_paths_have_a_payload(world, "swarm")
    process = start(
        world.database.url,
        world.postbox.url,
        "swarm",
        "--at",
        point,
        "--signal",
        str(int(signal.SIGSTOP)),
    )
    while world.row(key)["state"] != "SENDING":
        assert process.poll() is None
    world.appoint("legacy")
    world.age(key, 60)
    assert run_round(world.publisher("legacy")).reaped_unknown == 1
    assert process.wait(timeout=10) == -signal.SIGKILL
    let_time_pass(world, key, "legacy")
    assert world.postbox.posts == []
    assert_invariants(world, key)
