"""What each stage did to a work order: verdict, duration, cost, run. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from pydantic import JsonValue

from swarm.models import Noun, Stage, StageArtifact, StoredEvent, Tier
from swarm.observe.dossier.ui_links import run_page

Body = Mapping[str, JsonValue]


class StageStory(Noun):
    """One stage of the pipeline as it stands; ``at`` None: it has no output yet."""

    stage: Stage
    outcome: str
    actor: str = ""
    at: datetime | None = None
    duration_ms: int | None = None
    cost: float | None = None
    attempt: int | None = None
    run_id: str | None = None
    run_url: str | None = None


def stage_stories(
    artifacts: Mapping[Stage, StageArtifact], events: Sequence[StoredEvent], ui_url: str | None
) -> tuple[StageStory, ...]:
    """Return all stages in lineage order, those without output included."""
    return tuple(_story(stage, artifacts.get(stage), events, ui_url) for stage in Stage)


def _story(
    stage: Stage, artifact: StageArtifact | None, events: Sequence[StoredEvent], ui_url: str | None
) -> StageStory:
    if artifact is None:
        return StageStory(stage=stage, outcome="no output")
    event = _event_of(artifact, events)
    return StageStory(
        stage=stage,
        outcome=outcome(stage, artifact.body),
        actor=event.actor if event else "",
        at=artifact.at,
        duration_ms=event.duration_ms if event else None,
        cost=event.cost if event else None,
        attempt=artifact.attempt,
        run_id=artifact.run_id,
        run_url=run_page(ui_url, artifact.run_id) if ui_url else None,
    )


def _event_of(artifact: StageArtifact, events: Sequence[StoredEvent]) -> StoredEvent | None:
    mine = (e for e in reversed(events) if e.detail.get("artifact_sha256") == artifact.sha256)
    return next((e for e in mine if e.stage is artifact.stage), None)


def outcome(stage: Stage, body: JsonValue) -> str:
    """Say in a few words what the output of a stage amounts to; quotes no mail text."""
    if not isinstance(body, dict):
        return "unreadable"
    say = _OUTCOMES.get(stage)
    return say(body) if say else "done"


def _received(body: Body) -> str:
    parts = body.get("set_aside")
    kinds = (
        [str(part.get("kind")) for part in parts if isinstance(part, dict)]
        if isinstance(parts, list)
        else []
    )
    aside = f", set aside: {', '.join(dict.fromkeys(kinds))}" if kinds else ""
    return f"{body.get('language')}, {_count(body, 'asks')} asks{aside}"


def _thread(body: Body) -> str:
    said = f"{body.get('lookup')}, {_count(body, 'messages')} messages"
    files = _count(body, "attachments")
    return f"{said}, {files} attachments" if files else said


def _crm(body: Body) -> str:
    return f"contact {body.get('contact')}, deals {body.get('deals')}"


def _context(body: Body) -> str:
    return f"{_count(body, 'evidence')} pieces of evidence, {_count(body, 'gaps')} gaps"


def _tier(body: Body) -> str:
    tier, classes = body.get("tier"), body.get("classes")
    name = Tier(tier).name.lower() if isinstance(tier, int) else "unknown"
    named = ", ".join(str(c) for c in classes) if isinstance(classes, list) else ""
    return f"{name} ({named})" if named else name


def _draft(body: Body) -> str:
    if body.get("withheld") is not None:
        return "withheld"
    copies = _count(body, "cc")
    return f"offered, {copies} in copy" if copies else "offered"


def _review(body: Body) -> str:
    return str(body.get("ruling")) if body.get("applicable") else "not applicable"


def _policy(body: Body) -> str:
    if body.get("publishable"):
        return "publishable"
    reasons = body.get("reasons")
    fired = [r for r in reasons if isinstance(r, dict)] if isinstance(reasons, list) else []
    rules = ", ".join(sorted({str(reason.get("rule")) for reason in fired}))
    return f"not publishable ({rules})" if rules else "not publishable"


def _publish(body: Body) -> str:
    return str(body.get("state"))


def _count(body: Body, name: str) -> int:
    part = body.get(name)
    return len(part) if isinstance(part, list) else 0


_OUTCOMES: dict[Stage, Callable[[Body], str]] = {
    Stage.RECEIVED: _received,
    Stage.THREAD: _thread,
    Stage.CRM: _crm,
    Stage.CONTEXT: _context,
    Stage.TIER: _tier,
    Stage.DRAFT: _draft,
    Stage.TONE: _review,
    Stage.FACT: _review,
    Stage.QA: _review,
    Stage.POLICY: _policy,
    Stage.PUBLISH: _publish,
}
