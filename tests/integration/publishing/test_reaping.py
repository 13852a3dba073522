"""Claims nobody recorded: resolved only once their owner provably sends no more."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from publishing_world import World

from swarm.process_identity import ProcessIdentity, start_time, this_process
from swarm.publishing.dispatch.reaper import reap
from swarm.publishing.dispatch.round import run_round
from swarm.publishing.ledger.claim import claim, next_candidate
from swarm.publishing.ledger.transitions import record_unknown

pytestmark = pytest.mark.integration

Sleeper = subprocess.Popen[bytes]


@pytest.fixture
def sleeper() -> Iterator[Sleeper]:
    """A living process that could be a sender."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def owner_of(process: Sleeper) -> ProcessIdentity:
    started = start_time(process.pid)
    assert started is not None
    return this_process().model_copy(update={"pid": process.pid, "starttime": started})


def claimed_by(world: World, owner: ProcessIdentity, *, seconds_ago: float = 60) -> str:
    """A claim of ``owner``, older than twice the deadline, that nobody recorded."""
    key = world.ready()
    deps = world.publisher()
    limits = {"required_rules": deps.required_rules, "max_attempts": 5}
    with world.database.transaction() as connection:
        candidate = next_candidate(connection, deps.me, **limits)
        permitted = deps.permitted
        assert claim(connection, candidate, owner, permitted=permitted, **limits) is not None
    world.age(key, seconds_ago)
    return key


def test_a_hanging_sender_is_ended_before_its_claim_becomes_unknown(
    world: World, sleeper: Sleeper
) -> None:
    key = claimed_by(world, owner_of(sleeper))
    assert reap(world.publisher()).unknown == 1
    assert sleeper.wait(timeout=5) == -9
    assert world.row(key)["state"] == "UNKNOWN"


def test_a_young_claim_is_left_alone(world: World, sleeper: Sleeper) -> None:
    key = claimed_by(world, owner_of(sleeper), seconds_ago=30)
    assert reap(world.publisher()).unknown == 0
    assert sleeper.poll() is None
    assert world.row(key)["state"] == "SENDING"


@pytest.mark.parametrize(
    ("spoil", "state"),
    [
        (lambda owner: owner.model_copy(update={"starttime": owner.starttime - 1}), "UNKNOWN"),
        (lambda owner: owner.model_copy(update={"boot_id": "before the restart"}), "UNKNOWN"),
        (lambda owner: owner.model_copy(update={"host": "another/pid:[1]"}), "HELD"),
    ],
    ids=["the pid was recycled", "the machine was restarted", "another machine"],
)
def test_a_process_that_is_not_the_owner_is_never_killed(
    world: World, sleeper: Sleeper, spoil: Callable[[ProcessIdentity], ProcessIdentity], state: str
) -> None:
    key = claimed_by(world, spoil(owner_of(sleeper)))
    reap(world.publisher())
    assert sleeper.poll() is None
    assert world.row(key)["state"] == state
    assert world.alerts(key) == (["work_order.held"] if state == "HELD" else [])


def test_a_program_never_ends_itself_and_knows_whether_it_still_sends(world: World) -> None:
    key = claimed_by(world, this_process())
    deps = world.publisher()
    deps.in_flight.begin(key, 1)
    assert reap(deps).left == 1
    assert world.row(key)["state"] == "SENDING"
    assert world.alerts(key) == ["publication.stuck"]
    deps.in_flight.forget(key, 1)
    assert reap(deps).unknown == 1


def test_a_sender_that_may_not_be_ended_leaves_its_claim_held(
    world: World, sleeper: Sleeper
) -> None:
    def not_permitted(_owner: ProcessIdentity) -> bool:
        raise PermissionError

    key = claimed_by(world, owner_of(sleeper))
    assert reap(world.publisher(), kill=not_permitted).held == 1
    assert world.row(key)["state"] == "HELD"


def test_a_sender_that_does_not_exit_keeps_its_claim(world: World, sleeper: Sleeper) -> None:
    key = claimed_by(world, owner_of(sleeper))
    assert reap(world.publisher(), kill=lambda _owner: False).left == 1
    assert world.row(key)["state"] == "SENDING"


@pytest.mark.fault("T20")
def test_two_reapers_and_a_recorder_racing_make_one_move(world: World) -> None:
    """T20: a thousand times would only be slower."""
    dead = this_process().model_copy(update={"starttime": 1})
    key = claimed_by(world, dead)
    barrier = threading.Barrier(3)

    def record() -> None:
        barrier.wait()
        with world.database.transaction() as connection:
            record_unknown(connection, key, 1, "recorded late")

    def reap_too() -> None:
        barrier.wait()
        reap(world.publisher())

    threads = [threading.Thread(target=target) for target in (record, reap_too, reap_too)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.log(key).count("unknown") == 1
    assert world.row(key)["uncertain_posts"] == 1


def test_a_reaped_claim_is_held_after_settling_and_never_ready_by_age(world: World) -> None:
    dead = this_process().model_copy(update={"starttime": 1})
    key = claimed_by(world, dead)
    deps = world.publisher()
    run_round(deps)
    assert world.row(key)["state"] == "UNKNOWN"
    world.age(key, 1801)
    run_round(deps)
    row = world.row(key)
    assert (row["state"], row["order_state"]) == ("HELD", "held")
    assert "ready" not in world.log(key)[1:]
    assert world.postbox.posts == []
