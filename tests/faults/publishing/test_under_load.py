"""Switches and kills under load: every work order still ends with one draft, or held."""

import random
import signal
import subprocess
import threading
from collections.abc import Callable

import pytest
from publisher_process import start
from publishing_world import World

from swarm.publishing.dispatch.dispatcher import dispatch_once
from swarm.publishing.dispatch.round import run_round

pytestmark = [pytest.mark.faults, pytest.mark.integration]

BOTH = ("swarm", "legacy")


def both_paths_handle(world: World, count: int) -> list[str]:
    """Work orders whose payload both publishers have stored."""
    keys = [world.ready(number) for number in range(1, count + 1)]
    for key in keys:
        world.enqueue(key, "legacy")
    return keys


def until_set(done: threading.Event, work: Callable[[], object]) -> threading.Thread:
    def repeat() -> None:
        while not done.is_set():
            work()

    thread = threading.Thread(target=repeat)
    thread.start()
    return thread


def quiesce(world: World) -> None:
    """Let time pass until everything has ended: reap, look, settle."""
    world.appoint("swarm")
    for seconds in (600, 600, 1801, 600):
        world.age_all(seconds)
        while not run_round(world.publisher()).idle:
            pass


def assert_each_has_one_draft_or_is_held(world: World, keys: list[str]) -> None:
    for key in keys:
        row, drafts = world.row(key), world.postbox.drafts_of(key)
        assert len(drafts) <= 1
        assert row["state"] == ("CONFIRMED" if drafts else "HELD")
        assert world.alerts(key) == ([] if drafts else ["work_order.held"])


@pytest.mark.fault("T37", "T38")
def test_a_hundred_switches_under_load_neither_double_nor_lose_a_draft(world: World) -> None:
    """T37, T38: both publishers dispatch all the time; the switch goes back and forth."""
    keys = both_paths_handle(world, 12)
    done = threading.Event()
    threads = [until_set(done, lambda me=me: dispatch_once(world.publisher(me))) for me in BOTH * 2]
    for number in range(100):
        world.appoint(BOTH[number % 2])
    done.set()
    for thread in threads:
        thread.join()
    posted_by_now = {world.row(key)["publisher"] for key in keys}
    quiesce(world)
    assert posted_by_now <= set(BOTH)
    assert {world.row(key)["state"] for key in keys} == {"CONFIRMED"}
    assert [len(world.postbox.drafts_of(key)) for key in keys] == [1] * len(keys)


@pytest.mark.fault("T30", "T64")
@pytest.mark.parametrize("seed", [1, 2])
def test_publishers_killed_at_random_while_the_switch_goes_back_and_forth(
    world: World, seed: int
) -> None:
    """T30, T64 in small: kill -9 at any line of the real loops."""
    chance = random.Random(seed)
    keys = both_paths_handle(world, 12)
    world.postbox.before_answer = lambda: threading.Event().wait(0.02)

    def begin(me: str) -> "subprocess.Popen[bytes]":
        return start(world.database.url, world.postbox.url, me, "--loop")

    running = {me: begin(me) for me in BOTH}
    for _ in range(5):
        threading.Event().wait(chance.uniform(0.2, 0.6))
        me = chance.choice(BOTH)
        running[me].send_signal(signal.SIGKILL)
        running[me].wait()
        world.appoint(chance.choice(BOTH))
        running[me] = begin(me)
    for process in running.values():
        process.kill()
        process.wait()
    quiesce(world)
    assert_each_has_one_draft_or_is_held(world, keys)
