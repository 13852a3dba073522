"""The stage ``tier``: how careful we must be, found by code and specialist together (ES-01).

A union: the detectors' classes, the injection scan, the specialist's classes. Nobody can take away
what another found, and a specialist that cannot judge makes the class unknown (ES-05).
"""

from swarm.models import (
    EscalationClass,
    Fence,
    Reason,
    Received,
    TextSpan,
    Thread,
    Tier,
    TierDecision,
)
from swarm.safety.detectors import Detection, detect
from swarm.safety.detectors.aside import orders_of
from swarm.safety.injection import is_certain
from swarm.specialists.protocol import Classification
from swarm.stages.around import judge_around
from swarm.stages.reply.judging import JudgementError, judged
from swarm.stages.services import Services


def decide_tier(
    received: Received,
    services: Services,
    fence: Fence | None = None,
    thread: Thread | None = None,
) -> TierDecision:
    """Return tier, classes and reasons. ``thread`` holds what the mail's attachments say.

    ``received`` is the mail as the conversation shows it (``in_conversation``); of one that was not
    compared nothing is proved, and its history is judged with all of it. With a ``fence`` the tier
    becomes the work order's floor, and a higher floor of an earlier run holds (ES-02). Raises
    ``FencedOutError``, ``DatabaseUnavailableError``, and ``ModelUnavailableError`` while the work
    order may wait for the model.
    """
    detection = detect(received)
    around = judge_around(received, thread, services.ourselves)
    injected = (*received.hidden, *orders_of(received), *around.injected)
    # else a human answers anyway: nothing to pay for
    asked = max(detection.tier, around.tier) < Tier.ESCALATE
    added, reasons = _classified(received, services) if asked else ((), ())
    classes = tuple(sorted({*detection.classes, *around.classes, *added}))
    decision = TierDecision(
        tier=_tier(max(detection.tier, around.tier), classes, injected),
        classes=classes,
        reasons=(
            *detection.reasons,
            *around.reasons,
            *reasons,
            *_injection_reasons(injected, detection),
        ),
        spans=tuple(dict.fromkeys((*detection.spans, *injected))),
        detectors={
            **detection.detectors,
            **({"specialist": services.thinker} if asked else {}),
        },
    )
    return decision if fence is None else _keep_floor(decision, services, fence)


def _classified(
    received: Received, services: Services
) -> tuple[tuple[EscalationClass, ...], tuple[Reason, ...]]:
    try:
        said: Classification = judged(
            lambda: services.specialist.classify(received), received.work_order.key, services
        )
    except JudgementError as error:
        unknown = (EscalationClass.UNKNOWN,)
        return unknown, (Reason(rule="ES-05", detail=f"not classified: {error}", classes=unknown),)
    if not said.classes:
        return (), ()
    named = ", ".join(said.classes)
    detail = f"{services.thinker} named {named}"
    return said.classes, (Reason(rule="ES-01", detail=detail, classes=said.classes),)


def _tier(
    found: Tier, classes: tuple[EscalationClass, ...], injected: tuple[TextSpan, ...]
) -> Tier:
    if classes or any(is_certain(span) for span in injected):
        return Tier.ESCALATE
    return max(found, Tier.REVIEW) if injected else found


def _injection_reasons(injected: tuple[TextSpan, ...], detection: Detection) -> tuple[Reason, ...]:
    if not injected or any(reason.rule == "ES-13" for reason in detection.reasons):
        return ()
    detail = f"{len(injected)} hidden or instruction-like passages"
    return (Reason(rule="ES-13", detail=detail),)


def _keep_floor(decision: TierDecision, services: Services, fence: Fence) -> TierDecision:
    floor = services.store.raise_tier(fence, decision.tier)
    if floor <= decision.tier:
        return decision
    held = Reason(rule="ES-02", detail=f"an earlier run had set tier {floor.name}; it holds")
    return decision.model_copy(update={"tier": floor, "reasons": (*decision.reasons, held)})
