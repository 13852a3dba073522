"""What the graphs cost: milliseconds of CPU and of wall clock, with each checkpointer.

    .venv/bin/python bench/graph_cost.py [runs]

Starts an embedded Postgres of its own in a temporary folder; asks no service outside this process.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from replying import accepted, context, order, received, routine, services

from swarm.stages.checkpointer import postgres_checkpointer
from swarm.stages.enrichment.gather import gather
from swarm.stages.pipeline import run_chain
from swarm.stages.reply.draft import write_draft
from swarm.stages.services import Services
from swarm.store import embedded
from swarm.store.migrate import migrate

Saver = BaseCheckpointSaver[str] | None


def main(runs: int) -> None:
    """Print the table."""
    folder = Path(tempfile.mkdtemp(prefix="swarm-bench-"))
    url = embedded.create_database(embedded.start(folder), "bench")
    migrate(url)
    try:
        with postgres_checkpointer(url) as postgres:
            print(f"{runs} runs each{'CPU ms':>24}{'wall ms':>10}")
            savers = {"none": None, "memory": InMemorySaver(), "postgres": postgres}
            for name, saver in savers.items():
                for work in (enrichment, reply, whole_work_order):
                    report(f"{work.__name__}, {name}", work, saver, runs)
    finally:
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def report(name: str, work: Callable[[Services, str], object], saver: Saver, runs: int) -> None:
    """Measure one kind of work after one warming run; every run is another work order."""
    keys = [f"wo_{_letters(n):a>24}" for n in range(runs + 1)]
    work(services(checkpointer=saver), keys[0])
    cpu, wall = time.process_time(), time.perf_counter()
    for key in keys[1:]:
        work(services(checkpointer=saver), key)
    spent = time.process_time() - cpu, time.perf_counter() - wall
    print(f"{name:<26}{spent[0] / runs * 1000:>13.1f}{spent[1] / runs * 1000:>10.1f}")


def enrichment(bundle: Services, key: str) -> None:
    """Outlook and monday side by side."""
    gather(received(work_order=order(key=key)), bundle)


def reply(bundle: Services, key: str) -> None:
    """Draft and three reviews."""
    mail = order(key=key)
    accepted(bundle, mail)
    write_draft(received(work_order=mail), context(), routine(), bundle)


def whole_work_order(bundle: Services, key: str) -> None:
    """Every stage."""
    mail = order(key=key)
    run_chain(mail, bundle, accepted(bundle, mail))


def _letters(number: int) -> str:
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    text = ""
    while number:
        number, digit = divmod(number, 32)
        text = alphabet[digit] + text
    return text


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
