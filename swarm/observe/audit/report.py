"""What an audit says: breaches of promises, facts for people, and what was looked at.

A *breach* says that a promise is broken; a *fact* is a person's doing that somebody may want to
know of (a draft edited or thrown away) and leaves the audit clean. Neither quotes mail text. What
helps against each stands in ``advice``.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

from pydantic import Field

from swarm.models import Noun
from swarm.observe.audit.advice import PROMISES, advice


class Scope(StrEnum):
    """What an audit looks at: what was written since the last clean one and is open, or all."""

    NEW = "new"
    FULL = "full"


class Limits(Noun):
    """How long something may take before it is a breach. Defaults fit the default settings."""

    lease_grace: timedelta = timedelta(minutes=2)
    settle_grace: timedelta = timedelta(minutes=5)
    sending: timedelta = timedelta(minutes=2)
    publication: timedelta = Field(
        default=timedelta(hours=1), description="READY, ACCEPTED, UNKNOWN; settling takes 30 min"
    )
    waiting: timedelta = Field(
        default=timedelta(hours=24), description="for a payload, a run, or the end of publishing"
    )
    open: timedelta = Field(default=timedelta(hours=48), description="from acceptance to the end")
    request: timedelta = Field(
        default=timedelta(minutes=30), description="a run asked for and not begun; reaped after 2"
    )
    clock_slack: timedelta = timedelta(minutes=5)
    furthest_due: timedelta = Field(
        default=timedelta(days=1), description="no back-off, lease or look lies further ahead"
    )
    acknowledgement: timedelta = timedelta(days=30)

    def parameters(self) -> dict[str, timedelta]:
        """Return them as the questions to the tables name them."""
        return {
            "lease_grace": self.lease_grace,
            "settle_grace": self.settle_grace,
            "sending": self.sending,
            "publication": self.publication,
            "waiting": self.waiting,
            "open": self.open,
            "request": self.request,
            "clock_slack": self.clock_slack,
            "furthest_due": self.furthest_due,
        }


class Breach(Noun):
    """One promise broken once. ``check`` is a stable name; the detail never quotes mail text."""

    promise: int = Field(ge=1, le=6)
    check: str
    subject: str
    detail: str


class Observation(Noun):
    """What a person did, or today's path: no promise is broken by it."""

    name: str
    subject: str
    detail: str


class Totals(Noun):
    """What was looked at; an audit of nothing must not look like a clean one.

    ``recomputed`` counts the work orders whose every hash and move was worked out again.
    """

    lines: int
    work_orders: int
    final: int
    publications: int
    events: int
    streams: int
    mailbox_searched: bool
    required_rules: int
    recomputed: int = 0


class AuditReport(Noun):
    """The audit as it was taken. ``since``: the last clean one that it leans on."""

    at: datetime
    totals: Totals
    breaches: tuple[Breach, ...]
    facts: tuple[Observation, ...] = ()
    scope: Scope = Scope.FULL
    since: datetime | None = None

    @property
    def holds(self) -> bool:
        """Whether every promise that was looked at holds."""
        return not self.breaches


def sentences(report: AuditReport) -> tuple[str, ...]:
    """Say the result in lines: breaches and facts, grouped and counted, or that all is well."""
    seen = report.totals
    looked = (
        f"{seen.work_orders} work orders ({seen.final} final), {seen.lines} intake lines,"
        f" {seen.publications} publications, {seen.events} events;"
        f" {seen.recomputed} work orders recomputed{_leaning_on(report)}"
    )
    if report.holds:
        return (f"audit: clean over {looked}", *_facts(report.facts))
    kinds = Counter(breach.check for breach in report.breaches)
    told = ", ".join(f"{name} x{number}" for name, number in kinds.most_common())
    return (
        f"audit: {len(report.breaches)} breaches over {looked}",
        f"  {told}",
        *_breaches(report.breaches),
        *_facts(report.facts),
    )


def _leaning_on(report: AuditReport) -> str:
    if report.scope is Scope.FULL or report.since is None:
        return " (all)"
    return f" (all that was written since the clean audit of {report.since:%Y-%m-%d %H:%M:%SZ})"


def _breaches(breaches: Sequence[Breach]) -> Iterator[str]:
    for (promise, check), group in groupby(breaches, key=lambda b: (b.promise, b.check)):
        found = list(group)
        named = f"promise {promise} ({PROMISES[promise]})"
        yield f"  {named}  {check}  x{len(found)}; {advice(check)}"
        yield from (f"    {breach.subject}  {breach.detail}" for breach in found)


def _facts(facts: Sequence[Observation]) -> Iterator[str]:
    for name, group in groupby(facts, key=lambda f: f.name):
        found = list(group)
        yield f"  to know  {name}  x{len(found)}; {advice(name)}"
        yield from (f"    {fact.subject}  {fact.detail}" for fact in found)
