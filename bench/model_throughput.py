"""How many work orders a minute while a model thinks: a fresh installation, N at once.

Each of the five questions of a work order is answered after ``--seconds`` (``slow_model``), the
three reviews side by side. Prints work orders a minute over all of them and over the middle half
(what a longer queue would see), questions that were asked twice, memory (PSS of every process of
the installation, shared pages counted once) and connections to Postgres.

    .venv/bin/python bench/model_throughput.py [--orders 240] [--seconds 3] [--workers 2]
        [--prefetch 48] [--json FILE]

``--prefetch 0`` is a run that asks for itself, as before there was a prefetcher. Target on two
cores: 150 a minute within 2,500 MB, no question twice.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
from process_tree import parents, pss
from throughput import Installation, running, wait, warm_up

from swarm.up.programs import any_free_port

TARGET_A_MINUTE, TARGET_MB = 150, 2500
MANY = "bench-many-%"

FINAL_TIMES = """
SELECT extract(epoch FROM final_at)::float FROM swarm.work_orders
 WHERE original_id LIKE %s AND final_at IS NOT NULL ORDER BY final_at
"""
TALLIES = """
SELECT name || ' ' || labels[cardinality(labels)], sum(value)::int
  FROM (SELECT * FROM swarm.tallies UNION ALL SELECT * FROM swarm.tally_deltas) each
 WHERE name IN ('model_answers', 'prefetches') GROUP BY 1 ORDER BY 1
"""
STATES = "SELECT state, count(*) FROM swarm.work_orders WHERE original_id LIKE %s GROUP BY 1"


class Watched:
    """The largest memory and the most connections of an installation while it works."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._over = threading.Event()
        self.most_mb, self.most_connections = 0.0, 0
        self.by_program: dict[str, float] = {}

    @contextmanager
    def watching(self) -> Iterator["Watched"]:
        looking = threading.Thread(target=self._look)
        looking.start()
        try:
            yield self
        finally:
            self._over.set()
            looking.join()

    def _look(self) -> None:
        url = json.loads((self._installation.home / "run" / "environment.json").read_text())
        with psycopg.connect(url["DATABASE_URL"], autocommit=True) as connection:
            while not self._over.wait(2.0):
                found = memory_of(self._installation.home)
                if sum(found.values()) > self.most_mb:
                    self.most_mb, self.by_program = sum(found.values()), found
                row = connection.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
                ).fetchone()
                self.most_connections = max(self.most_connections, row[0] - 2 if row else 0)


def memory_of(home: Path) -> dict[str, float]:
    """PSS in MB by program: each process of the installation, and whatever it started."""
    return {name: round(sum(map(pss, pids)), 1) for name, pids in sorted(descendants(home).items())}


def descendants(home: Path) -> dict[str, list[int]]:
    """The processes of each program of an installation, its leader among them, and `swarm up`."""
    leaders = {int(each.read_text().split()[0]): each.stem for each in (home / "run").glob("*.pid")}
    leaders[int((home / "run" / "lock").read_text())] = "swarm up"
    above = parents()
    found: dict[str, list[int]] = {}
    for pid in above:
        at = pid
        while at not in leaders and at in above:
            at = above[at]
        if at in leaders:
            found.setdefault(leaders[at], []).append(pid)
    return found


@contextmanager
def slow_model(seconds: float) -> Iterator[str]:
    port = any_free_port()
    command = [sys.executable, str(Path(__file__).parent / "slow_model.py")]
    process = subprocess.Popen([*command, "--port", str(port), "--seconds", str(seconds)])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def main() -> int:
    options = arguments()
    with (
        tempfile.TemporaryDirectory(prefix="swarm-bench-") as folder,
        slow_model(options.seconds) as model,
    ):
        os.environ.update(
            MODEL_NAME="slow", MODEL_BASE_URL=f"{model}/v1", MODEL_PREFETCH=str(options.prefetch)
        )
        with running(Path(folder) / "home", options.workers) as installation:
            figures = measured(installation, options, model)
    print(json.dumps(figures, indent=1))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    good = figures["a minute, whole"] >= TARGET_A_MINUTE and figures["memory, MB"] <= TARGET_MB
    return 0 if good and figures["questions asked again"] == 0 else 1


def measured(installation: Installation, options: argparse.Namespace, model: str) -> dict:
    warm_up(installation)
    before = httpx.get(f"{model}/asked").json()
    with Watched(installation).watching() as seen:
        began = installation.write([f"bench-many-{n}" for n in range(options.orders)])
        wait(lambda: installation.final(MANY) == options.orders, 120 + 20 * options.orders)
    asked = httpx.get(f"{model}/asked").json()
    times = [row[0] for row in installation.rows(FINAL_TIMES, MANY)]
    quarter = len(times) // 4
    middle = times[3 * quarter] - times[quarter]
    return {
        "work orders": options.orders,
        "workers": options.workers,
        "thought about ahead, at most": options.prefetch,
        "a minute, whole": round(60 * len(times) / (times[-1] - began), 1),
        "a minute, middle half": round(60 * 2 * quarter / middle, 1),
        "first one final after, s": round(times[0] - began, 1),
        "questions": asked["questions"] - before["questions"],
        "questions asked again": asked["again"] - before["again"],
        "most in flight": asked["most_in_flight"],
        "memory, MB": round(seen.most_mb),
        "memory by program, MB": seen.by_program,
        "connections": seen.most_connections,
        "states": dict(installation.rows(STATES, MANY)),
        "tallies": dict(installation.rows(TALLIES)),
        "at": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=240)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--prefetch", type=int, default=48)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
