"""Gates about danger and quality: none missed, the set found, the drafts no worse. Pure."""

from math import ceil
from typing import Final

from swarm.cutover import statistics
from swarm.cutover.gates.verdicts import answer
from swarm.cutover.models import GateResult
from swarm.cutover.report import ClassCount, MustEscalate, Quality, ReadinessReport, SetCount
from swarm.cutover.shares import in_percent, percent
from swarm.models import EscalationClass

NEEDED_PER_CLASS: Final = statistics.needed_without_a_miss(0.05)  # 59 without a miss: below 5 %
CLASSES: Final = tuple(each for each in EscalationClass if each is not EscalationClass.UNKNOWN)
_LEAST_DISCORDANCE: Final = 0.05
_ASKED_TWICE: Final = 20


def safety(report: ReadinessReport) -> GateResult:
    """Nothing missed in any class, and enough in each to say so.

    A miss is never outweighed by later data, so looking again does not help and no share of the
    error is spent on it.
    """
    by_class = {each.escalation: each for each in report.classes}
    counts = [by_class.get(each, ClassCount(escalation=each, n=0, missed=0)) for each in CLASSES]
    beyond = [c for c in report.classes if c.escalation not in CLASSES and c.missed]
    failures = [
        f"{c.escalation}: {c.missed} of {c.n} missed: {', '.join(c.missed_keys[:3])}"
        for c in (*counts, *beyond)
        if c.missed
    ]
    short = [c for c in counts if c.n < NEEDED_PER_CLASS]
    missing = [f"{c.escalation}: {NEEDED_PER_CLASS - c.n} missing, has {c.n}" for c in short]
    worst = max((statistics.upper_bound(c.missed, c.n) for c in counts), default=1.0)
    return answer(
        "safety",
        figure=f"{sum(c.missed for c in report.classes)} missed in"
        f" {sum(c.n for c in report.classes)}; at most {in_percent(worst)} in the weakest class",
        needed=f"none missed, {NEEDED_PER_CLASS} in each of {len(CLASSES)} classes",
        failures=failures,
        missing=missing,
        named=[key for c in report.classes for key in c.missed_keys],
        numbers={"missed": sum(c.missed for c in report.classes), "classes_short": len(short)}
        | {f"n_{c.escalation}": c.n for c in counts}
        | {f"bound_{c.escalation}": statistics.upper_bound(c.missed, c.n) for c in counts},
    )


def must_escalate(report: ReadinessReport) -> GateResult:
    """Each plain sentence is found; of the held-back ones as many as were when it shipped."""
    found = report.must_escalate
    plain = {each.escalation: each for each in found.plain}
    held_n, held = (sum(c.n for c in found.held), sum(c.found for c in found.held))
    low = statistics.lower_bound(held, held_n)
    failures = [
        f"{c.escalation}: {c.n - c.found} of {c.n} plain ones missed: {', '.join(c.missed[:3])}"
        for c in found.plain
        if c.found < c.n
    ]
    failures += [f"{name}: {said}" for name, said in _fallen(found)]
    return answer(
        "must_escalate",
        figure=f"{sum(c.found for c in found.plain)} of {sum(c.n for c in found.plain)} plain"
        f" sentences; of {held_n} hinted ones {percent(held, held_n)}"
        f" (at least {in_percent(low)}), so hints are not all heard",
        needed=f"every plain sentence, {NEEDED_PER_CLASS} a class, at this version; hints no worse",
        failures=failures,
        missing=_unmeasured(report, plain),
        numbers={"plain_missed": sum(c.n - c.found for c in found.plain)}
        | {"held_recall": held / held_n if held_n else 0.0, "held_recall_at_least": low}
        | {f"held_{c.escalation}": c.found / c.n for c in found.held if c.n},
    )


def _unmeasured(report: ReadinessReport, plain: dict[EscalationClass, SetCount]) -> list[str]:
    measured = report.must_escalate.ruleset
    wanted = report.parts.ruleset if report.parts else None
    if measured is None or measured != wanted:
        return [f"the set is not measured at this version yet ({wanted or 'unknown'})"]
    if not report.must_escalate.held:
        return ["the held-back part was not measured"]
    short = [c for c in CLASSES if c not in plain or plain[c].n < NEEDED_PER_CLASS]
    return [f"{c}: {NEEDED_PER_CLASS - (plain[c].n if c in plain else 0)} missing" for c in short]


def _fallen(found: MustEscalate) -> list[tuple[EscalationClass, str]]:
    """Where fewer of the held-back sentences are found than were when they shipped.

    One in a hundred may change sides: the encoder counts in eight bits, and another
    processor rounds otherwise. Two processors with the same ruleset differed in 3 of 1,120 lines
    (of the engine before this one).
    """
    now = {each.escalation: each for each in found.held}
    return [
        (name, f"{now[name].found} of {now[name].n} hinted sentences, {was} of {of} before")
        for name, (was, of) in found.baseline.items()
        if name in now and (now[name].found + ceil(now[name].n / 100)) * of < was * now[name].n
    ]


def quality(report: ReadinessReport) -> GateResult:
    """What people sent is as near to the new drafts as to legacy's; non-inferior by 3 points."""
    found, alpha = report.quality, report.looking.alpha
    pairs = found.pairs
    discordance = max(pairs.discordant / pairs.total if pairs.total else 0.0, _LEAST_DISCORDANCE)
    needed = statistics.pairs_needed(discordance, ahead=max(found.low, 0.0))
    doubt = statistics.worse_by_the_margin(pairs)
    failures, missing = _noise(report, found)
    if pairs.total < needed:
        missing.append(f"{needed - pairs.total} pairs missing, has {pairs.total}")
    if found.high < -statistics.MARGIN or (
        pairs.difference < -statistics.MARGIN and statistics.no_better(pairs) <= statistics.ALPHA
    ):
        failures.append(f"the new drafts are worse by {in_percent(-pairs.difference)}")
    elif pairs.total >= needed and (doubt > alpha or found.low < -statistics.MARGIN):
        missing.append(f"not shown yet: p = {doubt:.4f}, {alpha:.4f} may be spent at this look")
    return answer(
        "quality",
        figure=f"{pairs.total} pairs of {found.threads} threads: new {pairs.both + pairs.only_new},"
        f" legacy {pairs.both + pairs.only_legacy} near to what was sent; difference"
        f" {100 * pairs.difference:+.1f} points [{100 * found.low:+.1f}, {100 * found.high:+.1f}]",
        needed=f"no worse than by 3 points, shown by {needed} pairs (p <= {alpha:.4f})",
        failures=failures,
        missing=missing,
        named=(*found.noise.keys, *(found.only_legacy_keys if failures else ())),
        numbers={"pairs": pairs.total, "difference": pairs.difference, "p": doubt}
        | {"low": found.low, "high": found.high, "noise": found.noise.count},
    )


def _noise(report: ReadinessReport, found: Quality) -> tuple[list[str], list[str]]:
    """Rules answer the same twice, or something is broken; a model's noise is said."""
    failures, missing = list[str](), list[str]()
    rules = report.parts is not None and report.parts.specialist.startswith("rules")
    if found.noise.count and rules:
        failures.append(f"{found.noise.count} of {found.twice} asked twice came out differently")
    elif found.noise.count > statistics.MARGIN * found.twice:
        missing.append(f"noise: {percent(found.noise.count, found.twice)} differ when asked twice")
    if found.twice < _ASKED_TWICE:
        missing.append(f"noise floor: {_ASKED_TWICE - found.twice} asked twice are missing")
    return failures, missing
