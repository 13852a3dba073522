"""Statements of an answer that nothing carries: the same detectors on either path's text.

A binding sentence is carried when a policy or an approved CRM field says it; a figure, date, status
or name when some evidence that may carry its kind states it. Counted, not judged: the rules of the
new path (ES-07, ES-08) are stricter, they want a quote. Pure.
"""

from collections.abc import Sequence

from swarm.models import Evidence
from swarm.safety.commitments import commitments
from swarm.safety.facts import Fact, facts, supported
from swarm.safety.rules.carriers import MAY_COMMIT, carries
from swarm.safety.visible import without_reference
from swarm.safety.words import fold


def unbacked(text: str, key: str, evidence: Sequence[Evidence]) -> int:
    """Return how many commitments and factual statements of a text nothing carries."""
    said = without_reference(text, key)
    policies = [fold(each.text) for each in evidence if each.kind in MAY_COMMIT]
    promised = [fold(said[span.start : span.end]) for span in commitments(said)]
    binding = sum(not any(one in policy for policy in policies) for one in promised)
    return binding + sum(not _carried(fact, evidence) for fact in facts(said))


def _carried(fact: Fact, evidence: Sequence[Evidence]) -> bool:
    return any(fact.kind in carries(each) and supported(fact, each.text) for each in evidence)
