"""The program that replays: ``python -I -m swarm.shadow.replay``; see ``task`` for its two pipes.

It is nice, dies with its parent, loads models once, reads facts and writes results in batches. It
says which work order it begins, so that whoever finds it dead knows which one killed it.
"""

import ctypes
import os
import select
import signal
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from swarm.errors import DatabaseError
from swarm.knowledge import Shelf
from swarm.models import ModelCall
from swarm.process_identity import end_with
from swarm.safety import learned
from swarm.safety.commitments import commitments
from swarm.settings import load_model_settings
from swarm.shadow.models import Replayed
from swarm.shadow.replay import results
from swarm.shadow.replay.again import Again
from swarm.shadow.replay.answers import RecordedAnswers
from swarm.shadow.replay.as_of import sources
from swarm.shadow.replay.inputs import answers, given
from swarm.shadow.replay.task import DATABASE_AWAY, OTHER_ENGINE, Progress, ReplayTask
from swarm.shadow.rows import compare_replayed
from swarm.specialists.select import select_specialist
from swarm.stages.graph_runner import compiled_graph, langgraph_is_here
from swarm.stages.recorded import Recorded
from swarm.stages.reply.graph import REPLY
from swarm.store.database import Database

NICENESS = 10
BATCH = 20  # results that are lost when this process is killed
IDLE_SECONDS = 60.0  # then its memory is worth more than its readiness
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Do what standard input asks for until it ends, or until nothing is asked for a while."""
    os.nice(NICENESS)
    database, ready = Database(os.environ["DATABASE_URL"], max_connections=1), False
    try:
        while (request := _request()) is not None:
            task, keys = request
            if not ready:
                _die_with(task.parent)
            again = _again(task)
            if (engine := again.engine) != task.engine:
                _say(Progress(other_engine=engine))
                return OTHER_ENGINE
            if not ready:
                _load()
            ready = True
            for batch in _batches(iter(keys)):
                _DEEDS[task.what](again, database, batch, task)
            _say(Progress(finished=True))
    except DatabaseError:
        return DATABASE_AWAY
    finally:
        database.close()
    return 0


def _request() -> tuple[ReplayTask, list[str]] | None:
    """Return what is asked for next; the pipe holds one request at a time."""
    if not select.select([sys.stdin], [], [], IDLE_SECONDS)[0]:
        return None
    if not (head := sys.stdin.readline()):
        return None
    keys = [line.strip() for line in iter(sys.stdin.readline, "\n") if line.strip()]
    return ReplayTask.model_validate_json(head), keys


def _again(task: ReplayTask) -> Again:
    house, known = task.house, RecordedAnswers(task.budget)
    thinker = select_specialist(load_model_settings(), known, acknowledge=house.acknowledges)
    asked = sources() if task.ask_sources else None
    return Again(house, known, thinker, Shelf(house.knowledge_folder), asked)


def _replay(again: Again, database: Database, keys: Sequence[str], task: ReplayTask) -> None:
    """Replay a batch: one read, one write."""
    found = given(database, keys)
    again.answers.know([] if task.fresh else answers(database, keys, number=task.number))
    spent = again.answers.spent
    made: list[Replayed] = []
    facts: list[tuple[str, Recorded]] = []
    for key, order in found.items():
        _say(Progress(begin=key))
        replayed, asked = again.replayed(order, task.engine)
        made.append(replayed)
        if asked is not None:
            facts.append((key, asked))
    paid: tuple[ModelCall, ...] = tuple(again.answers.paid)
    results.store(database, made, number=task.number, paid=paid, asked=facts)
    _say(Progress(stored=tuple(keys), paid=again.answers.spent - spent))


def _compare(again: Again, database: Database, keys: Sequence[str], task: ReplayTask) -> None:
    """Compare a batch, one by one: whatever one of them does is its own."""
    for key in keys:
        _say(Progress(begin=key))
        compare_replayed(database, [key], task.engine, again.house.signature)
    _say(Progress(stored=tuple(keys)))


_DEEDS: Final = {"replay": _replay, "compare": _compare}


def _load() -> None:
    """Load what judging needs before the first work order: none may be blamed for that time."""
    learned.loaded_whole()
    commitments("we promise")
    if langgraph_is_here():
        compiled_graph(REPLY)


def _batches(keys: Iterator[str]) -> Iterator[list[str]]:
    while batch := list(islice(keys, BATCH)):
        yield batch


def _say(said: Progress) -> None:
    sys.stdout.write(said.model_dump_json() + "\n")
    sys.stdout.flush()


def _die_with(parent: int) -> None:
    """End with the process that started this one. The kernel watches the thread that did, a poll
    the process.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    end_with(parent)


if __name__ == "__main__":
    sys.exit(main())
