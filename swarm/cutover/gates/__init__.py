"""The twelve gates, in order: each one pure question to a report. All are always asked.

Required is every one of them; what is unknown has not passed. Names are stable: Dagster keeps a
check's history under its name, and the database asks for the same twelve (migration 0054).
"""

from collections.abc import Callable, Mapping
from typing import Final

from swarm.cutover.gates.kept import completeness, durable_records, no_manual_inserts
from swarm.cutover.gates.people import not_peeked, oversight, review_path
from swarm.cutover.gates.proof import must_escalate, quality, safety
from swarm.cutover.gates.work import coverage, effects, latency_cost
from swarm.cutover.models import GateResult
from swarm.cutover.report import ReadinessReport

Gate = Callable[[ReadinessReport], GateResult]

GATES: Final[Mapping[str, Gate]] = {
    "completeness": completeness,
    "durable_records": durable_records,
    "no_manual_inserts": no_manual_inserts,
    "safety": safety,
    "must_escalate": must_escalate,
    "quality": quality,
    "effects": effects,
    "latency_cost": latency_cost,
    "coverage": coverage,
    "review_path": review_path,
    "oversight": oversight,
    "not_peeked": not_peeked,
}

MEANING: Final[Mapping[str, str]] = {
    "completeness": "Every mail that came in is accounted for, on both paths.",
    "durable_records": "The record of each work order is whole and was not changed afterwards.",
    "no_manual_inserts": "Nobody but the programs themselves wrote into the records.",
    "safety": "Wherever a person was needed, the new path asked for one.",
    "must_escalate": "Sentences that must always reach a person do so in this very version.",
    "quality": "The new drafts are as close to what people really sent as today's are.",
    "effects": "No customer got two drafts, a draft in the wrong thread, or one after a reply.",
    "latency_cost": "It is fast and cheap enough, and hardly anything has to be tried again.",
    "coverage": "Every kind of mail was tried often enough.",
    "review_path": "Whoever checks the drafts sees the same fields in the same place as today.",
    "oversight": "People really read the drafts before they send them.",
    "not_peeked": "It was looked at the planned time, not until it happened to fit.",
}


def evaluate(report: ReadinessReport) -> tuple[GateResult, ...]:
    """Ask every gate."""
    return tuple(gate(report) for gate in GATES.values())
