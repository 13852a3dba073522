"""Rules about the mail: escalation classes, tier, instructions to machines (ES-01, 02, 03, 13)."""

from swarm.models import EscalationClass, Reason, Tier
from swarm.safety import injection
from swarm.safety.case import Case
from swarm.safety.detectors import detect
from swarm.safety.detectors.aside import orders_of

_HUMAN = EscalationClass.HUMAN_REQUESTED


def classes_escalate(case: Case) -> tuple[Reason, ...]:
    """ES-01: any class found by code, now or in the tier stage, escalates; so does tier ESCALATE.

    The detectors are asked again: a stored tier that lost a class cannot make the mail harmless.
    """
    found = [r for r in detect(case.received).reasons if r.rule == "ES-01"]
    if case.tier is None:
        return (*found, Reason(rule="ES-01", detail="the tier stage gave nothing"))
    known = {c for reason in found for c in reason.classes}
    added = tuple(c for c in case.tier.classes if c not in known and c is not _HUMAN)
    if added:
        found.append(Reason(rule="ES-01", detail=f"classes: {', '.join(added)}", classes=added))
    if not found and case.tier.tier >= Tier.ESCALATE and _HUMAN not in case.tier.classes:
        found.append(Reason(rule="ES-01", detail="the tier is ESCALATE"))
    return tuple(found)


def tier_never_falls(case: Case) -> tuple[Reason, ...]:
    """ES-02: the tier is never below the floor an earlier run or stage set."""
    if case.tier is None:
        return (Reason(rule="ES-02", detail="no tier to compare with the floor"),)
    if case.tier.tier < case.tier_floor:
        detail = f"tier {case.tier.tier.name} is below the floor {case.tier_floor.name}"
        return (Reason(rule="ES-02", detail=detail),)
    return ()


def human_requested(case: Case) -> tuple[Reason, ...]:
    """ES-03: an explicit wish for a person escalates at once, with no question first."""
    found = tuple(r for r in detect(case.received).reasons if r.rule == "ES-03")
    said = case.tier is not None and _HUMAN in case.tier.classes
    if said and not found:
        return (Reason(rule="ES-03", detail="a person was asked for", classes=(_HUMAN,)),)
    return found


def injection_is_heeded(case: Case) -> tuple[Reason, ...]:
    """ES-13: instruction-like or hidden text raises the tier; beyond doubt it must escalate.

    Text of the mail itself: REVIEW at least. Anything certain, wherever it was found (thread, CRM):
    ESCALATE. A mere likelihood outside the mail is recorded in the context and raises nothing.
    """
    own = orders_of(case.received)
    around = case.context.injections if case.context else ()
    tier = max(case.tier.tier if case.tier else Tier.ROUTINE, case.tier_floor)
    certain = any(injection.is_certain(span) for span in (*own, *around))
    if certain and tier < Tier.ESCALATE:
        unknown = (EscalationClass.UNKNOWN,)
        return (
            Reason(rule="ES-13", detail="instructions to a machine were found", classes=unknown),
        )
    if (own or case.received.hidden) and tier < Tier.REVIEW:
        return (Reason(rule="ES-13", detail="hidden or instruction-like text needs a review"),)
    return ()
