"""A few compute at a time, whoever waits for the model lets another in, and none is lost."""

import contextvars
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from swarm.prefetch.seats import Seats
from swarm.specialists.turns import NobodyElse, NoTurnError


class Counted:
    """How many are at work now, and at most so far."""

    def __init__(self) -> None:
        self._lock, self.now, self.most = threading.Lock(), 0, 0

    @contextmanager
    def working(self, seconds: float = 0.01) -> Iterator[None]:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(seconds)
        yield
        with self._lock:
            self.now -= 1


def thought(seats: Seats, work: Counted) -> None:
    with seats.taken():
        with work.working():
            pass
        with seats.turn("m"):
            time.sleep(0.05)
        with work.working():
            pass


def test_no_more_compute_than_there_are_seats_and_all_are_done() -> None:
    seats, work = Seats(NobodyElse(), 3), Counted()
    with ThreadPoolExecutor(20) as pool:
        done = [pool.submit(thought, seats, work) for _ in range(40)]
    assert all(each.exception() is None for each in done)
    assert work.most == 3


def test_while_the_model_is_waited_for_others_have_the_seat() -> None:
    seats = Seats(NobodyElse(), 1)
    asked, other = threading.Event(), threading.Event()

    def waits() -> None:
        with seats.taken(), seats.turn("m"):
            asked.set()
            assert other.wait(10)

    waiting = threading.Thread(target=waits)
    waiting.start()
    assert asked.wait(10)
    with seats.taken():
        other.set()
    waiting.join(10)
    assert not waiting.is_alive()


def test_three_reviews_side_by_side_give_one_seat_away_and_take_one_again() -> None:
    seats, work = Seats(NobodyElse(), 2), Counted()

    def review() -> None:
        with seats.turn("m"):
            time.sleep(0.05)

    def one() -> None:
        with seats.taken(), ThreadPoolExecutor(3) as reviewers:
            with work.working():
                pass
            for asked in [
                reviewers.submit(contextvars.copy_context().run, review) for _ in range(3)
            ]:
                asked.result()
            with work.working():
                pass

    with ThreadPoolExecutor(12) as pool:
        done = [pool.submit(one) for _ in range(24)]
    assert all(each.exception() is None for each in done)
    assert work.most == 2
    assert seats._free._value == 2, "every seat is there again"


def test_a_turn_that_is_not_to_be_had_gives_the_seat_back_all_the_same() -> None:
    class Nobody(NobodyElse):
        @contextmanager
        def turn(self, name: str) -> Iterator[None]:
            raise NoTurnError
            yield

    seats = Seats(Nobody(), 1)
    for _ in range(3):
        with pytest.raises(NoTurnError), seats.taken(), seats.turn("m"):
            pass
    with seats.taken():
        pass


def test_who_has_no_seat_asks_without_one() -> None:
    seats = Seats(NobodyElse(), 1)
    with seats.taken():
        asked = threading.Thread(target=lambda: seats.turn("m").__enter__())
        asked.start()
        asked.join(10)
        assert not asked.is_alive()
