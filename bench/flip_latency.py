"""How fast is the switch? Both publishers dispatch all the time; the switch goes back and forth.

* flip: from the call until it has committed, i.e. who waits for lock 7001 and for how long;
* first publish: from the commit until the hook gets the first POST under the new epoch;
* old epoch: POSTs that reached the hook under an older epoch after the commit. Their claims were
  won before the flip and their bytes were on the way; the ledger keeps them from being repeated.

    .venv/bin/python bench/flip_latency.py [--flips 100] [--publishers 2] [--interval 1.0]

Real processes, real Postgres, real HTTP. Targets on two cores: flip p99 below 250 ms, first publish
within one poll interval (plus the POST itself), no work order drafted twice.
"""

import argparse
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))  # the doubles live there

from postbox import Postbox
from publisher_process import start
from publishing_world import World

from swarm.store import embedded
from swarm.store.database import Database
from swarm.store.migrate import migrate

FLIP_TARGET, POST_SECONDS = 0.250, 0.5
BOTH = ("swarm", "legacy")
STOCK = 60  # work orders that wait, at least, so that the new owner always has something to do

WAITING = "SELECT count(*) AS n FROM publication_ledger WHERE state = 'READY'"


class Hook(Postbox):
    """A postbox that notes when each POST came, by epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived: list[tuple[float, int]] = []

    def take(self, item: dict[str, str]) -> None:
        self.arrived.append((time.monotonic(), int(item["epoch"])))
        super().take(item)


def main() -> int:
    options = arguments()
    with (
        tempfile.TemporaryDirectory(prefix="swarm-flip-") as folder,
        Hook() as hook,
        world(Path(folder), hook) as there,
    ):
        there.appoint(BOTH[0])
        with feeding(there), publishers(there, options):
            wait_for_first_post(hook)
            flips, firsts, late = measure(there, hook, options)
    twice = sum(n > 1 for n in drafts(hook).values())
    posts = f"{len(hook.arrived)}, {late} of them won before and landed after a flip"
    report(options, flips, firsts, posts, twice)
    slow = quantile(flips, 0.99) > FLIP_TARGET or max(firsts) > options.interval + POST_SECONDS
    return 1 if slow or twice else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flips", type=int, default=100)
    parser.add_argument("--publishers", type=int, default=2, help="processes of each publisher")
    parser.add_argument("--interval", type=float, default=1.0, help="their poll interval, seconds")
    return parser.parse_args()


@contextmanager
def world(folder: Path, hook: Hook) -> Iterator[World]:
    url = embedded.create_database(embedded.start(folder / "postgres"), "flips")
    migrate(url)
    database = Database(url)
    try:
        yield World(database, hook)
    finally:
        database.close()
        embedded.stop(folder / "postgres", immediate=True)


@contextmanager
def feeding(there: World) -> Iterator[None]:
    """Keep a stock of work orders whose payload both publishers have stored."""
    done, made = threading.Event(), 0
    database = Database(there.database.url, max_connections=1)
    own = World(database, there.postbox)

    def feed() -> None:
        nonlocal made
        while not done.is_set():
            with database.transaction() as connection:
                row = connection.execute(WAITING).fetchone()
            if row is not None and row["n"] >= STOCK:
                done.wait(0.02)
                continue
            made += 1
            own.enqueue(own.ready(made), "legacy")

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        database.close()


@contextmanager
def publishers(there: World, options: argparse.Namespace) -> Iterator[None]:
    interval = ("--interval", str(options.interval))
    where = (there.database.url, there.postbox.url)
    running = [start(*where, me, *interval) for me in BOTH for _ in range(options.publishers)]
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def wait_for_first_post(hook: Hook) -> None:
    while not hook.arrived:
        time.sleep(0.01)


def measure(
    there: World, hook: Hook, options: argparse.Namespace
) -> tuple[list[float], list[float], int]:
    chance = random.Random(1)  # noqa: S311 - when to flip is no secret
    flips, firsts, late = [], [], 0
    for number in range(options.flips):
        time.sleep(chance.uniform(0.0, 1.0))
        before = time.monotonic()
        epoch = there.appoint(BOTH[(number + 1) % 2])
        committed = time.monotonic()
        flips.append(committed - before)
        firsts.append(first_post(hook, epoch) - committed)
        late += sum(at > committed and e < epoch for at, e in list(hook.arrived))
    return flips, firsts, late


def first_post(hook: Hook, epoch: int) -> float:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if found := [at for at, e in list(hook.arrived)[-200:] if e == epoch]:
            return found[0]
        time.sleep(0.002)
    raise SystemExit("the new owner published nothing for 30 s")


def drafts(hook: Hook) -> Counter[str]:
    return Counter(draft["idempotency_key"] for draft in hook.drafts)


def quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def report(
    options: argparse.Namespace,
    flips: list[float],
    firsts: list[float],
    posts: str,
    twice: int,
) -> None:
    rows = {
        "load": f"2 x {options.publishers} publishers, polling every {options.interval:g} s",
        "flips": str(len(flips)),
        "flip, ms": f"{line(flips)} (target p99 < {FLIP_TARGET * 1000:.0f})",
        "first publish by the new owner, ms": line(firsts),
        "posts": posts,
        "drafted twice": str(twice),
    }
    for name, value in rows.items():
        print(f"{name:<38}{value}")


def line(seconds: Sequence[float]) -> str:
    p50, p99, worst = statistics.median(seconds), quantile(seconds, 0.99), max(seconds)
    return f"p50 {p50 * 1000:.0f}   p99 {p99 * 1000:.0f}   max {worst * 1000:.0f}"


if __name__ == "__main__":
    sys.exit(main())
