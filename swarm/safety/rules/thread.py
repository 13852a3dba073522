"""Rules about the conversation: unanswered mails, stale context, recipients (ES-04, 10, 20)."""

from swarm.models import Lookup, Reason
from swarm.safety.case import Case

_TOO_MANY = 2


def repeated_contact(case: Case) -> tuple[Reason, ...]:
    """ES-04: two mails without a human reply, or two rejected drafts, escalate."""
    context = case.context
    if context is None:
        return (Reason(rule="ES-04", detail="there is no context to count in"),)
    if context.thread is Lookup.UNAVAILABLE:
        return (Reason(rule="ES-04", detail="the conversation could not be read"),)
    reasons = []
    if context.inbound_unanswered >= _TOO_MANY:
        detail = f"{context.inbound_unanswered} mails without a human reply"
        reasons.append(Reason(rule="ES-04", detail=detail))
    if context.rejected_drafts >= _TOO_MANY:
        detail = f"{context.rejected_drafts} drafts were rejected"
        reasons.append(Reason(rule="ES-04", detail=detail))
    return tuple(reasons)


def context_is_fresh(case: Case) -> tuple[Reason, ...]:
    """ES-20, as far as the snapshot tells: it exists, and nobody of us has replied since the mail.

    The mailbox as it is *now* is asked by the preflight (``preflight_rules``).
    """
    context = case.context
    if context is None or context.thread is Lookup.UNAVAILABLE:
        return (Reason(rule="ES-20", detail="no snapshot of the conversation to be fresh"),)
    if context.thread is Lookup.MISS:
        # The preflight could compare nothing (ES-10, ES-20) and would hold a draft nobody looks at.
        return (Reason(rule="ES-20", detail="the mailbox holds no conversation to reply in"),)
    if context.inbound_unanswered == 0:
        return (Reason(rule="ES-20", detail="the mail has been replied to already"),)
    return ()


def recipients_belong(case: Case) -> tuple[Reason, ...]:
    """ES-10: the customer is answered; everybody else took part in the thread or is approved."""
    draft, context = case.draft, case.context
    if draft is None or context is None:
        return (Reason(rule="ES-10", detail="no draft or no context to compare recipients with"),)
    if not draft.offered:
        return ()
    order = case.received.work_order
    present = (order.sender, *order.reply_to, *order.to, *order.cc)
    known = {a.address.lower() for a in present} | {a.lower() for a in case.approved_recipients}
    known |= set(context.participants)
    outside = [a for a in (*draft.to, *draft.cc) if a.address.lower() not in known]
    reasons = []
    if outside:
        detail = f"{len(outside)} recipients took no part in the conversation"
        reasons.append(Reason(rule="ES-10", detail=detail))
    if not all(address.plain for address in (*draft.to, *draft.cc)):
        reasons.append(Reason(rule="ES-10", detail="a recipient is not one plain address"))
    if context.customer.lower() not in {a.address.lower() for a in draft.to}:
        reasons.append(Reason(rule="ES-10", detail="the customer is not among the recipients"))
    return tuple(reasons)
