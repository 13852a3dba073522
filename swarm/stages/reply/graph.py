"""The reply graph: a draft, judged by three reviewers side by side, revised a few times at most.

    START -> draft -> tone | fact | qa (parallel) -> decide -> END
                        ^---------- revise <----------'

Brief and services come as run context: the thread is named by their content, so the state holds
only what the graph itself makes. Reviews are kept under (draft hash, stage), which makes the
reducer idempotent. Three super-steps when nothing is revised."""

from dataclasses import dataclass
from functools import lru_cache
from operator import or_
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Send
from pydantic import JsonValue

from swarm.models import Draft, Review, Ruling, Stage
from swarm.specialists.protocol import Brief
from swarm.stages.graph_runner import RETRY, Graph
from swarm.stages.reply.propose import propose_draft
from swarm.stages.reply.review import REVIEW_STAGES, review
from swarm.stages.services import Services

Json = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class ReplyRun:
    """The run context: what the nodes may look at and reach."""

    brief: Brief
    services: Services


class ReplyState(TypedDict, total=False):
    """Plain JSON."""

    draft: Json
    reviews: Annotated[dict[str, Json], or_]
    stopped: bool


class ReviewTask(TypedDict):
    """What one reviewer gets by ``Send``."""

    draft: Json


def draft(state: ReplyState, runtime: Runtime[ReplyRun]) -> ReplyState:
    """Propose the first draft."""
    run = runtime.context
    made = propose_draft(run.brief, None, (), run.services)
    return {"draft": made.model_dump(mode="json")}


def revise(state: ReplyState, runtime: Runtime[ReplyRun]) -> ReplyState:
    """Propose a better one; the same bytes again mean that nothing better will come."""
    run, previous = runtime.context, Draft.model_validate(state["draft"])
    findings = tuple(f for r in _reviews(state, previous) for f in r.findings)
    made = propose_draft(run.brief, previous, findings, run.services)
    same = made.offered and made.content_sha256 == previous.content_sha256
    return {"draft": (previous if same else made).model_dump(mode="json"), "stopped": same}


def tone(state: ReviewTask, runtime: Runtime[ReplyRun]) -> ReplyState:
    """Judge the wording."""
    return _judge(Stage.TONE, state, runtime)


def fact(state: ReviewTask, runtime: Runtime[ReplyRun]) -> ReplyState:
    """Judge the facts."""
    return _judge(Stage.FACT, state, runtime)


def qa(state: ReviewTask, runtime: Runtime[ReplyRun]) -> ReplyState:
    """Judge whether the reply does its work."""
    return _judge(Stage.QA, state, runtime)


def decide(state: ReplyState, runtime: Runtime[ReplyRun]) -> ReplyState:
    """Stop, unless a better draft is wanted and still allowed. An ERROR is never revised away."""
    current = Draft.model_validate(state["draft"])
    rulings = {r.ruling for r in _reviews(state, current)}
    wanted = Ruling.FAIL in rulings and Ruling.ERROR not in rulings
    return {"stopped": not wanted or current.revision >= runtime.context.services.max_revisions}


@lru_cache(maxsize=1)
def reply_graph() -> Graph:
    """Compile the graph, once per process."""
    graph = StateGraph(ReplyState, context_schema=ReplyRun)
    for node in (draft, revise):
        graph.add_node(node.__name__, node, retry_policy=RETRY)
        graph.add_conditional_edges(node.__name__, _to_reviewers, ["tone", "fact", "qa", END])
    for reviewer in (tone, fact, qa):
        graph.add_node(reviewer.__name__, reviewer, input_schema=ReviewTask, retry_policy=RETRY)
        graph.add_edge(reviewer.__name__, "decide")
    graph.add_node("decide", decide, defer=True, retry_policy=RETRY)
    graph.add_edge(START, "draft")
    graph.add_conditional_edges("decide", _after_decision, ["revise", END])
    return graph.compile(name="reply")


def _to_reviewers(state: ReplyState) -> list[Send] | str:
    current = Draft.model_validate(state["draft"])
    if not current.offered or state.get("stopped"):
        return END
    return [Send(stage.value, {"draft": state["draft"]}) for stage in REVIEW_STAGES]


def _after_decision(state: ReplyState) -> str:
    return END if state["stopped"] else "revise"


def _judge(stage: Stage, state: ReviewTask, runtime: Runtime[ReplyRun]) -> ReplyState:
    judged = Draft.model_validate(state["draft"])
    verdict = review(stage, runtime.context.brief, judged, runtime.context.services)
    return {"reviews": {_name(judged, stage): verdict.model_dump(mode="json")}}


def _reviews(state: ReplyState, about: Draft) -> list[Review]:
    """Return the reviews of this very draft in stage order (branches arrive in any order)."""
    reviews = state.get("reviews", {})
    return [Review.model_validate(reviews[_name(about, stage)]) for stage in REVIEW_STAGES]


def _name(about: Draft, stage: Stage) -> str:
    return f"{about.content_sha256}:{stage.value}"
