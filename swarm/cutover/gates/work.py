"""Gates about the work itself: no wrong effect, fast and cheap enough, every kind tried. Pure."""

from typing import Final

from swarm.cutover.gates.verdicts import answer, told
from swarm.cutover.models import GateResult
from swarm.cutover.report import ReadinessReport
from swarm.cutover.shares import percent, share

SLOWER: Final = 2.0  # times legacy's p95
SLOWEST_MS: Final = 120_000.0  # p95 of a judgement, where legacy does not say how long it takes
LONGEST_MS: Final = 15 * 60_000.0  # p95 from intake to the end
DEAREST: Final = 0.50  # per work order
MOST_DEAD, MOST_RETRIED, MOST_ERRORS = 0.01, 0.10, 0.02
MEASURED: Final = 100
_COMPARABLE: Final = 30
MOST_FAILED: Final = 0.02


def effects(report: ReadinessReport) -> GateResult:
    """No duplicate, wrong thread, draft after a reply, or publication without an end."""
    found = report.effects
    looked_at = found.counts.get("publications", 0)
    return answer(
        "effects",
        figure=f"{looked_at} publications, {sum(g.count for g in found.gaps)} wrong",
        needed="none",
        failures=told(found.gaps),
        missing=[] if looked_at else ["there is no publication in the window"],
        named=found.keys,
        numbers={"publications": looked_at, "wrong": sum(g.count for g in found.gaps)},
    )


def latency_cost(report: ReadinessReport) -> GateResult:
    """p95 within a factor of legacy's, few dead or retried, cost within its cap."""
    found = report.running
    against_legacy = found.legacy.n >= _COMPARABLE
    limit = SLOWER * found.legacy.p95 if against_legacy else SLOWEST_MS
    per_order = share(found.cost, found.costed)
    theirs = f"{found.legacy.p95:.0f} ms" if against_legacy else "not known"
    failures = []
    if found.new.n and found.new.p95 > limit:
        failures.append(f"p95 is {found.new.p95:.0f} ms, at most {limit:.0f} ms")
    if found.intake_to_end.n and found.intake_to_end.p95 > LONGEST_MS:
        took = found.intake_to_end.p95 / 1000
        failures.append(
            f"p95 from intake to the end is {took:.0f} s, at most {LONGEST_MS / 1000:.0f}"
        )
    for count, of, most, what in (
        (found.dead, found.jobs, MOST_DEAD, "dead letters"),
        (found.retried, found.jobs, MOST_RETRIED, "tried again"),
        (found.errors, found.publications, MOST_ERRORS, "publications without a draft"),
    ):
        if share(count, of) > most:
            failures.append(
                f"{count} of {of} {what} ({percent(count, of)}), at most {percent(most, 1)}"
            )
    if per_order > DEAREST:
        failures.append(f"a work order costs {per_order:.3f}, at most {DEAREST:.2f}")
    short = MEASURED - found.new.n
    return answer(
        "latency_cost",
        figure=f"p50 {found.new.p50:.0f}, p95 {found.new.p95:.0f}, p99 {found.new.p99:.0f} ms over"
        f" {found.new.n}; legacy's p95 {theirs};"
        f" cost {per_order:.4f} each; {found.dead} dead, {found.retried} retried of {found.jobs}",
        needed=f"p95 at most {limit:.0f} ms over {MEASURED}, dead at most {percent(MOST_DEAD, 1)}",
        failures=failures,
        missing=[f"{short} measured work orders are missing, has {found.new.n}"]
        if short > 0
        else [],
        numbers={"p50": found.new.p50, "p95": found.new.p95, "p99": found.new.p99}
        | {"legacy_p95": found.legacy.p95, "cost": per_order, "dead": found.dead}
        | {"retried": found.retried, "errors": found.errors},
    )


def coverage(report: ReadinessReport) -> GateResult:
    """Each kind of work order often enough, and hardly anything left out."""
    short = [each for each in report.strata if each.n < each.needed]
    missing = [f"{each.name}: {each.needed - each.n} missing, has {each.n}" for each in short]
    compared = report.compared
    if not compared.total:
        missing.append("nothing was compared: an empty comparison proves nothing")
    if compared.capped_at is not None:
        missing.append(f"only {compared.capped_at} comparisons were read")
    if compared.failed.count > MOST_FAILED * compared.total:
        missing.append(f"{compared.failed.count} of {compared.total} comparisons failed")
    missing += told([report.not_compared])
    return answer(
        "coverage",
        figure=f"{compared.total} compared ({compared.live} live, {compared.history} of history),"
        f" {compared.failed.count} failed, {report.not_compared.count} live ones not compared",
        needed=", ".join(f"{each.needed} {each.name}" for each in report.strata) or "strata",
        missing=missing,
        named=(*report.not_compared.keys, *compared.failed.keys),
        numbers={"compared": compared.total, "short": len(short)}
        | {f"n_{each.name.replace(' ', '_')}": each.n for each in report.strata},
    )
