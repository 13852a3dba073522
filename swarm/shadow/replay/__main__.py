"""The program that replays: ``python -I -m swarm.shadow.replay``; see ``task`` for its two pipes.

It is nice, dies with its parent, loads models once, reads facts and writes results in batches. It
says which work order it begins, so that whoever finds it dead knows which one killed it.
"""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import islice

from swarm.errors import DatabaseError
from swarm.knowledge import Shelf
from swarm.models import ModelCall
from swarm.safety import learned
from swarm.safety.commitments import commitments
from swarm.settings import load_model_settings
from swarm.shadow.models import Replayed
from swarm.shadow.replay import results
from swarm.shadow.replay.again import Again
from swarm.shadow.replay.answers import RecordedAnswers
from swarm.shadow.replay.as_of import sources
from swarm.shadow.replay.inputs import answers, given
from swarm.shadow.replay.task import DATABASE_AWAY, OTHER_ENGINE, Said, Task
from swarm.specialists.select import select_specialist
from swarm.stages.graph_runner import compiled_graph, langgraph_is_here
from swarm.stages.recorded import Recorded
from swarm.stages.reply.graph import REPLY
from swarm.store.database import Database

NICENESS = 10
BATCH = 20  # results that are lost when this process is killed
_PR_SET_PDEATHSIG = 1
_PARENT_POLL_SECONDS = 1.0


def main() -> int:
    """Replay what standard input names; returns the exit code."""
    os.nice(NICENESS)
    task = Task.model_validate_json(sys.stdin.readline())
    _die_with(task.parent)
    known = RecordedAnswers(task.budget)
    house = task.house
    specialist = select_specialist(load_model_settings(), known, acknowledge=house.acknowledges)
    asked = sources() if task.ask_sources else None
    again = Again(house, known, specialist, Shelf(house.knowledge_folder), asked)
    if (engine := again.engine) != task.engine:
        _say(Said(other_engine=engine))
        return OTHER_ENGINE
    _load()
    database = Database(os.environ["DATABASE_URL"], max_connections=1)
    try:
        for keys in _batches(line.strip() for line in sys.stdin):
            _replay(again, database, keys, task)
    except DatabaseError:
        return DATABASE_AWAY
    finally:
        database.close()
    return 0


def _replay(again: Again, database: Database, keys: Sequence[str], task: Task) -> None:
    """Replay a batch: one read, one write."""
    found = given(database, keys)
    again.answers.know([] if task.fresh else answers(database, keys, number=task.number))
    made: list[Replayed] = []
    facts: list[tuple[str, Recorded]] = []
    for key, order in found.items():
        _say(Said(begin=key))
        replayed, asked = again.replayed(order, task.engine)
        made.append(replayed)
        if asked is not None:
            facts.append((key, asked))
    paid: tuple[ModelCall, ...] = tuple(again.answers.paid)
    results.store(database, made, number=task.number, paid=paid, asked=facts)
    _say(Said(stored=tuple(keys), paid=again.answers.spent))


def _load() -> None:
    """Load what judging needs before the first work order: none may be blamed for that time."""
    learned.loaded_whole()
    commitments("we promise")
    if langgraph_is_here():
        compiled_graph(REPLY)


def _batches(keys: Iterator[str]) -> Iterator[list[str]]:
    while batch := list(islice(keys, BATCH)):
        yield batch


def _say(said: Said) -> None:
    sys.stdout.write(said.model_dump_json() + "\n")
    sys.stdout.flush()


def _die_with(parent: int) -> None:
    """End with the process that started this one. The kernel watches the thread that did, a poll
    the process.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PARENT_POLL_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
