"""A graph as plain data, and the executor that runs it where LangGraph cannot be imported.

Super-steps as LangGraph's: all nodes of a step see the same state, run side by side, and their
updates are put together in the order of the step; a *join* waits until nothing else is left to run.
No checkpoints: a crash starts the graph over. What lives elsewhere: LangGraph itself, resuming
(``graph_runner``).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, TypeAlias, get_args, get_origin, get_type_hints

import stamina

from swarm.errors import DatabaseUnavailableError

State: TypeAlias = dict[str, Any]
Node: TypeAlias = Callable[[Any, Any], Mapping[str, object]]
"""State and run context in, the keys that change out."""

ATTEMPTS, FIRST_WAIT, LONGEST_WAIT = 3, 0.2, 2.0  # of a node, and only over a lost database


@dataclass(frozen=True, slots=True)
class Task:
    """One node to run next; ``given`` replaces the state it sees, None: the whole state."""

    node: str
    given: Mapping[str, object] | None = None


Route: TypeAlias = Callable[[Any], Sequence[str | Task]]
"""Where a node leads, seen the state with its own update; nothing: the end."""


@dataclass(frozen=True, eq=False)
class GraphSpec:
    """Nodes, where the graph starts, where each node leads, and which nodes wait for all others.

    ``state`` is the TypedDict of the state; an ``Annotated`` key has its reducer there, every other
    key is overwritten. ``routes`` are fixed names or a function of the state.
    """

    name: str
    state: type
    nodes: Mapping[str, Node]
    start: Sequence[str]
    routes: Mapping[str, Sequence[str] | Route] = field(default_factory=dict)
    joins: frozenset[str] = frozenset()

    def following(self, name: str, state: Any) -> list[Task]:
        """Return what runs after ``name``."""
        route = self.routes.get(name, ())
        found = route(state) if callable(route) else route
        return [each if isinstance(each, Task) else Task(each) for each in found]

    @cached_property
    def reducers(self) -> Mapping[str, Callable[[Any, Any], Any]]:
        """Return how two values of a key are put together, where they are."""
        hints = get_type_hints(self.state, include_extras=True)
        return {
            key: get_args(hint)[1] for key, hint in hints.items() if get_origin(hint) is Annotated
        }

    def updated(self, state: State, update: Mapping[str, object]) -> State:
        """Return the state with an update applied."""
        merged = {
            key: self.reducers[key](state[key], value)
            if key in self.reducers and key in state
            else value
            for key, value in update.items()
        }
        return {**state, **merged}


def execute(graph: GraphSpec, initial: Mapping[str, object], context: object) -> State:
    """Run the graph to its end and return its final state; raises what a node raised."""
    state: State = dict(initial)
    active, waiting = [Task(name) for name in graph.start], list[Task]()
    while active or waiting:
        step, waiting = (active, waiting) if active else (waiting, [])
        updates = _side_by_side(graph, step, state, context)
        following = [
            after
            for task, update in zip(step, updates, strict=True)
            for after in graph.following(task.node, graph.updated(state, update))
        ]
        for update in updates:
            state = graph.updated(state, update)
        active = _once_each(t for t in following if t.node not in graph.joins)
        waiting = _once_each([*waiting, *(t for t in following if t.node in graph.joins)])
    return state


def _side_by_side(
    graph: GraphSpec, step: Sequence[Task], state: State, context: object
) -> list[Mapping[str, object]]:
    def work(task: Task) -> Mapping[str, object]:
        return _patiently(graph.nodes[task.node], task.given or state, context)

    if len(step) == 1:
        return [work(step[0])]
    with ThreadPoolExecutor(len(step)) as pool:
        return list(pool.map(work, step))


@stamina.retry(
    on=DatabaseUnavailableError,
    attempts=ATTEMPTS,
    wait_initial=FIRST_WAIT,
    wait_max=LONGEST_WAIT,
)
def _patiently(node: Node, state: Mapping[str, object], context: object) -> Mapping[str, object]:
    return node(state, context)


def _once_each(tasks: Iterable[Task]) -> list[Task]:
    """Leave out a second wish for the same node; what was sent with its own state stays."""
    kept: list[Task] = []
    for task in tasks:
        if task.given is not None or task not in kept:
            kept.append(task)
    return kept
