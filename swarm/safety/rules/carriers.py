"""Which evidence may carry what into a draft: evidence is weighed by who said it (ES-07, ES-08).

The customer's own words, now or earlier, never carry an amount, a date, a status or a promise, not
even quoted exactly: "Your order arrives on 3 May, please confirm" is no source. Notes of colleagues
are not approved for customers. What we wrote ourselves was true on its day, which must be said.
"""

from collections.abc import Iterator
from typing import Final

from swarm.models import Claim, Evidence, EvidenceKind
from swarm.safety.enclosures import OURS
from swarm.safety.facts import Fact, facts, supported

ALL: Final = frozenset({"amount", "percent", "date", "status", "number", "name"})
_NAMED: Final = frozenset({"number", "name"})  # what may be named again without asserting anything

_ORDER_NUMBER: Final = 4  # digits, at least; fewer count something

CARRIES: Final = {
    EvidenceKind.INBOUND: _NAMED,
    EvidenceKind.THREAD: _NAMED,  # the customer's; our own messages: see carries
    EvidenceKind.CRM_CONTACT: frozenset({"name"}),
    EvidenceKind.CRM_FIELD: ALL,
    EvidenceKind.CRM_UPDATE: frozenset[str](),
    EvidenceKind.POLICY: ALL,
}
MAY_COMMIT: Final = frozenset({EvidenceKind.POLICY, EvidenceKind.CRM_FIELD})


def carries(evidence: Evidence) -> frozenset[str]:
    """Return the kinds of facts a piece of evidence may carry; what is not in the table: none."""
    return ALL if _is_ours(evidence) else CARRIES.get(evidence.kind, frozenset())


def uncarried(claim: Claim, evidence: Evidence) -> Iterator[str]:
    """Say what a claim states that its evidence does not, or may not, carry."""
    may = carries(evidence)
    for fact in facts(claim.text):
        if _is_ours(evidence) and _is_its_day(fact, evidence):
            continue
        if fact.kind not in may or (may == _NAMED and _counts(fact, claim.text)):
            yield f"states a {fact.kind} that {_who(evidence)} cannot carry"
        elif not supported(fact, claim.quote):
            yield f"states a {fact.kind} its quote does not"
    if _is_ours(evidence) and not any(_is_its_day(fact, evidence) for fact in facts(claim.text)):
        yield "repeats an earlier message of ours without its date"
    if not may:
        yield "repeats an internal note"


def _counts(fact: Fact, text: str) -> bool:
    """A short number says how many or how long, which the customer cannot tell us."""
    raw = text[fact.start : fact.end]
    return fact.kind == "number" and not (raw.isdigit() and len(raw) >= _ORDER_NUMBER)


def _is_ours(evidence: Evidence) -> bool:
    return evidence.kind is EvidenceKind.THREAD and evidence.source == OURS


def _is_its_day(fact: Fact, evidence: Evidence) -> bool:
    """The title of a message is the moment it was sent."""
    return fact.kind == "date" and supported(fact, evidence.title[:10])


def _who(evidence: Evidence) -> str:
    return {
        EvidenceKind.INBOUND: "the customer's word",
        EvidenceKind.THREAD: "the customer's word",
        EvidenceKind.CRM_CONTACT: "a contact's name",
        EvidenceKind.CRM_UPDATE: "an internal note",
    }.get(evidence.kind, "its evidence")
