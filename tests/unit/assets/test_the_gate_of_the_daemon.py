"""The daemon goes on only while the server says that the lock is its own."""

import pytest

from swarm.errors import DatabaseUnavailableError
from swarm_assets.runtime.one_daemon import Gate


class Lock:
    """A lock whose session breaks and comes back as it is told."""

    def __init__(self) -> None:
        self.session = False
        self.away = 0

    def take(self) -> None:
        if self.away:
            self.away -= 1
            raise DatabaseUnavailableError("away")
        self.session = True

    def held(self) -> bool:
        return self.session


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def gate_of(lock: Lock, clock: Clock) -> Gate:
    gate = Gate(lock, clock)  # type: ignore[arg-type]
    lock.take()
    gate.look()
    return gate


def test_an_answer_is_believed_for_seconds_and_no_longer(clock: Clock) -> None:
    """A server that does not answer, a process that was stopped, a machine that slept."""
    gate = gate_of(Lock(), clock)
    clock.now += 7
    assert gate.is_open()
    clock.now += 2
    assert not gate.is_open()
    gate.look()
    assert gate.is_open()


def test_a_slow_answer_counts_from_when_it_was_asked_for(clock: Clock) -> None:
    class Slow(Lock):
        def held(self) -> bool:
            clock.now += 9
            return True

    gate = gate_of(Slow(), clock)
    assert not gate.is_open()


def test_a_broken_session_is_taken_again_before_anything_goes_on(clock: Clock) -> None:
    lock = Lock()
    gate = gate_of(lock, clock)
    lock.session, lock.away = False, 2
    gate.look()
    assert lock.session
    assert lock.away == 0
    assert gate.is_open()
