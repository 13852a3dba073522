"""What do other engines cost on the same stages? In one run, in turns, on one Postgres:

* Dagster, ours: as `swarm up` runs it (pooled storage, warm workers behind Celery)
* Dagster, stock: the same definitions, with Dagster's own launcher (a process for each run),
  queue and daemon, and dagster-postgres as it comes
* DBOS: a durable workflow, its steps the steps of our job, through its queue
* bare worker: a SKIP LOCKED queue, the chain as a plain function: what any engine adds to

    .venv/bin/python bench/engines.py [--orders 30] [--turns 3] [--at-once 2] [--json FILE]

Each turn starts an engine's programs, warms them, gives a share of the work orders all at once, and
stops them. ``--at-once``: worker processes; of our runs three times as many may begin, the stock
one starts a process for each of twice as many. Same stages, tables, doubles (``rig``) and mail
for all.

*s a work order* is from the first one taken in hand to the last one done, by their number: the
middle of the turns, and the least and the most. *In hand* is one work order's own time, from when
a worker is asked for. CPU is told for the engine's programs (daemon, code server, workers and
whatever they start) and for Postgres; memory is the most that its programs had together (PSS).
"""

import argparse
import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any

import engine_fleets as fleets
from engine_fleets import Fleet, Span, lives
from process_tree import cpu_seconds, family, pss
from rig import Doubles, doubles, server
from throughput import wait

from swarm.stages.checkpointer import postgres_checkpointer
from swarm.store.database import Database

ENGINES = (fleets.ours, fleets.stock, fleets.dbos, fleets.bare)
SETTLING = 1.0  # what the last work order leaves behind: a process that ends, a last event
LONGEST = 60.0  # seconds a work order, the first ones included


@dataclass
class Seen:
    """What an engine took, over its turns."""

    a_work_order: list[float] = field(default_factory=list)
    in_hand: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    postgres_cpu: list[float] = field(default_factory=list)
    most_mb: float = 0.0

    def figures(self) -> dict[str, float]:
        pace = self.a_work_order
        return {
            "s a work order": round(statistics.median(pace), 3),
            "least": round(min(pace), 3),
            "most": round(max(pace), 3),
            "in hand, median s": round(statistics.median(self.in_hand), 3),
            "in hand, p95 s": round(percentile(self.in_hand, 0.95), 3),
            "CPU s a work order": round(statistics.median(self.cpu), 3),
            "Postgres CPU s a work order": round(statistics.median(self.postgres_cpu), 3),
            "memory, MB": round(self.most_mb),
        }


class Watched:
    """The most memory that some programs, and whatever they start, have together."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._pids, self._over = pids, threading.Event()
        self.most_mb = 0.0

    @contextmanager
    def watching(self) -> Iterator[None]:
        looking = threading.Thread(target=self._look)
        looking.start()
        try:
            yield
        finally:
            self._over.set()
            looking.join()

    def _look(self) -> None:
        while not self._over.wait(1.0):
            self.most_mb = max(self.most_mb, sum(map(pss, family(self._pids))))


class Turns:
    """The engines on one Postgres, one after the other."""

    def __init__(self, rig: Doubles, postgres: int) -> None:
        self.rig, self.postgres = rig, postgres
        self._numbers = 0

    def one(self, fleet: Fleet, orders: int, seen: Seen) -> None:
        """Start an engine, warm it, measure it, stop it."""
        with fleet.running() as processes:
            pids = [process.pid for process in processes]
            self._driven(fleet, processes, fleet.warm)
            watched, before = Watched(pids), self._cpu(pids)
            with watched.watching():
                spans = self._driven(fleet, processes, orders)
                time.sleep(SETTLING)
            after = self._cpu(pids)
        begun, done = zip(*spans, strict=True)
        seen.a_work_order.append((max(done) - min(begun)) / orders)
        seen.in_hand += [end - begin for begin, end in spans]
        seen.cpu.append((after[0] - before[0]) / orders)
        seen.postgres_cpu.append((after[1] - before[1]) / orders)
        seen.most_mb = max(seen.most_mb, watched.most_mb)

    def _driven(self, fleet: Fleet, processes: "Sequence[Popen[bytes]]", orders: int) -> list[Span]:
        keys = self.rig.accept(range(self._numbers, self._numbers + orders))
        self._numbers += orders
        fleet.offer(self.rig, keys)
        wait(
            lambda: all(map(lives, processes)) and len(fleet.spans(keys)) == orders,
            60 + LONGEST * orders,
        )
        for key in keys:
            self.rig.must_be_drafted(key)
        return fleet.spans(keys)

    def _cpu(self, pids: Sequence[int]) -> tuple[float, float]:
        def taken(roots: Sequence[int]) -> float:
            return sum(cpu_seconds(pid, with_ended_children=True) for pid in family(roots))

        return taken(pids), taken([self.postgres])


def main() -> int:
    options = arguments()
    seen: dict[str, Seen] = {}
    with server() as (directory, url):
        os.environ["PGAPPNAME"] = "bench"
        postgres = int((directory / "postgres" / "postmaster.pid").read_text().split()[0])
        database = Database(url)
        with closing(database), postgres_checkpointer(url) as saver:
            turns = Turns(doubles(database, saver), postgres)
            engines = [make(directory, url, options.at_once) for make in ENGINES]
            for _ in range(options.turns):
                for fleet in engines:
                    print(f"{fleet.name} ...", file=sys.stderr, flush=True)
                    share = options.orders // options.turns
                    turns.one(fleet, share, seen.setdefault(fleet.name, Seen()))
    report = compared({name: each.figures() for name, each in seen.items()}, options)
    tell(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    return 0


def compared(found: dict[str, dict[str, float]], options: argparse.Namespace) -> dict[str, Any]:
    """The figures, with each as so many times ours."""
    ours = next(iter(found.values()))
    told = ("s a work order", "CPU s a work order", "memory, MB")
    return {
        "work orders each": options.orders // options.turns * options.turns,
        "turns": options.turns,
        "workers": options.at_once,
        "engines": found,
        "times ours": {
            engine: {name: round(each[name] / ours[name], 2) for name in told}
            for engine, each in found.items()
        },
    }


def tell(report: dict[str, Any]) -> None:
    engines, times = report["engines"], report["times ours"]
    print(f"{report['work orders each']} work orders each in {report['turns']} turns")
    width = max(map(len, next(iter(engines.values()))))
    print(f"{'':<{width}}" + "".join(f"{engine:>24}" for engine in engines))
    for name in next(iter(engines.values())):
        cells = [f"{e[name]:g}{ratio(times[engine], name)}" for engine, e in engines.items()]
        print(f"{name:<{width}}" + "".join(f"{cell:>24}" for cell in cells))


def ratio(times: dict[str, float], name: str) -> str:
    return f"  ({times[name]:g}x)" if name in times else ""


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[int(share * len(values))]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=30)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
