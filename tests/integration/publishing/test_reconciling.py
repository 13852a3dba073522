"""What nobody knows is resolved by looking into the mailbox."""

import pytest
from publishing_world import World

from swarm.publishing.dispatch.dispatcher import Dispatched, dispatch_once
from swarm.publishing.dispatch.reconciler import Reconciled, reconcile
from swarm.publishing.dispatch.round import run_round
from swarm.publishing.dispatch.sweeper import sweep
from swarm.store.alerts import open_alerts

pytestmark = pytest.mark.integration


def doubtful(world: World, mode: str) -> str:
    """A publication the hook took, or may have taken, in the given mode."""
    key = world.ready()
    world.postbox.mode = mode
    dispatch_once(world.publisher())
    world.postbox.mode = "ok"
    return key


def outcomes(world: World, **changes: object) -> list[Reconciled]:
    return [result.outcome for result in reconcile(world.publisher(**changes))]


@pytest.mark.fault("T34")
def test_a_delayed_draft_is_waited_for_and_not_sent_again(world: World) -> None:
    """T34: Zapier may answer 200 and draft minutes later."""
    key = doubtful(world, "delay")
    assert outcomes(world) == [Reconciled.WAITING]
    world.age(key, 600)
    assert outcomes(world) == [Reconciled.WAITING]
    world.postbox.release_delayed()
    world.age(key, 60)
    assert outcomes(world) == [Reconciled.CONFIRMED]
    assert len(world.postbox.posts) == 1


@pytest.mark.fault("T63")
@pytest.mark.parametrize("mode", ["paused", "500 before"])
def test_what_stays_absent_after_settling_is_held_and_alerted(world: World, mode: str) -> None:
    key = doubtful(world, mode)
    world.age(key, 1801)
    assert outcomes(world) == [Reconciled.HELD]
    assert (world.row(key)["state"], world.row(key)["order_state"]) == ("HELD", "held")
    assert world.alerts(key) == ["work_order.held"]


def test_a_held_publication_is_confirmed_when_its_draft_turns_up(world: World) -> None:
    key = doubtful(world, "delay")
    world.age(key, 1801)
    assert outcomes(world) == [Reconciled.HELD]
    world.postbox.release_delayed()
    world.age(key, 600)
    assert outcomes(world) == [Reconciled.CONFIRMED]
    assert (world.row(key)["state"], world.row(key)["order_state"]) == ("CONFIRMED", "published")
    assert world.alerts(key) == []


@pytest.mark.fault("T41")
@pytest.mark.parametrize("folder", ["sentitems", "archive", "deleteditems"])
def test_a_draft_a_person_sent_or_moved_is_confirmed(world: World, folder: str) -> None:
    """T41: edited, sent, moved, deleted: never sent again."""
    key = doubtful(world, "ok")
    world.postbox.drafts[0]["folder"] = folder
    assert outcomes(world) == [Reconciled.CONFIRMED]
    assert world.row(key)["draft_folder"] == folder
    assert world.row(key)["order_state"] == "published"


@pytest.mark.fault("T41")
def test_a_purged_draft_is_held_and_never_sent_again(world: World) -> None:
    key = doubtful(world, "ok")
    world.postbox.drafts.clear()
    world.age(key, 1801)
    assert outcomes(world) == [Reconciled.HELD]
    run_round(world.publisher())
    assert len(world.postbox.posts) == 1


@pytest.mark.fault("T35")
def test_two_drafts_are_an_alert_and_the_oldest_is_kept(world: World) -> None:
    key = doubtful(world, "duplicate")
    assert outcomes(world) == [Reconciled.CONFIRMED]
    assert world.row(key)["draft_id"] == "draft-1"
    assert world.alerts(key) == ["publication.duplicate"]


@pytest.mark.fault("T35")
def test_a_second_draft_that_comes_late_is_found_by_the_last_look(world: World) -> None:
    """T35: a Zap replays a step after we were satisfied."""
    key = doubtful(world, "ok")
    assert outcomes(world) == [Reconciled.CONFIRMED]
    world.postbox.draft(world.postbox.posts[0])
    assert outcomes(world) == []
    world.age(key, 1801)
    assert outcomes(world) == [Reconciled.DUPLICATE]
    assert world.alerts(key) == ["publication.duplicate"]
    world.age(key, 9999)
    assert outcomes(world) == []


def test_a_third_draft_is_told_though_the_second_was(world: World) -> None:
    key = doubtful(world, "duplicate")
    assert outcomes(world) == [Reconciled.CONFIRMED]
    world.postbox.draft(world.postbox.posts[0])
    world.age(key, 1801)
    assert outcomes(world) == [Reconciled.DUPLICATE]
    with world.database.transaction() as connection:
        [alert] = open_alerts(connection)
    assert (alert.kind, alert.subject, alert.count) == ("publication.duplicate", key, 3)
    assert alert.detail.startswith("3 drafts")


def test_one_that_ended_without_a_post_is_not_stuck_any_more(world: World) -> None:
    key = world.ready()
    world.age(key, 1801)
    sweep(world.publisher())
    assert world.alerts(key) == ["publication.stuck"]
    world.write("UPDATE publication_ledger SET attempts = 99 WHERE work_order_key = %s", key)
    assert sweep(world.publisher()).ended == 1
    assert world.alerts(key) == ["work_order.dead"]


@pytest.mark.fault("T42")
def test_a_mailbox_that_cannot_be_searched_changes_nothing_and_is_alerted_in_time(
    world: World,
) -> None:
    """T42: stays as it is, even long after settling; absence was not seen."""
    key = doubtful(world, "reply lost")
    world.postbox.search_down = True
    assert outcomes(world) == [Reconciled.UNAVAILABLE]
    assert world.alerts(key) == []
    world.age(key, 1801)
    assert outcomes(world) == [Reconciled.UNAVAILABLE]
    assert world.row(key)["state"] == "UNKNOWN"
    assert world.alerts(key) == ["publication.unconfirmed"]
    world.postbox.search_down = False
    world.age(key, 300)
    assert outcomes(world) == [Reconciled.CONFIRMED]
    assert world.alerts(key) == []


def test_never_a_third_post_after_two_that_may_have_arrived(world: World) -> None:
    """Whatever made the row ready again: it is not claimed any more, and held for a person."""
    key = world.ready()
    world.write(
        "UPDATE publication_ledger SET uncertain_posts = 2, ever_uncertain = true"
        " WHERE work_order_key = %s",
        key,
    )
    assert dispatch_once(world.publisher()).outcome is Dispatched.IDLE
    assert sweep(world.publisher()).ended == 1
    assert world.row(key)["state"] == "HELD"
    assert world.postbox.posts == []
