"""Carrying a schedule out: each stroke in a thread of its own, never two of one group at once."""

import threading
import time
import traceback
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import httpx
import psycopg

from weather.house import NotNow
from weather.kinds import World
from weather.schedule import Stroke

_LONGEST_END = 420.0


@dataclass
class Struck:
    """What became of a stroke. ``ended``: wall clock, when the fault was over."""

    stroke: Stroke
    at: float
    ended: float | None = None
    missed: str = ""
    trouble: str = ""


class Storm:
    """Everything that was struck, in order; ``trouble`` of the weather itself is a failure too."""

    def __init__(self, world: World, strokes: Sequence[Stroke]) -> None:
        self._world, self._strokes = world, strokes
        self.struck: list[Struck] = []
        self._groups: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._threads: list[threading.Thread] = []
        self._calm = threading.Event()

    def blow(self, until: threading.Event) -> None:
        """Strike on time until the schedule is over or somebody stops it."""
        began = time.monotonic()
        for stroke in self._strokes:
            if until.wait(max(0.0, began + stroke.at - time.monotonic())):
                break
            struck = Struck(stroke, time.time())
            self.struck.append(struck)
            lock = self._groups[stroke.kind.group]
            thread = threading.Thread(target=self._strike, args=(struck, lock), daemon=True)
            self._threads.append(thread)
            thread.start()

    def abate(self) -> None:
        """End every fault that still lasts; returns when all are over."""
        self._calm.set()
        deadline = time.monotonic() + _LONGEST_END
        for thread in self._threads:
            thread.join(max(0.1, deadline - time.monotonic()))
            if thread.is_alive():
                raise RuntimeError("a fault could not be ended")

    def lasting(self) -> list[str]:
        """The faults that last now."""
        found = [each for each in self.struck if not (each.ended or each.missed or each.trouble)]
        return [each.stroke.kind.name for each in found]

    def _strike(self, struck: Struck, lock: threading.Lock) -> None:
        stroke = struck.stroke
        with lock:
            if self._calm.is_set():
                struck.missed = "the weather was over"
                return
            struck.at = time.time()
            try:
                undo = stroke.kind.inject(self._world, Random(stroke.chance))
                self._calm.wait(stroke.seconds)
                undo()
            except (NotNow, psycopg.Error, httpx.HTTPError, ProcessLookupError) as error:
                struck.missed = f"{type(error).__name__}: {error}".splitlines()[0]
            except Exception:  # noqa: BLE001 - whatever it is, the report names it and fails
                struck.trouble = traceback.format_exc()
            else:
                struck.ended = time.time()
