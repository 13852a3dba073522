"""The reply graph: a draft, judged by three reviewers side by side, revised a few times at most.

    START -> draft -> tone | fact | qa (parallel) -> decide -> END
                        ^---------- revise <----------'

Brief and services come as run context: the thread is named by their content, so the state holds
only what the graph itself makes. Reviews are kept under (draft hash, stage), which makes the
reducer idempotent. Three super-steps when nothing is revised."""

from dataclasses import dataclass
from operator import or_
from typing import Annotated, TypedDict

from pydantic import JsonValue

from swarm.models import Draft, Review, Ruling, Stage
from swarm.specialists.protocol import Brief
from swarm.stages.plain_executor import GraphSpec, Task
from swarm.stages.reply.assemble import propose_draft
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
    """What one reviewer gets."""

    draft: Json


def draft(state: ReplyState, run: ReplyRun) -> ReplyState:
    """Propose the first draft."""
    made = propose_draft(run.brief, None, (), run.services)
    return {"draft": made.model_dump(mode="json")}


def revise(state: ReplyState, run: ReplyRun) -> ReplyState:
    """Propose a better one; the same bytes again mean that nothing better will come."""
    previous = Draft.model_validate(state["draft"])
    findings = tuple(f for r in _reviews(state, previous) for f in r.findings)
    made = propose_draft(run.brief, previous, findings, run.services)
    same = made.offered and made.content_sha256 == previous.content_sha256
    return {"draft": (previous if same else made).model_dump(mode="json"), "stopped": same}


def tone(state: ReviewTask, run: ReplyRun) -> ReplyState:
    """Judge the wording."""
    return _judge(Stage.TONE, state, run)


def fact(state: ReviewTask, run: ReplyRun) -> ReplyState:
    """Judge the facts."""
    return _judge(Stage.FACT, state, run)


def qa(state: ReviewTask, run: ReplyRun) -> ReplyState:
    """Judge whether the reply does its work."""
    return _judge(Stage.QA, state, run)


def decide(state: ReplyState, run: ReplyRun) -> ReplyState:
    """Stop, unless a better draft is wanted and still allowed. An ERROR is never revised away."""
    current = Draft.model_validate(state["draft"])
    rulings = {r.ruling for r in _reviews(state, current)}
    wanted = Ruling.FAIL in rulings and Ruling.ERROR not in rulings
    return {"stopped": not wanted or current.revision >= run.services.max_revisions}


def _to_reviewers(state: ReplyState) -> list[Task]:
    current = Draft.model_validate(state["draft"])
    if not current.offered or state.get("stopped"):
        return []
    return [Task(stage.value, {"draft": state["draft"]}) for stage in REVIEW_STAGES]


def _after_decision(state: ReplyState) -> list[str]:
    return [] if state["stopped"] else ["revise"]


def _judge(stage: Stage, state: ReviewTask, run: ReplyRun) -> ReplyState:
    judged = Draft.model_validate(state["draft"])
    verdict = review(stage, run.brief, judged, run.services)
    return {"reviews": {_name(judged, stage): verdict.model_dump(mode="json")}}


def _reviews(state: ReplyState, about: Draft) -> list[Review]:
    """Return the reviews of this very draft in stage order (branches arrive in any order)."""
    reviews = state.get("reviews", {})
    return [Review.model_validate(reviews[_name(about, stage)]) for stage in REVIEW_STAGES]


def _name(about: Draft, stage: Stage) -> str:
    return f"{about.content_sha256}:{stage.value}"


REPLY = GraphSpec(
    name="reply",
    state=ReplyState,
    nodes={
        "draft": draft,
        "revise": revise,
        "tone": tone,
        "fact": fact,
        "qa": qa,
        "decide": decide,
    },
    start=("draft",),
    routes={
        "draft": _to_reviewers,
        "revise": _to_reviewers,
        "tone": ("decide",),
        "fact": ("decide",),
        "qa": ("decide",),
        "decide": _after_decision,
    },
    joins=frozenset({"decide"}),
)
