"""Runs a graph so that a crash repeats no finished node, and a finished graph never again.

A graph is written down once, as a ``GraphSpec``: plain functions and where each leads. LangGraph
executes it, with its checkpoints; where LangGraph cannot be imported, ``plain_executor`` runs the
same nodes in the same super-steps, without checkpoints. What then survives a crash are the recorded
model calls and verdicts, so nothing is paid twice, only looked up again.

What lives here: the specification, the resume rule and the retry policy of every node. What does
not: the graphs themselves, and which thread id a run uses (their modules say that, with the
reason). LangGraph is imported when the first graph runs: it costs a second.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from swarm.errors import DatabaseUnavailableError
from swarm.stages import plain_executor
from swarm.stages.plain_executor import GraphSpec, State
from swarm.store.database_errors import in_our_words

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.graph import StateGraph
    from langgraph.graph.state import CompiledStateGraph

    # LangGraph's own type parameters of a compiled graph; states are plain dicts to the runner.
    Compiled: TypeAlias = CompiledStateGraph[Any, Any, Any, Any]


def run(
    graph: GraphSpec,
    thread_id: str,
    initial: Mapping[str, object],
    *,
    context: object,
    checkpointer: "BaseCheckpointSaver[str] | None",
    oldest: datetime | None = None,
) -> State:
    """Run ``graph`` on ``thread_id`` to its end and return its final state.

    A thread that stopped half way goes on from its last super-step, a finished one is returned as
    it is; a thread last written before ``oldest`` is forgotten and starts over. Without a
    checkpointer nothing is kept between calls. Raises what a node raised, and
    a ``DatabaseError`` when the checkpoints cannot be reached or kept.
    """
    if not langgraph_is_here():
        return plain_executor.execute(graph, initial, context)
    compiled = compiled_graph(graph)
    if checkpointer is None:
        return dict(compiled.invoke(dict(initial), context=context))
    with in_our_words():
        kept = compiled.copy({"checkpointer": checkpointer})
        if oldest is not None:
            _forget_older(kept, thread_id, checkpointer, oldest)
        return _resume_or_start(kept, thread_id, initial, context)


def forget(checkpointer: "BaseCheckpointSaver[str] | None", thread_id: str) -> None:
    """Delete a thread: checkpoints are scratch, the artifacts are the record."""
    if checkpointer is None:
        return
    with in_our_words():
        checkpointer.delete_thread(thread_id)


def langgraph_is_here() -> bool:
    """Whether LangGraph can be imported; also imports it, for whoever wants that done early."""
    try:
        import langgraph.graph  # noqa: PLC0415 - costs a second
    except ImportError:
        return False
    return bool(langgraph.graph)


@lru_cache(maxsize=8)
def compiled_graph(graph: GraphSpec) -> "Compiled":
    """Compile a specification for LangGraph, once a process."""
    from langgraph.graph import START, StateGraph  # noqa: PLC0415 - costs a second
    from langgraph.types import RetryPolicy  # noqa: PLC0415

    # Nodes turn failed look-ups and judgements into values, and clients and models retry by
    # themselves; what is left is our own database. The default policy retries nearly anything.
    retry = RetryPolicy(
        initial_interval=plain_executor.FIRST_WAIT,
        max_interval=plain_executor.LONGEST_WAIT,
        max_attempts=plain_executor.ATTEMPTS,
        retry_on=DatabaseUnavailableError,
    )
    builder: StateGraph[Any, Any, Any, Any] = StateGraph(graph.state, context_schema=object)
    for name, node in graph.nodes.items():
        builder.add_node(name, _adapted(node), defer=name in graph.joins, retry_policy=retry)
        _lead_on(builder, graph, name)
    for name in graph.start:
        builder.add_edge(START, name)
    return builder.compile(name=graph.name)


def _lead_on(builder: "StateGraph[Any, Any, Any, Any]", graph: GraphSpec, name: str) -> None:
    """Add where a node leads. A fixed edge costs a tenth of one that reads the state to decide."""
    from langgraph.graph import END  # noqa: PLC0415

    route = graph.routes.get(name, ())
    if callable(route):
        builder.add_conditional_edges(name, _routed(graph, name), [*graph.nodes, END])
        return
    for following in route or (END,):
        builder.add_edge(name, following)


def _adapted(node: plain_executor.Node) -> Callable[..., Mapping[str, object]]:
    from langgraph.runtime import Runtime  # noqa: PLC0415

    def adapted(state: dict[str, Any], runtime: Runtime[Any]) -> Mapping[str, object]:
        return node(state, runtime.context)

    # Named here, because the annotation must be an object: LangGraph reads it at run time.
    adapted.__annotations__["runtime"] = Runtime[Any]
    return adapted


def _routed(graph: GraphSpec, name: str) -> Callable[[dict[str, Any]], Sequence[Any]]:
    from langgraph.graph import END  # noqa: PLC0415
    from langgraph.types import Send  # noqa: PLC0415

    def routed(state: dict[str, Any]) -> Sequence[Any]:
        following = graph.following(name, state)
        sent = [t.node if t.given is None else Send(t.node, dict(t.given)) for t in following]
        return sent or [END]

    return routed


def _forget_older(
    graph: "Compiled", thread_id: str, checkpointer: "BaseCheckpointSaver[str]", oldest: datetime
) -> None:
    written = graph.get_state(_config(thread_id)).created_at
    if written is not None and datetime.fromisoformat(written) < oldest:
        checkpointer.delete_thread(thread_id)


def _resume_or_start(
    graph: "Compiled", thread_id: str, initial: Mapping[str, object], context: object
) -> State:
    found = graph.get_state(_config(thread_id))
    begun = bool(found.values or found.next)
    if begun and not found.next:
        return dict(found.values)
    # invoke(input) on a begun thread would start over *and* accumulate reducers: None resumes.
    given = None if begun else dict(initial)
    return dict(graph.invoke(given, _config(thread_id), context=context, durability="sync"))


def _config(thread_id: str) -> "RunnableConfig":
    return {"configurable": {"thread_id": thread_id}}
