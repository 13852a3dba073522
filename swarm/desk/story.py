"""One work order as a story: why it ended so, what was found, what was said, in the order of time.

Built from the dossier alone, for the page of one work order; pure. What lives elsewhere: the
dossier (``swarm.observe.dossier``), what the words mean (``swarm.observe.glossary``).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TypeVar

from pydantic import Field, ValidationError

from swarm.intake.mail.provenance import in_conversation
from swarm.models import (
    Claim,
    Context,
    Crm,
    Draft,
    Evidence,
    Noun,
    Received,
    Ruling,
    Stage,
    StageArtifact,
    Thread,
    Verdict,
    WorkOrderState,
)
from swarm.observe.dossier.dossier import Dossier
from swarm.observe.glossary import GlossaryEntry, glossary

N = TypeVar("N", bound=Noun)


class Because(Noun):
    """One reason, with the rule that gives it; ``detail`` is ours, never the mail's."""

    rule: str
    name: str
    detail: str
    do: str = ""


class BackedClaim(Noun):
    """A statement of the draft and what carries it; ``evidence`` None: it is not stored."""

    claim: Claim
    evidence: Evidence | None


class JudgedRule(Noun):
    """A verdict in words."""

    rule: str
    name: str
    means: str
    ruling: Ruling
    reasons: tuple[str, ...]

    @property
    def words(self) -> str:
        """What people call the ruling."""
        return {Ruling.PASS: "passed", Ruling.FAIL: "violated"}.get(self.ruling, "not judged")


class Moment(Noun):
    """One thing that happened."""

    at: datetime
    what: str
    detail: str = ""


class Story(Noun):
    """What the page of one work order says beside the dossier's plain fields."""

    state: GlossaryEntry
    headline: str = Field(description="What became of it, in one sentence")
    because: tuple[Because, ...]
    received: Received | None
    thread: Thread | None
    crm: Crm | None
    context: Context | None
    draft: Draft | None
    claims: tuple[BackedClaim, ...]
    objections: tuple[JudgedRule, ...]
    passed: tuple[JudgedRule, ...]
    timeline: tuple[Moment, ...]
    unreadable: tuple[str, ...] = Field(description="Stored outputs this release cannot read")


def story(it: Dossier) -> Story:
    """Tell what the dossier says."""
    read = _Reader(it.artifacts)
    received, thread = read.noun(Stage.RECEIVED, Received), read.noun(Stage.THREAD, Thread)
    context, draft = read.noun(Stage.CONTEXT, Context), read.noun(Stage.DRAFT, Draft)
    judged = tuple(_judged(verdict) for verdict in _of_the_last_draft(it))
    return Story(
        state=glossary().state(it.state),
        headline=_headline(it),
        because=tuple(_because(it)),
        received=in_conversation(received, thread) if received else None,
        thread=thread,
        crm=read.noun(Stage.CRM, Crm),
        context=context,
        draft=draft,
        claims=tuple(_claims(draft, context)),
        objections=tuple(each for each in judged if each.ruling is not Ruling.PASS),
        passed=tuple(each for each in judged if each.ruling is Ruling.PASS),
        timeline=tuple(sorted(_timeline(it), key=lambda moment: moment.at)),
        unreadable=tuple(read.unreadable),
    )


class _Reader:
    """Reads stored outputs; one of an earlier form is named instead of breaking the page."""

    def __init__(self, artifacts: Mapping[Stage, StageArtifact]) -> None:
        self._artifacts = artifacts
        self.unreadable: list[str] = []

    def noun(self, stage: Stage, kind: type[N]) -> N | None:
        artifact = self._artifacts.get(stage)
        if artifact is None:
            return None
        try:
            return kind.model_validate(artifact.body)
        except ValidationError:
            self.unreadable.append(stage.value)
            return None


_HEADLINES = {
    WorkOrderState.PUBLISHED: "A draft lies in the mailbox and waits for a person.",
    WorkOrderState.ESCALATED: "No draft is offered: a person must answer.",
    WorkOrderState.DECLINED: (
        "No draft is offered: nothing here can answer it. No danger was seen."
    ),
    WorkOrderState.PUBLISHING: "A draft passed every check and is on its way into the mailbox.",
}


