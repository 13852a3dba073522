"""Without LangGraph the same nodes are run by a plain executor: same stages, same artifacts."""

import json
import subprocess
import sys
from operator import or_
from pathlib import Path
from typing import Annotated, TypedDict

import pytest
from replying import NOW, Board, Mailbox, Told, accepted, message, order, services

from swarm.errors import DatabaseUnavailableError, RemoteUnavailableError
from swarm.models import EscalationClass, Stage
from swarm.specialists.protocol import Classification
from swarm.stages.graph_runner import langgraph_is_here
from swarm.stages.pipeline import run_chain
from swarm.stages.plain_executor import GraphSpec, Task, execute
from swarm.stages.services import Services

ROOT = Path(__file__).parents[3]
HIDING = {"PYTHONPATH": str(ROOT / "tests" / "support"), "PATH": "/usr/bin:/bin"}


def worlds() -> dict[str, Services]:
    """Mails, sources and specialists of every kind the graphs branch on."""
    down = RemoteUnavailableError("late")
    return {
        "a draft": services(),
        "an escalation": services(
            specialist=Told(classification=Classification(classes=(EscalationClass.PRESS,)))
        ),
        "a revision": services(specialist=Told(bodies=["Thank you!! Good.", "Thank you. Good."])),
        "revised in vain": services(specialist=Told(bodies=[f"Yes!! {n}" for n in range(9)])),
        "the same again": services(specialist=Told(bodies=["Thank you!! Good."] * 9)),
        "a reviewer fails": services(specialist=Told(reviews={Stage.FACT: down})),
        "nothing proposed": services(specialist=Told(bodies=[down])),
        "nobody known": services(monday=Board(contacts=())),
        "two contacts": services(monday=Board(contacts=(*Board().contacts, *Board().contacts))),
        "monday away": services(monday=Board(trouble={"contacts": down})),
        "deals away": services(monday=Board(trouble={"deals": down})),
        "outlook away": services(outlook=Mailbox(trouble=down)),
        "nobody attached": services(outlook=None, monday=None),
        "written twice": services(outlook=Mailbox(messages=(message(1), message(2)))),
    }


def artifacts() -> dict[str, object]:
    """Every artifact of every world, as JSON."""
    found = {}
    for name, bundle in worlds().items():
        result = run_chain(order(received_at=NOW), bundle, accepted(bundle))
        found[name] = result.model_dump(mode="json")
    return found


def test_every_artifact_is_equal_with_the_package_hidden() -> None:
    code = (
        "import json, sys, without_langgraph; sys.path[:0] = [sys.argv[1]];"
        "import test_without_langgraph as t; assert not t.langgraph_is_here();"
        "print(json.dumps(t.artifacts()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)],
        env=HIDING,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert langgraph_is_here()
    assert json.loads(done.stdout) == artifacts()


def test_the_tests_of_the_chain_pass_with_the_package_hidden() -> None:
    tests = ROOT / "tests" / "unit" / "stages" / "test_pipeline.py"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "without_langgraph", "-p", "no:cacheprovider",
         str(tests), "-k", "not goes_on_with_what_was_finished"],
        env=HIDING, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


# --- the executor itself --------------------------------------------------------------------------


class Seen(TypedDict, total=False):
    names: Annotated[dict[str, int], or_]
    last: str


def spec(**nodes: object) -> GraphSpec:
    """start -> a, b -> c -> end, where ``c`` waits for both; nodes may be replaced."""

    def named(name: str):
        def work(state: Seen, _context: object) -> Seen:
            return {"names": {name: len(state.get("names", {}))}, "last": name}

        return work

    return GraphSpec(
        name="walk",
        state=Seen,
        nodes={**{name: named(name) for name in "abc"}, **nodes},
        start=("a", "b"),
        routes={"a": ("c",), "b": ("c",)},
        joins=frozenset({"c"}),
    )


def test_a_step_sees_one_state_and_a_join_sees_all_of_it_and_runs_once() -> None:
    final = execute(spec(), {"names": {}}, None)
    assert final == {"names": {"a": 0, "b": 0, "c": 2}, "last": "c"}


def test_a_node_that_loses_the_database_is_tried_again_and_then_says_so() -> None:
    tried = []

    def lost(_state: Seen, _context: object) -> Seen:
        tried.append(1)
        raise DatabaseUnavailableError("Postgres cannot be reached")

    with pytest.raises(DatabaseUnavailableError):
        execute(spec(a=lost), {}, None)
    assert len(tried) == 3


def test_any_other_error_of_a_node_ends_the_graph_at_once() -> None:
    tried = []

    def broken(_state: Seen, _context: object) -> Seen:
        tried.append(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        execute(spec(b=broken), {}, None)
    assert tried == [1]


def test_a_task_with_a_state_of_its_own_sees_that_and_nothing_else() -> None:
    def fan_out(_state: Seen) -> list[Task]:
        return [Task("b", {"names": {"x": 9}}), Task("b", {"names": {}})]

    seen = []

    def look(state: Seen, _context: object) -> Seen:
        seen.append(dict(state["names"]))
        return {}

    graph = GraphSpec(
        name="fan",
        state=Seen,
        nodes={"a": lambda _state, _context: {}, "b": look},
        start=("a",),
        routes={"a": fan_out},
    )
    execute(graph, {"names": {"y": 1}}, None)
    assert sorted(map(str, seen)) == ["{'x': 9}", "{}"]
