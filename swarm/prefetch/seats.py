"""Of many work orders in hand, a few are worked on; one that waits for the model gives way.

Forty-eight threads that compute by turns all end late: with 240 mails at once the first was thought
through after 19 s, of which it waited 9 for the model, and until then no run had anything to do.
What lives elsewhere: whose turn it is to ask (``swarm.specialists.turns``).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from swarm.specialists.turns import Turns

SEATS: Final = 8
"""Two cores need fewer; the mailbox and the CRM are waited for as well, four requests at a time."""

_seat: ContextVar["_Seat | None"] = ContextVar("seat", default=None)


class Seats:
    """``Turns`` that give the seat of a work order away for as long as one is waited for.

    Its reviews are asked side by side: the seat goes with the first that waits and is taken again
    by the last that comes back. LangGraph hands the context on to their threads; in a thread
    without it nothing is given away.
    """

    def __init__(self, turns: Turns, seats: int = SEATS) -> None:
        self._turns = turns
        self._free = threading.Semaphore(seats)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Have a seat until the end of the block, but for when the model is waited for."""
        with self._free:
            token = _seat.set(_Seat(self._free))
            try:
                yield
            finally:
                _seat.reset(token)

    @contextmanager
    def turn(self, name: str) -> Iterator[None]:
        """See the protocol."""
        seat = _seat.get()
        if seat is None:
            with self._turns.turn(name):
                yield
            return
        seat.leave()
        try:
            with self._turns.turn(name):
                yield
        finally:
            seat.come_back()

    def hold(self, name: str, seconds: float) -> None:
        """See the protocol."""
        self._turns.hold(name, seconds)


class _Seat:
    def __init__(self, free: threading.Semaphore) -> None:
        self._free, self._lock, self._away = free, threading.Lock(), 0

    def leave(self) -> None:
        with self._lock:
            self._away += 1
            first = self._away == 1
        if first:
            self._free.release()

    def come_back(self) -> None:
        with self._lock:
            self._away -= 1
            last = self._away == 0
        if last:
            self._free.acquire()
