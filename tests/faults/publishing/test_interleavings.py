"""Claim, record, reap and flip in every order of their steps: only legal outcomes.

After Postgres' own isolation tester: each session has a connection and does its steps one after the
other; all orders in which the steps of three sessions can begin are tried. A step that waits for a
lock lets the others go on, as in life.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import permutations
from uuid import uuid4

import psycopg
import pytest
from proven import certify
from publishing_world import World

from swarm.clients.protocol import HookReceipt
from swarm.errors import SwarmError
from swarm.process_identity import this_process
from swarm.publishing.control import PublisherName
from swarm.publishing.ledger.claim import claim, next_candidate
from swarm.publishing.ledger.transitions import record_accepted, record_unknown
from swarm.publishing.switch.commands import flip
from swarm.store.database import Connection, Database

pytestmark = [pytest.mark.faults, pytest.mark.integration]

_BLOCKED = 0.03  # seconds until a step is taken to wait for a lock
_LONGEST = 30.0
FLIPS, CLAIMERS = 50, 8

Step = Callable[[Connection], object]


class Session(threading.Thread):
    """One connection that does one thing in a transaction: begin and do it, then commit."""

    def __init__(self, database: Database, act: Step) -> None:
        super().__init__(daemon=True)
        self._database, self._act = database, act
        self._go: queue.Queue[None] = queue.Queue()
        self._done: queue.Queue[None] = queue.Queue()
        self.came_to: object = None
        self.start()

    def step(self) -> None:
        """Let the next step begin; returns when it is done or waits."""
        self._go.put(None)
        with suppress(queue.Empty):
            self._done.get(timeout=_BLOCKED)

    def run(self) -> None:
        """Do the act, wait, commit."""
        self._go.get()
        try:
            with self._database.transaction() as connection:
                self.came_to = self._act(connection)
                self._done.put(None)
                self._go.get()
        except (SwarmError, psycopg.Error) as error:
            self.came_to = error
        self._done.put(None)


def orders(sessions: int) -> Iterator[Sequence[int]]:
    """Every order in which two steps of each of so many sessions can begin."""
    yield from sorted(set(permutations([n for n in range(sessions) for _ in range(2)])))


def play(database: Database, order: Sequence[int], acts: Sequence[Step]) -> list[object]:
    sessions = [Session(database, act) for act in acts]
    for number in order:
        sessions[number].step()
    for session in sessions:
        session.join(_LONGEST)
        assert not session.is_alive(), "no order of steps may block for ever"
    return [session.came_to for session in sessions]


def claims(world: World, me: str = "swarm") -> Step:
    """What a dispatcher does between its look and its POST."""
    deps = world.publisher(me)
    limits = {"required_rules": deps.required_rules, "max_attempts": 5}

    def act(connection: Connection) -> object:
        candidate = next_candidate(connection, deps.me, **limits)  # type: ignore[arg-type]
        if candidate is None:
            return None
        return claim(
            connection, candidate, this_process(), permitted=deps.may_claim, claim_id=uuid4(),  # type: ignore[arg-type]
            **limits,
        )  # fmt: skip

    return act


def flips(to: str) -> Step:
    return lambda connection: flip(connection, PublisherName(to), actor="test", reason="test")


@pytest.mark.fault("T27")
@pytest.mark.parametrize("other", ["legacy", "none"])
def test_two_claims_and_a_flip_in_every_order_make_at_most_one_claim(
    world: World, other: str
) -> None:
    for number, order in enumerate(orders(3), start=1):
        certify(world.database)
        world.appoint("swarm")
        key = world.ready(number)
        first, second, flipped = play(
            world.database, order, [claims(world), claims(world), flips(other)]
        )
        row = world.row(key)
        won = [each for each in (first, second) if getattr(each, "fence", None) is not None]
        assert len(won) <= 1, order
        assert not isinstance(flipped, Exception), (order, flipped)
        if won:
            assert (row["state"], row["fence"], row["publisher"]) == ("SENDING", 1, "swarm"), order
        else:
            assert row["state"] in {"READY", "PENDING_PAYLOAD"}, order
            assert row["fence"] == 0, order
        _put_away(world, key)


@pytest.mark.fault("T27")
def test_a_recorder_a_reaper_and_a_flip_in_every_order_make_one_move(world: World) -> None:
    for number, order in enumerate(orders(3), start=1):
        certify(world.database)
        world.appoint("swarm")
        key = world.ready(number)
        with world.database.transaction() as connection:
            assert claims(world)(connection) is not None
        recorded, reaped, flipped = play(
            world.database,
            order,
            [
                lambda c, key=key: record_accepted(c, key, 1, HookReceipt(http_status=200)),
                lambda c, key=key: record_unknown(c, key, 1, "reaped"),
                flips("legacy"),
            ],
        )
        row = world.row(key)
        # Whoever is late finds that it was not its to move; a receipt outweighs a guess.
        assert row["state"] in {"ACCEPTED", "UNKNOWN"}, order
        assert row["publisher"] == "swarm", order
        assert True in (recorded, reaped), order
        assert not isinstance(flipped, Exception), (order, flipped)
        _put_away(world, key)


@pytest.mark.fault("T28")
def test_no_flip_starves_behind_eight_claimers(
    world: World, record_property: Callable[[str, object], None]
) -> None:
    """Fifty flips while eight sessions claim without a pause: each gets its turn."""
    done, taken = threading.Event(), []

    def work() -> None:
        database = Database(world.database.url, max_connections=1)
        act = claims(world)
        while not done.is_set():
            with suppress(SwarmError), database.transaction() as connection:
                act(connection)
        database.close()

    for number in range(CLAIMERS):
        world.ready(number)
    threads = [threading.Thread(target=work) for _ in range(CLAIMERS)]
    for thread in threads:
        thread.start()
    try:
        for number in range(FLIPS):
            began = time.monotonic()
            world.appoint(("legacy", "swarm")[number % 2])
            taken.append(time.monotonic() - began)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert len(taken) == FLIPS
    record_property("longest flip in milliseconds", round(1000 * max(taken)))


def _put_away(world: World, key: str) -> None:
    """End it, so that the next order finds one work order alone."""
    world.write("UPDATE publication_ledger SET state = 'HELD' WHERE work_order_key = %s", key)
