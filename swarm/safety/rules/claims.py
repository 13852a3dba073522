"""Rules about what a draft states and promises: each leans on a quote (ES-07, ES-08)."""

from collections.abc import Iterator
from functools import cached_property

from swarm.models import Claim, Context, Draft, Evidence, Reason, Received
from swarm.safety.affirmations import affirmations
from swarm.safety.case import Case
from swarm.safety.commitments import commitments
from swarm.safety.drafts.parts import parts_of
from swarm.safety.enclosures import ATTACHED
from swarm.safety.facts import Fact, facts, is_a_word_of_time
from swarm.safety.rules.affirming import Cited, unsettled
from swarm.safety.rules.carriers import MAY_COMMIT, uncarried
from swarm.safety.visible import without_reference
from swarm.safety.words import fold, words_of

_MOST_NAMES = 5
_STEM, _LONG_WORD = 5, 4  # letters
_ORDER_NUMBER = 4  # digits, at least; fewer count something


def facts_are_cited(case: Case) -> tuple[Reason, ...]:
    """ES-07: each amount, date, number, status and name is in a claim whose quote states it.

    So is what a mere yes or no says about the customer's own words.
    """
    draft, context = case.draft, case.context
    if draft is None or context is None:
        return (Reason(rule="ES-07", detail="no draft or no context to check facts against"),)
    if not draft.offered:
        return ()
    own = _OwnWords(case.received, context)
    details = dict.fromkeys(
        [
            *_bad_claims(draft, context),
            *_uncovered(case, draft, own),
            *_affirmed(draft, context, case.received.work_order.key, own),
        ]
    )
    return tuple(Reason(rule="ES-07", detail=detail) for detail in details)


def commitments_are_backed(case: Case) -> tuple[Reason, ...]:
    """ES-08: a binding phrase stands inside a claim on policy or an approved CRM field."""
    draft, context = case.draft, case.context
    if draft is None or context is None:
        return (Reason(rule="ES-08", detail="no draft or no context to check commitments against"),)
    if not draft.offered:
        return ()
    details = dict.fromkeys([*_unbacked(case.received, draft, context), *_in_subject(draft)])
    return tuple(Reason(rule="ES-08", detail=detail) for detail in details)


def _unbacked(received: Received, draft: Draft, context: Context) -> Iterator[str]:
    by_id = {evidence.id: evidence for evidence in context.evidence}
    backed = [
        (place, evidence)
        for claim in draft.claims
        if (evidence := _binding(claim, by_id.get(claim.evidence_id))) is not None
        for place in _places(claim.text, draft.body_text)
    ]
    for span in commitments(without_reference(draft.body_text, received.work_order.key)):
        promised = draft.body_text[span.start : span.end]
        if not any(
            _inside(span.start, span.end, [place]) and _speaks_of(promised, evidence.text)
            for place, evidence in backed
        ):
            yield f"binds the company without policy or approved field: {span.label}"


def _binding(claim: Claim, evidence: Evidence | None) -> Evidence | None:
    """Return the evidence of a claim that may carry a promise, or None.

    The quote itself must bind: a promise beside a quoted status is nobody's but the writer's.
    """
    if evidence is None or not _quoted(claim, evidence) or evidence.kind not in MAY_COMMIT:
        return None
    return evidence if commitments(claim.quote) else None


def _speaks_of(promised: str, source: str) -> bool:
    """Whether a promise is about what its source says: it may use other words, not only others.

    A third of its longer words, by their first letters, stand there. "A technician will repair it"
    is not what "we refund unused goods" allows.
    """
    if promised in source:
        return True
    words, known = _stems(promised), _stems(source)
    return len(words & known) * 3 >= len(words) > 0


def _stems(text: str) -> frozenset[str]:
    found = (word.text for word in words_of(text))
    return frozenset(word[:_STEM] for word in found if len(word) >= _LONG_WORD or word.isdigit())


