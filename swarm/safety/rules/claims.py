"""Rules about what a draft states and promises: each leans on a quote (ES-07, ES-08)."""

from collections.abc import Iterator

from swarm.models import Claim, Context, Draft, Evidence, EvidenceKind, Reason, Received
from swarm.safety.case import Case
from swarm.safety.commitments import commitments
from swarm.safety.facts import Fact, facts, supported
from swarm.safety.visible import without_reference
from swarm.safety.words import fold

_MAY_COMMIT = frozenset({EvidenceKind.POLICY, EvidenceKind.CRM_FIELD})


def facts_are_cited(case: Case) -> tuple[Reason, ...]:
    """ES-07: each amount, date, number, status and name is in a claim whose quote states it."""
    draft, context = case.draft, case.context
    if draft is None or context is None:
        return (Reason(rule="ES-07", detail="no draft or no context to check facts against"),)
    if not draft.offered:
        return ()
    details = dict.fromkeys([*_bad_claims(draft, context), *_uncovered(case.received, draft)])
    return tuple(Reason(rule="ES-07", detail=detail) for detail in details)


def commitments_are_backed(case: Case) -> tuple[Reason, ...]:
    """ES-08: a binding phrase stands inside a claim on policy or an approved CRM field."""
    draft, context = case.draft, case.context
    if draft is None or context is None:
        return (Reason(rule="ES-08", detail="no draft or no context to check commitments against"),)
    if not draft.offered:
        return ()
    by_id = {evidence.id: evidence for evidence in context.evidence}
    backed = [
        place
        for claim in draft.claims
        if _quoted(claim, by_id.get(claim.evidence_id)) and _kind(claim, by_id) in _MAY_COMMIT
        for place in _places(claim, draft.body_text)
    ]
    body = without_reference(draft.body_text, case.received.work_order.key)
    details = {
        f"binds the company without policy or approved field: {span.label}": None
        for span in commitments(body)
        if not _inside(span.start, span.end, backed)
    }
    # The subject is set by code from the inbound one; a promise in it would still be ours.
    return tuple(Reason(rule="ES-08", detail=detail) for detail in details)


def _bad_claims(draft: Draft, context: Context) -> Iterator[str]:
    by_id = {evidence.id: evidence for evidence in context.evidence}
    for number, claim in enumerate(draft.claims, start=1):
        evidence = by_id.get(claim.evidence_id)
        if evidence is None:
            yield f"claim {number} cites evidence that is not there"
        elif not _quoted(claim, evidence):
            yield f"claim {number} quotes what its evidence does not say"
        elif not claim.text.strip() or claim.text not in draft.body_text:
            yield f"claim {number} is not in the draft"
        else:
            for fact in facts(claim.text):
                if not supported(fact, claim.quote):
                    yield f"claim {number} states a {fact.kind} its quote does not"


def _uncovered(received: Received, draft: Draft) -> Iterator[str]:
    body = without_reference(draft.body_text, received.work_order.key)
    covered = [place for claim in draft.claims for place in _places(claim, draft.body_text)]
    for fact in facts(body):
        if not _inside(fact.start, fact.end, covered) and not _echoed(fact, received):
            yield f"a {fact.kind} without a source"


def _echoed(fact: Fact, received: Received) -> bool:
    """Numbers and names the customer wrote may be repeated to the customer; they assert nothing."""
    order = received.work_order
    own = f"{received.text}\n{order.subject}\n{order.sender.name}\n" + "\n".join(
        address.name for address in (*order.reply_to, *order.to, *order.cc)
    )
    if fact.kind == "number":
        return supported(fact, own)
    return fact.kind == "name" and all(fold(value) in fold(own) for value in fact.values)


def _quoted(claim: Claim, evidence: Evidence | None) -> bool:
    return evidence is not None and bool(claim.quote.strip()) and claim.quote in evidence.text


def _kind(claim: Claim, by_id: dict[str, Evidence]) -> EvidenceKind:
    return by_id[claim.evidence_id].kind


def _places(claim: Claim, body: str) -> Iterator[tuple[int, int]]:
    at = body.find(claim.text) if claim.text.strip() else -1
    while at >= 0:
        yield at, at + len(claim.text)
        at = body.find(claim.text, at + len(claim.text))


def _inside(start: int, end: int, places: list[tuple[int, int]]) -> bool:
    return any(first <= start and end <= last for first, last in places)
