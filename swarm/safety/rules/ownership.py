"""The rule that nothing of another customer gets into a draft (ES-09)."""

from collections.abc import Iterator

from swarm.models import Context, EvidenceKind, Lookup, Reason
from swarm.safety.case import Case
from swarm.safety.identifiers import foreign_identifiers
from swarm.safety.visible import without_reference


def nothing_foreign(case: Case) -> tuple[Reason, ...]:
    """ES-09: evidence belongs to this customer, and so does every identifier in the draft."""
    if case.context is None:
        return (Reason(rule="ES-09", detail="no context whose owner could be compared"),)
    details = [*_context_problems(case, case.context)]
    if case.draft is None:
        details.append("no draft to scan for identifiers")
    elif case.draft.offered:
        details += _draft_problems(case, case.context)
    else:
        return ()
    return tuple(Reason(rule="ES-09", detail=detail) for detail in details)


def _context_problems(case: Case, context: Context) -> Iterator[str]:
    order = case.received.work_order
    answered = order.reply_to[0] if order.reply_to else order.sender
    customer = context.customer.lower()
    if customer != answered.address.lower():
        yield "the context belongs to somebody other than the person to be answered"
    if context.contact is Lookup.UNAVAILABLE:
        yield "whose customer data this is could not be looked up"
    foreign = [
        evidence
        for evidence in context.evidence
        if evidence.owner.lower() != customer
        # A published policy belongs to no customer.
        and not (evidence.kind is EvidenceKind.POLICY and not evidence.owner)
    ]
    if foreign:
        yield f"{len(foreign)} pieces of evidence belong to somebody else"


def _draft_problems(case: Case, context: Context) -> Iterator[str]:
    draft, order = case.draft, case.received.work_order
    if draft is None:
        return
    people = (order.sender, *order.reply_to, *order.to, *order.cc)
    own = [
        case.received.text,
        case.received.quoted,
        order.subject,
        order.ref.mailbox,
        *case.own_contacts,
        *case.link_allow_list,
        context.customer,
        *context.participants,
        *(address.address for address in people),
        *(evidence.text + " " + evidence.title for evidence in context.evidence),
    ]
    said = f"{draft.subject}\n{without_reference(draft.body_text, order.key)}"
    foreign = foreign_identifiers(said, own)
    if foreign:
        yield f"{len(foreign)} identifiers in the draft are unknown to this customer's material"
