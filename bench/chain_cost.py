"""What the whole chain costs in memory: milliseconds of CPU for everyday mail, and 400 kB of it.

    .venv/bin/python bench/chain_cost.py TICKETS.jsonl [--mails 300] [--skip 20]

Each mail goes through all stages with the rules specialist over a store in memory, in this thread,
whose CPU time alone is counted (the sandbox answers in another). Then texts just below and far
above what is read at all: one sentence again and again, and sentences of which none comes twice.
"""

import argparse
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from draft_sample import driven

from swarm.clients.monday import MondayClient
from swarm.sandbox.server import RunningSandbox
from swarm.settings import MondaySettings

Ticket = dict[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tickets", type=Path)
    parser.add_argument("--mails", type=int, default=300)
    parser.add_argument("--skip", type=int, default=20, help="the first ones load and remember")
    given = parser.parse_args()
    known = [json.loads(line) for line in given.tickets.read_text("utf-8").splitlines()]
    chance = random.Random(1)  # noqa: S311 - a sample that can be drawn again
    tickets = chance.sample(known, given.mails + given.skip)
    with (
        tempfile.TemporaryDirectory() as folder,
        RunningSandbox(Path(folder), samples=False) as sandbox,
    ):
        os.environ.update(sandbox.environment)
        with closing(MondayClient(MondaySettings())) as monday:
            costs = sorted(_costs(tickets, monday)[given.skip :])
            print(
                f"{len(costs)} mails: p50 {statistics.median(costs):.1f} ms,"
                f" mean {statistics.mean(costs):.1f}, p99 {costs[int(len(costs) * 0.99)]:.0f},"
                f" worst {costs[-1]:.0f}"
            )
            for name, text in _large(known):
                mail = {"id": name, "subject": "A question", "body": text}
                print(f"{name}: {_costs([mail], monday)[0] / 1000:.2f} s")


def _costs(tickets: Sequence[Ticket], monday: MondayClient) -> list[float]:
    costs = []
    going = driven(list(tickets), monday, only_likely=False)
    for _ in tickets:
        began = time.thread_time()
        next(going)
        costs.append((time.thread_time() - began) * 1000)
    return costs


def _large(known: Sequence[Ticket]) -> Iterator[tuple[str, str]]:
    said = "I ordered the blue kettle last week and would like to know when it comes. "
    fresh = " ".join(dict.fromkeys(ticket["body"] for ticket in known))
    for size in (99_000, 400_000):
        yield f"{size:,} characters, one sentence", (said * (size // len(said) + 1))[:size]
        yield f"{size:,} characters, no sentence twice", fresh[:size]


if __name__ == "__main__":
    main()
