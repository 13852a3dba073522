"""The small parts: process identity, posts in flight, rate limit and back-off."""

import multiprocessing
import os
import subprocess
import sys

import pytest
from publishing_world import NOON, key_of, payload

from swarm.clients.protocol import HookReceipt
from swarm.process_identity import Fate, end, fate, start_time, this_process
from swarm.publishing.control import PublisherName
from swarm.publishing.dispatch.in_flight import InFlight, PostAccepted
from swarm.publishing.dispatch.rate_limit import RateLimit
from swarm.publishing.ledger.claim import SendClaim

KEY = key_of(1)


def held(fence: int = 1) -> SendClaim:
    return SendClaim(
        work_order_key=KEY,
        publisher=PublisherName.SWARM,
        fence=fence,
        epoch=1,
        attempts=1,
        intent_at=NOON,
        payload=payload(KEY),
    )


def test_this_process_knows_itself_and_nobody_else() -> None:
    us = this_process()
    assert fate(us) is Fate.OURSELVES
    assert fate(us.model_copy(update={"starttime": us.starttime + 1})) is Fate.DEAD
    assert fate(us.model_copy(update={"boot_id": "earlier"})) is Fate.DEAD
    assert fate(us.model_copy(update={"host": "elsewhere"})) is Fate.ELSEWHERE


def test_a_zombie_is_dead_and_a_stopped_process_can_be_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "import os; os.kill(os.getpid(), 19)"]) as child:
        os.waitpid(child.pid, os.WUNTRACED)
        started = start_time(child.pid)
        assert started is not None
        owner = this_process().model_copy(update={"pid": child.pid, "starttime": started})
        assert fate(owner) is Fate.ALIVE
        assert end(owner)
        assert start_time(child.pid) is None  # not yet waited for: a zombie
        assert fate(owner) is Fate.DEAD
        assert end(owner)
    assert start_time(child.pid) is None


def test_an_outcome_is_kept_until_the_ledger_knows_it() -> None:
    in_flight = InFlight()
    in_flight.begin(KEY, 1)
    assert in_flight.posting(KEY, 1)
    outcome = PostAccepted(HookReceipt(http_status=200))
    in_flight.end(held(), outcome)
    assert not in_flight.posting(KEY, 1)
    assert in_flight.unrecorded() == ((held(), outcome),)
    in_flight.forget(KEY, 1)
    assert in_flight.unrecorded() == ()


def _child_sees(in_flight: InFlight, answer: "multiprocessing.Queue[bool]") -> None:
    answer.put(in_flight.posting(KEY, 1))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # fork beside threads: that is the point
def test_a_forked_child_owns_no_flight_of_its_parent() -> None:
    in_flight = InFlight()
    in_flight.begin(KEY, 1)
    context = multiprocessing.get_context("fork")
    answer = context.Queue()
    child = context.Process(target=_child_sees, args=(in_flight, answer))
    child.start()
    assert answer.get(timeout=10) is False
    child.join()
    assert in_flight.posting(KEY, 1)


def test_posts_are_spaced_evenly() -> None:
    now, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 6))
        now[0] += seconds

    limit = RateLimit(30.0, clock=lambda: now[0], sleep=sleep)
    for _ in range(4):
        limit.wait()
    assert slept == [round(1 / 30, 6)] * 3
