"""Gates about what is kept: complete, durable, and written by the programs alone. Pure."""

from swarm.cutover.gates.verdicts import answer, told
from swarm.cutover.models import GateResult
from swarm.cutover.report import ReadinessReport


def completeness(report: ReadinessReport) -> GateResult:
    """Lines = work orders = final states, and a legacy outcome for each; any difference fails."""
    found = report.completeness
    n = found.counts.get("work_orders", 0)
    counts = ("lines", "work_orders", "final", "legacy_outcomes")
    missing = [] if n else ["no work order came in during the window"]
    if report.compared.capped_at is not None:
        missing.append(f"only {report.compared.capped_at} comparisons were read")
    return answer(
        "completeness",
        figure=", ".join(
            f"{found.counts.get(each, 0)} {each.replace('_', ' ')}" for each in counts
        ),
        needed="all four alike, nothing lost, nothing twice",
        failures=told(found.gaps),
        missing=missing,
        named=found.keys,
        numbers={each: found.counts.get(each, 0) for each in counts}
        | {"gaps": sum(gap.count for gap in found.gaps)},
    )


def durable_records(report: ReadinessReport) -> GateResult:
    """The event chain holds and each stage left its artifact; any gap fails."""
    found = report.records
    events = found.counts.get("events", 0)
    return answer(
        "durable_records",
        figure=f"{events} events and {found.counts.get('artifacts', 0)} artifacts"
        f" of {found.counts.get('work_orders', 0)} work orders",
        needed="every chain whole, every stage with its artifact",
        failures=told(found.gaps),
        missing=[] if events else ["there is no event in the window"],
        named=found.keys,
        numbers={"events": events, "gaps": sum(gap.count for gap in found.gaps)},
    )


def no_manual_inserts(report: ReadinessReport) -> GateResult:
    """No row by another than the service's own roles; not knowing who wrote is no pass."""
    by, missing = report.writers, list[str]()
    if by is None:
        missing.append("the database does not record who wrote")
    elif not report.completeness.counts.get("work_orders", 0):
        missing.append("no work order came in during the window")
    return answer(
        "no_manual_inserts",
        figure="who wrote is not recorded" if by is None else f"{len(by)} foreign writers",
        needed="every row written by a role of the service",
        failures=by or (),
        missing=missing,
        numbers={} if by is None else {"foreign_writers": len(by)},
    )
