"""The small parts: owners, flights, pace, back-off, and when one more POST is safe."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from publishing_world import NOON, key_of, payload

from swarm.clients.protocol import HookReceipt
from swarm.publishing.claim import Claim
from swarm.publishing.flights import Accepted, Flights
from swarm.publishing.owner import Fate, end, fate, start_time, this_process
from swarm.publishing.pace import Pace
from swarm.publishing.reconciler import Doubtful, may_resend
from swarm.publishing.states import LedgerState, PublisherName

KEY = key_of(1)


def held(fence: int = 1) -> Claim:
    return Claim(
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
    flights = Flights()
    flights.begin(KEY, 1)
    assert flights.flying(KEY, 1)
    outcome = Accepted(HookReceipt(http_status=200))
    flights.land(held(), outcome)
    assert not flights.flying(KEY, 1)
    assert flights.landed() == ((held(), outcome),)
    flights.forget(KEY, 1)
    assert flights.landed() == ()


def _child_sees(flights: Flights, answer: "multiprocessing.Queue[bool]") -> None:
    answer.put(flights.flying(KEY, 1))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # fork beside threads: that is the point
def test_a_forked_child_owns_no_flight_of_its_parent() -> None:
    flights = Flights()
    flights.begin(KEY, 1)
    context = multiprocessing.get_context("fork")
    answer = context.Queue()
    child = context.Process(target=_child_sees, args=(flights, answer))
    child.start()
    assert answer.get(timeout=10) is False
    child.join()
    assert flights.flying(KEY, 1)


def test_posts_are_spaced_evenly() -> None:
    now, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 6))
        now[0] += seconds

    pace = Pace(30.0, clock=lambda: now[0], sleep=sleep)
    for _ in range(4):
        pace.wait()
    assert slept == [round(1 / 30, 6)] * 3


GOOD = Doubtful(
    work_order_key=KEY,
    state=LedgerState.UNKNOWN,
    fence=1,
    delivered_fence=None,
    uncertain_posts=1,
    created_at=NOON,
    conversation_id="c",
    settled=True,
    overdue=True,
    forgotten=False,
)


def test_one_more_post_is_safe_behind_the_guard() -> None:
    assert may_resend(GOOD, guard_in_zap=True, max_attempts=5)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda ask: ask(GOOD, guard_in_zap=False, max_attempts=5),
        lambda ask: ask(GOOD, guard_in_zap=True, max_attempts=1),
        lambda ask: ask(
            GOOD.model_copy(update={"delivered_fence": 1}), guard_in_zap=True, max_attempts=5
        ),
        lambda ask: ask(
            GOOD.model_copy(update={"uncertain_posts": 2}), guard_in_zap=True, max_attempts=5
        ),
        lambda ask: ask(
            GOOD.model_copy(update={"state": LedgerState.ACCEPTED}),
            guard_in_zap=True,
            max_attempts=5,
        ),
    ],
    ids=["no guard", "attempts used up", "admitted before", "two uncertain posts", "accepted"],
)
def test_one_more_post_is_not_safe_when(spoil: Callable[..., bool]) -> None:
    assert not spoil(may_resend)
