"""How a gate puts its answer: what fails, what is missing, what passes. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from swarm.cutover.models import GateResult, GateVerdict
from swarm.cutover.report import MOST_NAMED, Shortfall


def answer(
    gate: str,
    *,
    figure: str,
    needed: str,
    failures: Sequence[str] = (),
    missing: Sequence[str] = (),
    named: Iterable[str] = (),
    numbers: Mapping[str, float] | None = None,
) -> GateResult:
    """FAIL for any failure, else INCONCLUSIVE for anything missing, else PASS."""
    verdict = GateVerdict.PASS
    if missing:
        verdict = GateVerdict.INCONCLUSIVE
    if failures:
        verdict = GateVerdict.FAIL
    return GateResult(
        gate=gate,
        verdict=verdict,
        figure=figure,
        needed=needed,
        reasons=(*failures, *missing),
        named=tuple(dict.fromkeys(named))[:MOST_NAMED],
        numbers=numbers or {},
    )


def told(gaps: Iterable[Shortfall]) -> tuple[str, ...]:
    """Say each gap with its number and its first work orders."""
    return tuple(_told(gap) for gap in gaps if gap.count)


def _told(gap: Shortfall) -> str:
    few = ", ".join(gap.keys[:3])
    more = f" and {gap.count - 3} more" if gap.count > len(gap.keys[:3]) >= 1 else ""
    return f"{gap.count} {gap.kind}" + (f": {few}{more}" if few else "")
