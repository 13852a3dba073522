"""What nobody knows is resolved by looking into the mailbox."""

import threading

import httpx
import pytest
import uvicorn
from postbox import Postbox
from publishing_world import World

from swarm.publishing.dispatcher import dispatch_once
from swarm.publishing.guard import admit, guard_application
from swarm.publishing.reconciler import Reconciled, reconcile
from swarm.publishing.tick import tick
from swarm.store.database import Database

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


@pytest.mark.parametrize("folder", ["sentitems", "archive", "deleteditems"])
def test_a_draft_a_person_sent_or_moved_is_confirmed(world: World, folder: str) -> None:
    """T41: edited, sent, moved, deleted: never sent again."""
    key = doubtful(world, "ok")
    world.postbox.drafts[0]["folder"] = folder
    assert outcomes(world) == [Reconciled.CONFIRMED]
    assert world.row(key)["draft_folder"] == folder
    assert world.row(key)["order_state"] == "published"


def test_a_purged_draft_is_held_and_never_sent_again(world: World) -> None:
    key = doubtful(world, "ok")
    world.postbox.drafts.clear()
    world.age(key, 1801)
    assert outcomes(world) == [Reconciled.HELD]
    tick(world.publisher())
    assert len(world.postbox.posts) == 1


def test_two_drafts_are_an_alert_and_the_oldest_is_kept(world: World) -> None:
    key = doubtful(world, "duplicate")
    assert outcomes(world) == [Reconciled.CONFIRMED]
    assert world.row(key)["draft_id"] == "draft-1"
    assert world.alerts(key) == ["publication.duplicate"]


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


# --- the guard in the Zap -------------------------------------------------------------------------


def with_guard(world: World) -> None:
    """Let the postbox's Zap ask the guard before it drafts."""

    def ask(key: str, fence: int) -> bool:
        with world.database.transaction() as connection:
            return admit(connection, key, fence)

    world.postbox.guard = ask


def test_with_the_guard_an_unknown_post_is_sent_once_more_and_drafted_once(world: World) -> None:
    """Variant E: the first item was only late; the guard drops it."""
    with_guard(world)
    key = world.ready()
    world.postbox.mode = "delay"
    world.postbox.before_answer = lambda: setattr(world.postbox, "mode", "reply lost")
    dispatch_once(world.publisher())
    world.postbox.before_answer, world.postbox.mode = (lambda: None), "ok"
    world.age(key, 1801)
    assert outcomes(world, guard_in_zap=True) == [Reconciled.RESENT]
    dispatch_once(world.publisher())
    world.postbox.release_delayed()
    assert [post["fence"] for post in world.postbox.posts_of(key)] == ["1", "2"]
    assert [draft["fence"] for draft in world.postbox.drafts_of(key)] == ["2"]
    assert outcomes(world) == [Reconciled.CONFIRMED]


def test_never_a_third_post_after_two_that_may_have_arrived(world: World) -> None:
    with_guard(world)
    key = world.ready()
    world.postbox.mode = "500 before"
    for _ in range(4):
        dispatch_once(world.publisher())
        world.age(key, 1801)
        outcomes(world, guard_in_zap=True)
    row = world.row(key)
    assert (row["state"], row["uncertain_posts"], row["fence"]) == ("HELD", 2, 2)


def test_a_zap_that_dies_between_guard_and_draft_leaves_the_row_held(world: World) -> None:
    """T63: late, never twice."""
    key = doubtful(world, "500 before")
    with world.database.transaction() as connection:
        assert admit(connection, key, 1)
    world.age(key, 1801)
    assert outcomes(world, guard_in_zap=True) == [Reconciled.HELD]


def test_repeated_deliveries_are_stopped_by_the_guard(world: World) -> None:
    """T35 with the guard: one draft."""
    with_guard(world)
    key = doubtful(world, "duplicate")
    assert len(world.postbox.drafts_of(key)) == 1


def test_the_guard_speaks_http_and_admits_a_fence_once(
    world: World, database: Database, postbox: Postbox
) -> None:
    key = doubtful(world, "paused")
    server = uvicorn.Server(
        uvicorn.Config(guard_application(database), port=0, log_level="error", lifespan="off")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            threading.Event().wait(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}/claim"
        question = {"key": key, "fence": 1}
        stale = {"key": key, "fence": 0}
        answers = [httpx.post(url, json=body) for body in (stale, question, question, ["?"])]
    finally:
        server.should_exit = True
        thread.join()
    assert [answer.status_code for answer in answers] == [409, 200, 409, 400]
