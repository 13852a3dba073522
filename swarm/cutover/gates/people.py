"""Gates about people: what they see, whether they look, and whether we looked honestly. Pure."""

from typing import Final

from swarm.cutover.gates.verdicts import answer, told
from swarm.cutover.models import GateResult
from swarm.cutover.report import ReadinessReport
from swarm.cutover.shares import percent, share
from swarm.shadow.models import Act

PAIRS_SEEN: Final = 20
ACTS_SEEN: Final = 30
LEAST_TOUCHED: Final = 0.01  # a draft that nobody ever changes is a draft that nobody reads
LEAST_SECONDS: Final = 5.0  # nobody reads a mail and its answer faster
TOUCHED: Final = (Act.SENT_EDITED, Act.REWRITTEN, Act.DISCARDED, Act.ANSWERED_OTHERWISE)


def review_path(report: ReadinessReport) -> GateResult:
    """What a reviewer sees of a draft is what they see today; any difference fails."""
    found = report.review
    pairs = found.counts.get("pairs", 0)
    short = PAIRS_SEEN - pairs
    used = sum(each.used for each in report.tolerances)
    return answer(
        "review_path",
        figure=f"{pairs} drafts of both paths side by side, {sum(g.count for g in found.gaps)}"
        f" differences, {used} tolerated",
        needed=f"the same folder, fields, recipients and form in {PAIRS_SEEN} pairs",
        failures=told(found.gaps),
        missing=[f"{short} pairs missing, has {pairs}"] if short > 0 else [],
        named=found.keys,
        numbers={
            "pairs": pairs,
            "differences": sum(g.count for g in found.gaps),
            "tolerated": used,
        },
    )


def oversight(report: ReadinessReport) -> GateResult:
    """People take their time over drafts and change some of them."""
    found = report.oversight
    settled = sum(n for act, n in found.acts.items() if act not in (Act.OPEN, Act.UNKNOWN))
    touched = sum(found.acts.get(act, 0) for act in TOUCHED)
    failures = []
    if settled >= ACTS_SEEN and share(touched, settled) < LEAST_TOUCHED:
        failures.append(f"{touched} of {settled} drafts were changed or refused: nobody reads them")
    seconds = found.median_seconds
    if found.timed >= ACTS_SEEN and seconds is not None and seconds < LEAST_SECONDS:
        failures.append(f"half of the drafts are sent within {seconds:.1f} s: nobody reads them")
    if found.overdue:
        failures.append(f"{found.overdue} escalations are overdue and nobody looked")
    missing = []
    if settled < ACTS_SEEN:
        missing.append(f"{ACTS_SEEN - settled} answered drafts missing, has {settled}")
    if found.timed < ACTS_SEEN:
        missing.append(f"{ACTS_SEEN - found.timed} with a time missing, has {found.timed}")
    return answer(
        "oversight",
        figure=f"{percent(touched, settled)} of {settled} changed or refused, sent after"
        f" {f'{seconds:.0f} s' if seconds is not None else 'an unknown time'} at the median",
        needed=f"at least {percent(LEAST_TOUCHED, 1)} and {LEAST_SECONDS:.0f} s, over {ACTS_SEEN}",
        failures=failures,
        missing=missing,
        numbers={"settled": settled, "touched": share(touched, settled)}
        | ({} if seconds is None else {"median_seconds": seconds}),
    )


def not_peeked(report: ReadinessReport) -> GateResult:
    """It is a planned look; how looks share the error out is ``statistics.alpha_of_look``."""
    looking = report.looking
    planned = looking.look is not None
    figure = "looked at in between"
    if looking.look is not None:
        when = f"{looking.look:%Y-%m-%d %H:%M:%S} UTC"
        figure = f"look {looking.number} of this engine, planned for {when}"
    return answer(
        "not_peeked",
        figure=figure,
        needed="a planned look; look n may spend 5 % / (n (n + 1)), all together 5 %",
        missing=[] if planned else ["this is no planned look"],
        numbers={"look": looking.number, "alpha": looking.alpha},
    )