def _headline(it: Dossier) -> str:
    match it.state:
        case WorkOrderState.PUBLISHED if it.reply and it.reply.act != "open":
            return glossary().act(it.reply.act).means
        case WorkOrderState.HELD:
            known = glossary().holding(it.why)
            return known.means if known else f"Held: {it.why}."
        case WorkOrderState.DEAD:
            return f"It gave up: {it.why}."
    return _HEADLINES.get(it.state, "It is being worked on.")


def _because(it: Dossier) -> Iterator[Because]:
    if it.escalation:
        for reason in it.escalation.reasons:
            entry = glossary().rule(reason.rule)
            yield Because(rule=reason.rule, name=entry.name, detail=reason.detail, do=entry.do)
    if it.state is WorkOrderState.HELD:
        known = glossary().holding(it.why)
        name, do = (known.name, known.do) if known else ("Held", "")
        yield Because(rule="", name=name, detail=it.why, do=do)


def _of_the_last_draft(it: Dossier) -> tuple[Verdict, ...]:
    """Return the verdicts of the draft that was judged last: earlier tries were other drafts."""
    if not it.verdicts:
        return ()
    wanted = it.published.draft_sha256 if it.published else it.verdicts[-1].draft_sha256
    return tuple(each for each in it.verdicts if each.draft_sha256 == wanted)


def _judged(verdict: Verdict) -> JudgedRule:
    entry = glossary().rule(verdict.rule)
    return JudgedRule(
        rule=verdict.rule,
        name=entry.name,
        means=entry.means,
        ruling=verdict.ruling,
        reasons=verdict.reasons,
    )


def _claims(draft: Draft | None, context: Context | None) -> Iterator[BackedClaim]:
    known = {piece.id: piece for piece in context.evidence} if context else {}
    for claim in draft.claims if draft else ():
        yield BackedClaim(claim=claim, evidence=known.get(claim.evidence_id))


_STAGES = {
    Stage.RECEIVED: "The mail was read",
    Stage.THREAD: "The conversation was looked up",
    Stage.CRM: "The CRM was asked",
    Stage.TIER: "Danger was looked for",
    Stage.CONTEXT: "What is known was put together",
    Stage.DRAFT: "A draft was written",
    Stage.TONE: "Its tone was reviewed",
    Stage.FACT: "Its facts were reviewed",
    Stage.QA: "Its quality was reviewed",
    Stage.POLICY: "The rules decided",
    Stage.PUBLISH: "It was handed on",
}
_EVENTS = {
    "run.opened": "Work began",
    "run.failed": "A try failed",
    "run.put_off": "Put off: the model gave no answer",
    "run.left": "Given back to the queue",
    "run.reaped": "A try was lost and taken back",
    "tier.raised": "More care is needed",
    "work_order.released": "A person released it",
}


def _timeline(it: Dossier) -> Iterator[Moment]:
    yield Moment(at=it.work_order.received_at, what="The mail reached the mailbox")
    yield Moment(at=it.accepted_at, what="It became a work order")
    done = {each.run_id: each for each in it.stages if each.run_id}
    outcomes = {each.stage: each.outcome for each in it.stages}
    for event in it.events:
        if event.kind == "stage.finished" and event.stage and event.run_id in done:
            what = _STAGES[event.stage]
            yield Moment(at=event.at, what=what, detail=outcomes.get(event.stage, ""))
        elif event.kind in _EVENTS:
            yield Moment(at=event.at, what=_EVENTS[event.kind])
        elif event.kind.startswith("work_order."):
            state = glossary().state(event.kind.removeprefix("work_order."))
            yield Moment(at=event.at, what=state.name, detail=str(event.detail.get("reason", "")))
    for step in it.publication_log:
        yield Moment(at=step.at, what=f"Publication: {step.event}", detail=step.detail)
    for alert in it.alerts:
        yield Moment(at=alert.at, what=f"Alert: {alert.kind}", detail=alert.detail)
    if it.escalation and it.escalation.acknowledged_at:
        who = it.escalation.acknowledged_by or "somebody"
        yield Moment(at=it.escalation.acknowledged_at, what=f"Acknowledged: {who}")
    if it.reply and it.reply.acted_at:
        act = glossary().act(it.reply.act)
        yield Moment(at=it.reply.acted_at, what=f"A person: {act.name.lower()}")
