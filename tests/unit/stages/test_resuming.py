"""The runner: a thread that stopped goes on, a finished one is kept, an old one starts over."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from replying import Board, Mailbox, accepted, order, services

from swarm.stages.graph_runner import forget, run
from swarm.stages.pipeline import run_chain
from swarm.stages.plain_executor import GraphSpec

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Seen(TypedDict, total=False):
    names: Annotated[list[str], lambda old, new: old + new]


class Walk:
    """first -> (left | right) -> last; ``right`` fails as often as told."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.ran: list[str] = []

    def graph(self) -> GraphSpec:
        return GraphSpec(
            name="walk",
            state=Seen,
            nodes={name: self._node(name) for name in ("first", "left", "right", "last")},
            start=("first",),
            routes={"first": ("left", "right"), "left": ("last",), "right": ("last",)},
            joins=frozenset({"last"}),
        )

    def _node(self, name: str):
        def work(_state: Seen, _context: object) -> Seen:
            self.ran.append(name)
            if name == "right" and self.failures:
                self.failures -= 1
                raise ConnectionAbortedError(name)
            return {"names": [name]}

        return work


def go(walk: Walk, saver: InMemorySaver | None, **options: object) -> list[str]:
    final = run(walk.graph(), "t", {"names": []}, context=None, checkpointer=saver, **options)
    return sorted(final["names"])


def test_after_a_crash_only_what_did_not_finish_runs() -> None:
    walk, saver = Walk(failures=1), InMemorySaver()
    with pytest.raises(ConnectionAbortedError):
        go(walk, saver)
    assert go(walk, saver) == ["first", "last", "left", "right"]
    assert walk.ran.count("first") == walk.ran.count("left") == walk.ran.count("last") == 1
    assert walk.ran.count("right") == 2


def test_a_finished_thread_is_returned_without_running() -> None:
    walk, saver = Walk(failures=0), InMemorySaver()
    first = go(walk, saver)
    ran = len(walk.ran)
    assert go(walk, saver) == first
    assert len(walk.ran) == ran


def test_a_thread_older_than_allowed_starts_over_without_its_old_state() -> None:
    walk, saver = Walk(failures=1), InMemorySaver()
    with pytest.raises(ConnectionAbortedError):
        go(walk, saver, oldest=LONG_AGO)
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert go(walk, saver, oldest=later) == ["first", "last", "left", "right"]
    assert walk.ran.count("first") == 2


def test_a_forgotten_thread_runs_again() -> None:
    walk, saver = Walk(failures=0), InMemorySaver()
    go(walk, saver)
    forget(saver, "t")
    go(walk, saver)
    assert walk.ran.count("first") == 2


def test_without_a_checkpointer_every_call_is_a_fresh_one() -> None:
    walk = Walk(failures=0)
    assert go(walk, None) == go(walk, None)
    assert walk.ran.count("first") == 2
    forget(None, "t")


def test_a_failed_drive_goes_on_with_what_was_finished() -> None:
    """A board that breaks the run (not merely away) after Outlook was read: Outlook is kept."""
    saver, mailbox = InMemorySaver(), Mailbox()
    broken = Board(trouble={"contacts": ZeroDivisionError("a bug")})
    bundle = services(outlook=mailbox, monday=broken, checkpointer=saver)
    fence = accepted(bundle)
    with pytest.raises(ZeroDivisionError):
        run_chain(order(), bundle, fence)
    broken.trouble.clear()
    result = run_chain(order(), bundle, fence)
    assert result.draft.offered
    assert mailbox.asked == ["conversation c1"]


def test_importing_the_stages_does_not_load_langgraph_or_langchain() -> None:
    code = (
        "import sys, swarm.stages.pipeline, swarm.specialists.select;"
        "heavy = {'langgraph', 'langchain', 'langchain_core', 'openai'};"
        "sys.exit(bool(heavy & {name.split('.')[0] for name in sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
