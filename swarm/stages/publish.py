"""The stage ``publish``: hand a passed draft to the ledger, or close the work order for a person.

No effect on the outside world happens here: the ledger re-reads every PASS in its own transaction
(ES-16) and its dispatcher does the one POST.
"""

from swarm.models import Fence, PolicyDecision, Publication, WorkOrderState
from swarm.stages.services import Services
from swarm.store.escalation_policy import rules_of
from swarm.store.protocol import Publisher


def publish(
    fence: Fence, decision: PolicyDecision, services: Services, publisher: Publisher | None
) -> Publication:
    """Hand over, decline or escalate; ``publisher`` None (no ledger here) holds the draft.

    Raises ``RefusedError`` when the ledger does not find the PASSes the decision speaks of or the
    work order is final, ``FencedOutError`` and ``TransientError``.
    """
    if not decision.publishable:
        to_a_person = _decline if decision.declined else _escalate
        return to_a_person(fence, decision, services)
    if publisher is None:
        reason = "publishable, but no publication ledger is attached"
        closed = services.store.close(fence, WorkOrderState.HELD, reason)
        return _settled(fence, services, WorkOrderState.HELD, reason, by_us=closed)
    state = publisher.hand_over(fence, decision)
    if state is WorkOrderState.ESCALATED:
        return Publication(state=state, detail="a human answers (ES-04): another draft is open")
    return Publication(state=state, detail=_handed_over(fence, services))


def _handed_over(fence: Fence, services: Services) -> str:
    release = services.store.release(fence.work_order_key)
    said = "handed to the publication ledger"
    return said if release is None else f"{said}. {release.note}"


def _escalate(fence: Fence, decision: PolicyDecision, services: Services) -> Publication:
    rules = ", ".join(sorted({reason.rule for reason in decision.reasons}))
    closed = services.store.escalate(fence, decision.reasons)
    detail = f"a human answers ({rules})"
    return _settled(fence, services, WorkOrderState.ESCALATED, detail, by_us=closed)


def _decline(fence: Fence, decision: PolicyDecision, services: Services) -> Publication:
    closed = services.store.decline(fence, decision.reasons)
    detail = f"a person writes: {rules_of(decision.reasons)}"
    return _settled(fence, services, WorkOrderState.DECLINED, detail, by_us=closed)


def _settled(
    fence: Fence, services: Services, state: WorkOrderState, detail: str, *, by_us: bool
) -> Publication:
    if by_us:
        return Publication(state=state, detail=detail)
    final = services.store.state(fence.work_order_key)
    return Publication(state=final, detail="the work order was closed before")
