"""A call into a library whose connection nobody here can cut."""

import threading
from contextlib import suppress

import pytest

from swarm.specialists.chat.deadline import OutOfBoundsError, OutOfTimeError, within


def test_what_the_call_gives_or_raises_comes_back() -> None:
    assert within(60, lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        within(60, lambda: 1 / 0)


def test_a_time_out_of_the_librarys_own_is_told_from_ours() -> None:
    def slow() -> None:
        raise TimeoutError("the library's")

    with pytest.raises(TimeoutError, match="the library's"):
        within(60, slow)


def test_a_call_that_never_ends_is_left_and_stopped() -> None:
    """A library that reads byte by byte for ever, catching everything it knows."""
    stopped = threading.Event()

    def trickle() -> None:
        try:
            while True:
                with suppress(Exception):
                    threading.Event().wait(0.001)
        finally:
            stopped.set()

    with pytest.raises(OutOfTimeError):
        within(0.05, trickle)
    assert stopped.wait(30)


def test_a_call_that_fills_the_memory_is_left_long_before_its_time() -> None:
    stopped = threading.Event()

    def swallow() -> None:
        held = []
        try:
            while True:
                held.append(bytearray(1 << 20))
                threading.Event().wait(0.001)
        finally:
            held.clear()
            stopped.set()

    with pytest.raises(OutOfBoundsError):
        within(600, swallow, most_bytes=64 << 20)
    assert stopped.wait(30)
