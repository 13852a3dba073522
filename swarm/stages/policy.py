"""The stage ``policy``: may this draft be offered? Deterministic code over stored verdicts.

Each required rule gives one verdict under (rule, ruleset, draft hash, evidence hash). Where one is
stored already, the stored one counts (ES-15). Publishable means: a draft is offered, every verdict
is a PASS, and every reviewer passed these very bytes. A rule that a person took on with a release
keeps its verdict and gives no reason.

Declined is told apart from escalated here: the specialist had no answer, and nothing else stands
against one. Whatever has an escalation class, or could not be judged, is an escalation.
"""

from collections.abc import Iterator, Sequence

from swarm.models import (
    DECLINED,
    Context,
    Draft,
    Fence,
    PolicyDecision,
    Reason,
    Received,
    Review,
    Ruling,
    Stage,
    Tier,
    TierDecision,
    Verdict,
)
from swarm.safety.ruleset import verdicts
from swarm.specialists.protocol import Brief
from swarm.stages.floor import case_of, floor_version, reasons_at, taken_on, without
from swarm.stages.reply.draft import brief_of
from swarm.stages.reply.review import REVIEW_STAGES
from swarm.stages.services import Services


def decide(
    fence: Fence,
    services: Services,
    *,
    received: Received,
    context: Context,
    tier: TierDecision,
    draft: Draft,
    reviews: Sequence[Review],
) -> PolicyDecision:
    """Judge every required rule, store the verdicts, and say whether the draft may be offered.

    Raises ``FencedOutError`` and ``DatabaseUnavailableError``; nothing else makes it fail, because
    a rule that cannot be asked is a reason (ES-05).
    """
    waived = taken_on(fence.work_order_key, services)
    if not draft.offered:
        brief = brief_of(received, context, tier, services)
        return _withheld(brief, draft, services, waived)
    brief = brief_of(received, context, tier, services)
    floor = services.store.raise_tier(fence, tier.tier)
    case = case_of(brief, draft, services, reviews=reviews, tier_floor=floor)
    stored = services.store.record_verdicts(fence.work_order_key, verdicts(case))
    objections = (*_from_verdicts(stored), *_from_reviews(reviews, draft, context))
    return _decision(draft, context, stored, without(waived, objections), waived)


def _withheld(
    brief: Brief, draft: Draft, services: Services, waived: frozenset[str]
) -> PolicyDecision:
    """Say why there is no draft, truly: a danger, or that no answer is known."""
    context, tier = brief.context, brief.tier
    against = reasons_at(Stage.CONTEXT, brief, None, services)
    if draft.declined is not None:
        # What only asked for more care (a hidden passage, say) is not why there is no draft.
        declined = not (tier.classes or against or tier.tier >= Tier.ESCALATE)
        why = Reason(rule=DECLINED, detail=draft.declined, classes=tier.classes)
        return _decision(draft, context, (), (why, *against), waived, declined=declined)
    known = (*without(waived, tier.reasons), *against)
    reasons = known or (Reason(rule="ES-05", detail=draft.withheld or "no draft"),)
    return _decision(draft, context, (), reasons, waived)


def _decision(
    draft: Draft,
    context: Context,
    stored: tuple[Verdict, ...],
    reasons: tuple[Reason, ...],
    waived: frozenset[str],
    *,
    declined: bool = False,
) -> PolicyDecision:
    return PolicyDecision(
        # No verdict at all is no permission.
        publishable=draft.offered and bool(stored) and not reasons,
        declined=declined,
        reasons=reasons,
        verdicts=stored,
        ruleset=floor_version(),
        draft_sha256=draft.content_sha256,
        evidence_sha256=context.digest(),
        waived=tuple(sorted(waived)),
    )


def _from_verdicts(stored: Sequence[Verdict]) -> tuple[Reason, ...]:
    return tuple(
        Reason(rule=verdict.rule, detail="; ".join(verdict.reasons) or verdict.ruling.value)
        for verdict in stored
        if verdict.ruling is not Ruling.PASS
    )


def _from_reviews(reviews: Sequence[Review], draft: Draft, context: Context) -> tuple[Reason, ...]:
    """Each reviewer must have passed these bytes and this evidence; absence is a reason."""
    return tuple(_review_reasons(reviews, draft.content_sha256, context.digest()))


def _review_reasons(
    reviews: Sequence[Review], draft_sha256: str, evidence_sha256: str
) -> Iterator[Reason]:
    by_stage = {review.stage: review for review in reviews}
    for stage in REVIEW_STAGES:
        review = by_stage.get(stage)
        if review is None or not review.applicable:
            yield Reason(rule="ES-05", detail=f"{stage.value} gave no review")
        elif (review.draft_sha256, review.evidence_sha256) != (draft_sha256, evidence_sha256):
            yield Reason(rule="ES-15", detail=f"{stage.value} judged other bytes or evidence")
        elif review.ruling is Ruling.ERROR:
            why = "; ".join(review.findings)  # ours: an error's sentence, not a reviewer's words
            yield Reason(rule="ES-05", detail=f"{stage.value} could not judge: {why}")
        elif review.ruling is Ruling.FAIL:
            count = len(review.findings)
            yield Reason(rule="ES-16", detail=f"{stage.value} objects ({count} findings)")
