"""A yes or a no to what the customer wrote needs evidence that carries it (ES-07).

What the affirmed sentence states is not written in the draft: it stands in the mail. So evidence
is held against the mail: a quote must state every amount, date, share and status of it, or the
sentence that affirms names by itself what is meant. Where nothing can be compared a person decides.
"""

from collections.abc import Iterator, Sequence

from swarm.models import Claim, Evidence, EvidenceKind
from swarm.safety.affirmations import AFFIRMS, CONFIRMS, DENIES, Affirmation, said_alike
from swarm.safety.facts import Fact, facts, supported
from swarm.safety.rules.carriers import ALL, carries

_TELLING = frozenset({"amount", "percent", "date", "status"})
_WHOLE = 5  # words; a shorter sentence in a quote is a yes to something else
_SAYS = {
    AFFIRMS: "affirms what the customer says without a source",
    CONFIRMS: "confirms something without a source",
    DENIES: "denies what the customer says without a source",
}

Cited = tuple[Claim, Evidence, tuple[tuple[int, int], ...]]


def unsettled(
    found: Sequence[Affirmation], body: str, theirs: Sequence[Fact], cited: Sequence[Cited]
) -> Iterator[str]:
    """Say which yes or no of ``body`` no cited evidence carries; ``theirs``: facts of the mail."""
    told = [fact for fact in theirs if fact.kind in _TELLING]
    for one in found:
        if not any(
            _settles(one, body, told, claim, evidence) for claim, evidence in _at(one, cited)
        ):
            yield _SAYS[one.kind]


def _at(one: Affirmation, cited: Sequence[Cited]) -> Iterator[tuple[Claim, Evidence]]:
    for claim, evidence, places in cited:
        if carries(evidence) == ALL and any(a <= one.start and one.end <= b for a, b in places):
            yield claim, evidence


def _settles(
    one: Affirmation, body: str, told: Sequence[Fact], claim: Claim, evidence: Evidence
) -> bool:
    sentence = body[one.first : one.last].strip()
    if _quotes_it(one, body, sentence, claim, evidence):
        return True
    own = [fact for fact in facts(sentence) if fact.kind in _TELLING]
    if one.kind == CONFIRMS:
        return bool(own)
    if one.kind == DENIES:
        return any(fact.kind in _TELLING for fact in facts(claim.text))
    if own:  # the sentence says what it affirms; its facts are compared with the quote elsewhere
        return not told or any(_same(mine, other) for mine in own for other in told)
    return bool(told) and all(supported(fact, claim.quote) for fact in told)


def _quotes_it(
    one: Affirmation, body: str, sentence: str, claim: Claim, evidence: Evidence
) -> bool:
    """The words are the evidence's own: a value on record ("Confirmed"), or a whole sentence."""
    if said_alike(sentence, claim.quote) and len(sentence.split()) >= _WHOLE:
        return True
    on_record = evidence.kind in (EvidenceKind.CRM_FIELD, EvidenceKind.POLICY)
    opens = not body[one.first : one.start].strip(" \t-*")
    return on_record and not opens and said_alike(body[one.start : one.end], claim.quote)


def _same(mine: Fact, other: Fact) -> bool:
    return mine.kind == other.kind and not mine.values.isdisjoint(other.values)
