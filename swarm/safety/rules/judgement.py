"""Rules about the judging: everything judged, these very bytes, within budget (ES-05, 17, 25)."""

from collections.abc import Iterator

from swarm.models import Reason, Ruling, Stage
from swarm.safety.case import Case
from swarm.safety.visible import same_words

REVIEWS = (Stage.TONE, Stage.FACT, Stage.QA)


def everything_judged(case: Case) -> tuple[Reason, ...]:
    """ES-05: a missing, failed or inapplicable output of a stage escalates, never passes."""
    return tuple(Reason(rule="ES-05", detail=detail) for detail in _not_judged(case))


def _not_judged(case: Case) -> Iterator[str]:
    for name, noun in (("tier", case.tier), ("context", case.context), ("draft", case.draft)):
        if noun is None:
            yield f"the stage {name} gave nothing"
    if case.draft is not None and not case.draft.offered:
        yield "no draft is offered"
        return
    for stage in REVIEWS:
        reviews = [review for review in case.reviews if review.stage is stage]
        if not reviews:
            yield f"the stage {stage.value} gave nothing"
        for review in reviews:
            if not review.applicable or review.ruling is not Ruling.PASS:
                yield f"{stage.value} did not pass: {review.ruling.value}"


def judged_bytes_are_these(case: Case) -> tuple[Reason, ...]:
    """ES-17: every review is about exactly this draft and this evidence, and both bodies agree."""
    if case.draft is None or case.context is None:
        return (Reason(rule="ES-17", detail="no draft or no context whose bytes were judged"),)
    if not case.draft.offered:
        return ()
    now = (case.draft.content_sha256, case.context.digest())
    reasons = [
        Reason(rule="ES-17", detail=f"{review.stage.value} judged other bytes or other evidence")
        for review in case.reviews
        if (review.draft_sha256, review.evidence_sha256) != now
    ]
    if case.draft.body_html and not same_words(case.draft.body_html, case.draft.body_text):
        reasons.append(Reason(rule="ES-17", detail="HTML and plain text do not say the same"))
    return tuple(reasons)


def within_budget(case: Case) -> tuple[Reason, ...]:
    """ES-25, its budget part: what the models cost for this work order stays within the cap."""
    if case.model_cost > case.model_budget:
        detail = f"model cost {case.model_cost:.4f} exceeds the budget {case.model_budget:.4f}"
        return (Reason(rule="ES-25", detail=detail),)
    return ()
