"""Runs a compiled graph so that a crash repeats no finished node, and a finished graph never again.

What lives here: the resume rule and the retry policy of every node. What does not: the graphs
themselves, and which thread id a run uses (their modules say that, with the reason).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

import psycopg
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import RetryPolicy
from psycopg_pool import PoolTimeout

from swarm.errors import DatabaseUnavailableError

# langgraph's own type parameters of a compiled graph; states are plain dicts to the runner.
Graph: TypeAlias = CompiledStateGraph[Any, Any, Any, Any]
State: TypeAlias = dict[str, object]

# Nodes turn failed look-ups and judgements into values, and clients and models retry by themselves;
# what is left to retry is our own database. langgraph's default policy would retry nearly anything.
RETRY = RetryPolicy(
    initial_interval=0.2, max_interval=2.0, max_attempts=3, retry_on=DatabaseUnavailableError
)


def run(
    graph: Graph,
    thread_id: str,
    initial: Mapping[str, object],
    *,
    context: object,
    checkpointer: BaseCheckpointSaver[str] | None,
    oldest: datetime | None = None,
) -> State:
    """Run ``graph`` on ``thread_id`` to its end and return its final state.

    A thread that stopped half way goes on from its last super-step, a finished one is returned as
    it is; a thread last written before ``oldest`` is forgotten and starts over. Without a
    checkpointer nothing is kept between calls. Raises what a node raised, and
    ``DatabaseUnavailableError`` when the checkpoints cannot be reached."""
    if checkpointer is None:
        return dict(graph.invoke(dict(initial), context=context))
    try:
        kept = graph.copy({"checkpointer": checkpointer})
        if oldest is not None:
            _forget_older(kept, thread_id, checkpointer, oldest)
        return _resume_or_start(kept, thread_id, initial, context)
    except (PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise DatabaseUnavailableError("the checkpoints cannot be reached") from error


def forget(checkpointer: BaseCheckpointSaver[str] | None, thread_id: str) -> None:
    """Delete a thread: checkpoints are scratch, the artifacts are the record."""
    if checkpointer is None:
        return
    try:
        checkpointer.delete_thread(thread_id)
    except (PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise DatabaseUnavailableError("the checkpoints cannot be reached") from error


def _forget_older(
    graph: Graph, thread_id: str, checkpointer: BaseCheckpointSaver[str], oldest: datetime
) -> None:
    written = graph.get_state(_config(thread_id)).created_at
    if written is not None and datetime.fromisoformat(written) < oldest:
        checkpointer.delete_thread(thread_id)


def _resume_or_start(
    graph: Graph, thread_id: str, initial: Mapping[str, object], context: object
) -> State:
    found = graph.get_state(_config(thread_id))
    begun = bool(found.values or found.next)
    if begun and not found.next:
        return dict(found.values)
    # invoke(input) on a begun thread would start over *and* accumulate reducers: None resumes.
    given = None if begun else dict(initial)
    return dict(graph.invoke(given, _config(thread_id), context=context, durability="sync"))


def _config(thread_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id}}
