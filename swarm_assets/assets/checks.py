"""The rules ES-xx as blocking checks, one result per work order, on ``tier``, ``draft`` and
``policy``.

A *violation* fails its check with severity ERROR and stops the run behind it; an *escalation* is a
normal outcome and passes. The checks mirror our verdicts for people and stop one run; they guard no
other run (a later run of ``publish`` alone is not held up by a failed check), so the authority is
the claim transaction of ``swarm.publishing``.

The results are yielded by the asset's own body, from the reasons the stage gave: asking a rule
twice could give two answers, and a check step of its own would cost another 15 ms.
"""

import warnings
from collections.abc import Iterator, Sequence

import dagster as dg

from swarm.models import Reason, Ruling, Stage, Verdict
from swarm.safety.case import Rule
from swarm.safety.ruleset import RULES
from swarm_assets.partitions import work_orders


def shown_at(rule: Rule) -> Stage:
    """Return the asset that carries a rule's check: the first that has what the rule needs.

    One check a rule, because each costs a run 8 ms; ``policy`` stores a verdict of every rule.
    """
    asked = (rule.stage, *rule.also_at)
    return next((s for s in (Stage.TIER, Stage.DRAFT) if s in asked), Stage.POLICY)


def rules_at(stage: Stage) -> tuple[Rule, ...]:
    """Return the rules whose checks the asset of ``stage`` carries, in ruleset order."""
    return tuple(rule for rule in RULES if shown_at(rule) is stage)


def check_name(rule: Rule) -> str:
    """Return e.g. ``es_07_claims_cite_evidence``: the rule's id and its function's name."""
    return f"{rule.id.lower().replace('-', '_')}_{rule.check.__name__.strip('_')}"


def specs(stage: Stage) -> list[dg.AssetCheckSpec]:
    """Return the check specs of a stage's asset."""
    with warnings.catch_warnings():
        # Per-partition checks are in preview; the version is pinned, this is the one place.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                check_name(rule),
                asset=dg.AssetKey(["work_order", stage.value]),
                description=f"{rule.id}: {rule.statement}",
                blocking=True,
                partitions_def=work_orders,
            )
            for rule in rules_at(stage)
        ]


def failed(verdicts: Sequence[Verdict], waived: Sequence[str] = ()) -> tuple[Reason, ...]:
    """Return the reasons of the rules that were broken and that no person took on.

    A judgement that could not be had is no violation of the draft: it escalates (ES-05).
    """
    return tuple(
        Reason(rule=verdict.rule, detail="; ".join(verdict.reasons) or "not allowed")
        for verdict in verdicts
        if verdict.ruling is Ruling.FAIL and verdict.rule not in waived
    )


def violations(stage: Stage, reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """Return the reasons that are violations: a draft or the pipeline itself is at fault."""
    at_fault = {rule.id for rule in rules_at(stage) if rule.violation}
    return tuple(reason for reason in reasons if reason.rule in at_fault)


def results(stage: Stage, reasons: Sequence[Reason]) -> Iterator[dg.AssetCheckResult]:
    """Yield one result per rule of the stage from the reasons its asset came to."""
    for rule in rules_at(stage):
        why = [reason.detail for reason in reasons if reason.rule == rule.id]
        yield dg.AssetCheckResult(
            # Left out, Dagster finds the key by building the evaluation once more: 15 queries.
            asset_key=dg.AssetKey(["work_order", stage.value]),
            check_name=check_name(rule),
            passed=not (why and rule.violation),
            severity=dg.AssetCheckSeverity.ERROR,
            metadata={"why": "; ".join(why), "outcome": _outcome(rule, why)},
        )


def _outcome(rule: Rule, why: Sequence[str]) -> str:
    if not why:
        return "pass"
    return "violation" if rule.violation else "escalated"
