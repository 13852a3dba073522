"""Who asks at once shares one reading, and nobody waits for one that hangs."""

import threading
from concurrent.futures import ThreadPoolExecutor

from prometheus_client.core import GaugeMetricFamily

from swarm.observe.metrics.collector import SharedReading
from swarm.observe.metrics.shared import Shared
from swarm.observe.metrics.streams import Reader, StreamWaits


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_ten_that_ask_at_once_cause_one_reading() -> None:
    begun, go, counted = threading.Semaphore(0), threading.Event(), []

    def read() -> int:
        begun.release()
        go.wait(10)
        counted.append(1)
        return len(counted)

    shared = Shared(read, kept=60, patience=10)
    with ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(shared.get) for _ in range(10)]
        begun.acquire()
        go.set()
        assert [each.result(10) for each in asked] == [1] * 10
    assert counted == [1]


def test_an_answer_is_kept_for_a_moment_and_then_asked_anew() -> None:
    clock, answers = Clock(), iter(range(10))
    shared = Shared(lambda: next(answers), kept=5, patience=10, clock=clock)
    assert [shared.get(), shared.get()] == [0, 0]
    clock.now += 4.9
    assert shared.get() == 0
    clock.now += 0.1
    assert shared.get() == 1


def test_a_reading_that_hangs_is_told_as_down_and_no_second_one_is_begun() -> None:
    hangs, begun = threading.Event(), []

    def read() -> list[GaugeMetricFamily]:
        begun.append(1)
        hangs.wait(10)
        return [GaugeMetricFamily("swarm_up", "x", value=1)]

    collector = SharedReading(read, patience=0.05)
    for _ in range(3):
        assert [(f.name, f.samples[0].value) for f in collector.collect()] == [("swarm_up", 0)]
    hangs.set()
    assert begun == [1]


def test_what_is_unread_waits_since_it_was_first_seen() -> None:
    clock = Clock()
    waiting = StreamWaits(clock)

    def seconds(size: int, unread: int) -> float:
        return waiting.seconds(Reader("tables", "work_orders", unread, size, changed=990.0))

    assert seconds(100, 0) == 0
    clock.now = 1010
    assert seconds(150, 50) == 20  # first seen now; the file was last written at 990
    clock.now = 1020
    assert seconds(200, 100) == 30  # more came; the oldest byte is what counts
    clock.now = 1025
    assert seconds(200, 50) == 5  # the first fifty were read; the others are here since 1020
    assert seconds(200, 0) == 0
    assert seconds(20, 20) == 35  # another file: as old as its last change
