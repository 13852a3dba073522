"""``cutover/parity`` and ``cutover/readiness``: what the comparisons show, and the gates as checks.

One judging process makes the report, outside of this worker (``swarm.cutover.asking``); here its
numbers become metadata that Dagster plots over time, its pictures markdown, and each gate an asset
check: passed, failed (ERROR), or not enough known (WARN). No gate blocks another.
"""

from collections.abc import Iterator, Mapping

import dagster as dg

from swarm.cutover.evaluated import Evaluation
from swarm.cutover.gates import GATES, MEANING
from swarm.cutover.models import GateResult, GateVerdict
from swarm.cutover.report import ReadinessReport
from swarm.cutover.shares import share
from swarm.errors import SwarmError
from swarm.shadow.models import OutcomePair
from swarm_assets.assets.owners import NUMBERS, PLATFORM
from swarm_assets.lanes import GATES_LANE
from swarm_assets.resources.gates import Gates

COMPARISON = dg.AssetKey(["shadow", "comparison"])
PARITY = dg.AssetKey(["cutover", "parity"])
READINESS = dg.AssetKey(["cutover", "readiness"])


class ReadinessConfig(dg.Config):
    """What is asked for; the schedule fills it in, a person may leave it alone."""

    look: str = ""


def _specs() -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(name, asset=READINESS, description=MEANING[name], blocking=False)
        for name in GATES
    ]


@dg.multi_asset(
    name="judge_readiness",
    group_name="cutover",
    specs=[
        dg.AssetSpec(
            PARITY,
            deps=[COMPARISON],
            description="What the two paths did differently, with samples of each difference.",
            kinds={"postgres", "pandas"},
            owners=PLATFORM,
            tags=NUMBERS,
        ),
        dg.AssetSpec(
            READINESS,
            deps=[PARITY],
            description="May the swarm take over? The report that the gates are asked about.",
            kinds={"postgres", "pandas"},
            owners=PLATFORM,
            tags=NUMBERS,
        ),
    ],
    check_specs=_specs(),
    op_tags=dict(GATES_LANE),
)
def readiness(
    context: dg.AssetExecutionContext, config: ReadinessConfig, gates: dg.ResourceParam[Gates]
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Judge once; tell of it twice, and of each gate."""
    try:
        evaluation = gates.judge(config.look or None)
    except SwarmError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    context.log.info("report %s", evaluation.report_id)
    yield dg.MaterializeResult(asset_key=PARITY, metadata=_parity(evaluation, gates.ui_url))
    yield dg.MaterializeResult(asset_key=READINESS, metadata=_readiness(evaluation))
    for result in evaluation.gates:
        yield _check(result, gates.ui_url)


def _check(result: GateResult, ui_url: str) -> dg.AssetCheckResult:
    passed = result.verdict is GateVerdict.PASS
    failed = result.verdict is GateVerdict.FAIL
    severity = dg.AssetCheckSeverity.ERROR if failed else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        check_name=result.gate,
        asset_key=READINESS,
        passed=passed,
        severity=severity,
        description=f"{result.verdict.value}: {result.figure}",
        metadata={
            "verdict": result.verdict.value,
            "needed": result.needed,
            "reasons": dg.MetadataValue.md(_bullets(result.reasons)),
            "work orders": dg.MetadataValue.md(_bullets(_links(result.named, ui_url))),
            **_numbers(result.numbers),
        },
    )


def _parity(evaluation: Evaluation, ui_url: str) -> dict[str, dg.MetadataValue]:
    report = evaluation.report
    compared = report.compared
    agree = compared.pairs[OutcomePair.BOTH_DRAFT] + compared.pairs[OutcomePair.BOTH_PERSON]
    samples = {
        "missed": [key for each in report.classes for key in each.missed_keys],
        "failed": list(compared.failed.keys),
        "legacy nearer to what was sent": list(report.quality.only_legacy_keys),
        "seen otherwise by reviewers": list(report.review.keys),
    }
    shown = [
        f"{name}: {', '.join(_links(keys[:10], ui_url))}" for name, keys in samples.items() if keys
    ]
    return {
        **_numbers({name: float(number) for name, number in compared.pairs.items()}),
        **_numbers({"compared": compared.total, "live": compared.live}),
        **_numbers({"failed": compared.failed.count, "extra": compared.extra}),
        **_numbers({"agreement": share(agree, compared.total)}),
        "samples": dg.MetadataValue.md(_bullets(shown)),
        "classes": dg.MetadataValue.md(_classes(report)),
        **_pictures(evaluation, ("agreement", "likeness", "latency", "classes")),
    }


def _readiness(evaluation: Evaluation) -> dict[str, dg.MetadataValue]:
    counted = {each: sum(g.verdict is each for g in evaluation.gates) for each in GateVerdict}
    issued = evaluation.certificate
    said = f"certificate {issued.number} until {issued.valid_until:%F %T} UTC" if issued else "none"
    numbers = {
        f"{result.gate} {name}": number
        for result in evaluation.gates
        for name, number in result.numbers.items()
    }
    return {
        "engine": dg.MetadataValue.text(evaluation.report.engine),
        "certificate": dg.MetadataValue.text(evaluation.refused or said),
        "snapshot": dg.MetadataValue.text(evaluation.report.taken_at.isoformat()),
        "gates": dg.MetadataValue.md(_gates(evaluation.gates)),
        **_numbers({f"gates {each.value}": float(n) for each, n in counted.items()}),
        **_numbers(numbers),
        **_pictures(evaluation, ("classes",)),
    }


def _numbers(numbers: Mapping[str, float]) -> dict[str, dg.MetadataValue]:
    return {name: dg.MetadataValue.float(float(number)) for name, number in numbers.items()}


def _pictures(evaluation: Evaluation, names: tuple[str, ...]) -> dict[str, dg.MetadataValue]:
    return {
        f"picture {name}": dg.MetadataValue.md(
            f"![{name}](data:image/png;base64,{evaluation.pictures[name]})"
        )
        for name in names
        if name in evaluation.pictures
    }


def _classes(report: ReadinessReport) -> str:
    rows = "\n".join(
        f"| {each.escalation} | {each.n} | {each.missed} | {each.agree} | {each.only_legacy} |"
        f" {each.only_new} |"
        for each in report.classes
    )
    head = (
        "| class | needed | missed | both | only legacy | only new |\n|---|---|---|---|---|---|\n"
    )
    return head + rows


def _gates(results: tuple[GateResult, ...]) -> str:
    rows = "\n".join(f"| {each.gate} | {each.verdict.value} | {each.figure} |" for each in results)
    return f"| gate | verdict | seen |\n|---|---|---|\n{rows}"


def _bullets(lines: tuple[str, ...] | list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines) or "none"


def _links(keys: tuple[str, ...] | list[str], ui_url: str) -> list[str]:
    asset = f"{ui_url.rstrip('/')}/assets/work_order/publish?view=partitions&partition="
    return [f"[{key}]({asset}{key})" for key in keys]