def _in_subject(draft: Draft) -> Iterator[str]:
    """The subject is set from the inbound one; a promise in it would still be ours."""
    for span in commitments(draft.subject.removeprefix("Re:").strip()):
        yield f"the subject binds the company: {span.label}"


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
            yield from (f"claim {number} {what}" for what in uncarried(claim, evidence))


def _uncovered(case: Case, draft: Draft, own: "_OwnWords") -> Iterator[str]:
    body = without_reference(draft.body_text, case.received.work_order.key)
    said = (*(claim.text for claim in draft.claims), *case.own_contacts)
    covered = [place for one in said for place in _places(one, draft.body_text)]
    greeted = _greeted(draft, case.received)
    for fact in facts(body):
        if fact.end <= greeted and is_a_word_of_time(fact, body):
            continue
        if not _inside(fact.start, fact.end, covered) and not _echoed(fact, body, own):
            yield f"a {fact.kind} without a source"


def _greeted(draft: Draft, received: Received) -> int:
    """Where a greeting by the customer's own display name ends: a name there is a name."""
    order = received.work_order
    greeting = parts_of(draft.body_text, order.key).greeting
    called = fold(greeting).rstrip(" ,:!")
    for one in (order.sender, *order.reply_to):
        name = fold(" ".join(one.name.split()))
        by_name = name and called.endswith(f" {name}") and len(name.split()) <= _MOST_NAMES
        if by_name and draft.body_text.startswith(greeting):
            return len(greeting)
    return 0


def _affirmed(draft: Draft, context: Context, key: str, own: "_OwnWords") -> Iterator[str]:
    found = affirmations(without_reference(draft.body_text, key))
    if found:
        yield from unsettled(found, draft.body_text, own.facts, tuple(_cited(draft, context)))


def _cited(draft: Draft, context: Context) -> Iterator[Cited]:
    by_id = {evidence.id: evidence for evidence in context.evidence}
    for claim in draft.claims:
        evidence = by_id.get(claim.evidence_id)
        if evidence is not None and _quoted(claim, evidence):
            yield claim, evidence, tuple(_places(claim.text, draft.body_text))


class _OwnWords:
    """What the customer says, and the facts in it: found once a draft, and only when asked for."""

    def __init__(self, received: Received, context: Context) -> None:
        order = received.work_order
        people = (order.sender, *order.reply_to, *order.to, *order.cc)
        attached = (item.text for item in context.evidence if item.source == ATTACHED)
        names = (each.name for each in people)
        self.text = "\n".join((received.text, order.subject, *names, *attached))

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        return facts(self.text)

    @cached_property
    def folded(self) -> str:
        return fold(self.text)

    def as_number_only(self, fact: Fact) -> bool:
        """Whether a number is written there, and never as an amount, a date or a share."""
        said = {one.kind for one in self.facts if not one.values.isdisjoint(fact.values)}
        return said == {"number"}


def _echoed(fact: Fact, body: str, own: _OwnWords) -> bool:
    """An order number or a name the customer wrote may be repeated; they assert nothing.

    A short number asserts how many, and a number that stands in the mail as an amount or a date
    asserts that.
    """
    if fact.kind == "number":
        raw = body[fact.start : fact.end]
        return len(raw) >= _ORDER_NUMBER and raw.isdigit() and own.as_number_only(fact)
    return fact.kind == "name" and all(fold(value) in own.folded for value in fact.values)


def _quoted(claim: Claim, evidence: Evidence | None) -> bool:
    return evidence is not None and bool(claim.quote.strip()) and claim.quote in evidence.text


def _places(said: str, body: str) -> Iterator[tuple[int, int]]:
    at = body.find(said) if said.strip() else -1
    while at >= 0:
        yield at, at + len(said)
        at = body.find(said, at + len(said))


def _inside(start: int, end: int, places: list[tuple[int, int]]) -> bool:
    return any(first <= start and end <= last for first, last in places)
