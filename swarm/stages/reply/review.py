"""The stages ``tone``, ``fact`` and ``qa``: one verdict about one draft's bytes, once.

The hard rules of the stage are the floor: a draft they refuse is not shown to a paid reviewer.
Reply graph and stage assets come here alike; the verdict store, keyed by bytes, evidence and
version, lets the first answer stand (ES-15)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from swarm.models import Draft, Review, Ruling, Stage, Verdict
from swarm.specialists.protocol import Brief, Specialist
from swarm.stages.floor import floor_version, reasons_at, taken_on
from swarm.stages.reply.judging import JudgementError, judged
from swarm.stages.services import Services

REVIEW_STAGES = (Stage.TONE, Stage.FACT, Stage.QA)

_REVIEWERS: Mapping[Stage, Callable[[Specialist, Brief, Draft], Review]] = {
    Stage.TONE: lambda who, brief, draft: who.review_tone(brief, draft),
    Stage.FACT: lambda who, brief, draft: who.review_fact(brief, draft),
    Stage.QA: lambda who, brief, draft: who.review_qa(brief, draft),
}


def review(stage: Stage, brief: Brief, draft: Draft, services: Services) -> Review:
    """Return the standing verdict of ``stage`` about this draft, judging it if nobody has yet.

    A withheld draft gives ``applicable=False``. A judgement that could not be had is
    ``Ruling.ERROR`` with its reason (ES-05). Raises ``DatabaseUnavailableError``, and
    ``ModelUnavailableError`` while the work order may wait for the model.
    """
    if not draft.offered:
        return _not_applicable(stage, brief, draft, services)
    return _as_review(stage, _standing(stage, brief, draft, services))


def _standing(stage: Stage, brief: Brief, draft: Draft, services: Services) -> Verdict:
    rule, version = f"review:{stage.value}", _version(brief, services)
    draft_sha256, evidence_sha256 = draft.content_sha256, brief.context.digest()
    for known in services.store.verdicts(draft_sha256, evidence_sha256):
        if (known.rule, known.version) == (rule, version):
            return known
    said = _judge(stage, brief, draft, services)
    verdict = Verdict(
        rule=rule,
        version=version,
        # Hashes come from the draft and context at hand, never from what a reviewer returned.
        draft_sha256=draft_sha256,
        evidence_sha256=evidence_sha256,
        ruling=said.ruling,
        reasons=said.findings,
        decided_by=said.by,
    )
    (stored,) = services.store.record_verdicts(brief.received.work_order.key, (verdict,))
    return stored


@dataclass(frozen=True, slots=True)
class _Judgement:
    ruling: Ruling
    findings: tuple[str, ...]
    by: str


def _judge(stage: Stage, brief: Brief, draft: Draft, services: Services) -> _Judgement:
    found = tuple(r.detail for r in reasons_at(stage, brief, draft, services))
    if found:
        return _Judgement(Ruling.FAIL, found, f"ruleset@{floor_version()}")
    by = services.thinker
    try:
        said = judged(
            lambda: _REVIEWERS[stage](services.specialist, brief, draft),
            brief.received.work_order.key,
            services,
        )
    except JudgementError as error:
        return _Judgement(Ruling.ERROR, (str(error),), by)
    return _Judgement(said.ruling, said.findings, by)


def _version(brief: Brief, services: Services) -> str:
    """Name by what was judged: rules that a person took on are not part of it."""
    waived = sorted(taken_on(brief.received.work_order.key, services))
    without = f" without {','.join(waived)}" if waived else ""
    return f"{services.thinker}+{floor_version()}{without}"


def _as_review(stage: Stage, verdict: Verdict) -> Review:
    return Review(
        stage=stage,
        ruling=verdict.ruling,
        findings=verdict.reasons,
        reviewer=verdict.decided_by,
        draft_sha256=verdict.draft_sha256,
        evidence_sha256=verdict.evidence_sha256,
    )


def _not_applicable(stage: Stage, brief: Brief, draft: Draft, services: Services) -> Review:
    return Review(
        stage=stage,
        # FAIL, not PASS: should anybody forget to look at ``applicable``, nothing is offered.
        ruling=Ruling.FAIL,
        findings=("there is no draft to judge",),
        reviewer=services.thinker,
        draft_sha256=draft.content_sha256,
        evidence_sha256=brief.context.digest(),
        applicable=False,
    )
