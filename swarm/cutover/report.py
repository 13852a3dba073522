"""The frozen report that the gates read: counts, and samples drawn by the predicate of the count.

One snapshot of the database, one engine. No mail text, no address: work orders are named by their
opaque keys. What lives elsewhere: how it is read (``swarm.cutover.reading``), what follows from it
(``swarm.cutover.gates``).
"""

from collections.abc import Mapping

from pydantic import AwareDatetime, Field

from swarm.cutover.statistics import Pairs
from swarm.models import EscalationClass, Noun
from swarm.stages.engine import Engine

MOST_NAMED = 50


class Shortfall(Noun):
    """A breach of one kind: how many, and the first fifty of them."""

    kind: str
    count: int
    keys: tuple[str, ...] = Field(default=(), max_length=MOST_NAMED)


class Shortfalls(Noun):
    """A body of records, how much of each there is, and what is wrong with it."""

    counts: Mapping[str, int] = Field(default_factory=dict)
    gaps: tuple[Shortfall, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the work orders that the gaps name."""
        named = dict.fromkeys(key for gap in self.gaps for key in gap.keys)
        return tuple(named)[:MOST_NAMED]


class ClassCount(Noun):
    """One escalation class: how often a person was needed, and how often none was asked for."""

    escalation: EscalationClass
    n: int
    missed: int
    missed_keys: tuple[str, ...] = ()
    agree: int = 0
    only_legacy: int = 0
    only_new: int = 0


class Compared(Noun):
    """What the comparisons are: how many of which pair, and what was left out."""

    total: int
    live: int
    history: int
    pairs: Mapping[str, int]
    declined: int
    extra: int
    failed: Shortfall
    capped_at: int | None = Field(default=None, description="Not all were read: never a proof")


class Quality(Noun):
    """The paired figure of quality, and the noise of the same engine asked twice."""

    both: int
    only_new: int
    only_legacy: int
    neither: int
    threads: int
    low: float
    high: float
    only_legacy_keys: tuple[str, ...] = ()
    twice: int = Field(default=0, description="Work orders that the engine answered twice")
    noise: Shortfall = Shortfall(kind="noise", count=0)

    @property
    def pairs(self) -> Pairs:
        """Return them as what statistics ask for."""
        return Pairs(self.both, self.only_new, self.only_legacy, self.neither)


class Times(Noun):
    """Durations in milliseconds."""

    n: int
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0


class Running(Noun):
    """How fast, how surely and how dearly the new path runs."""

    new: Times
    legacy: Times
    intake_to_end: Times
    jobs: int
    dead: int
    retried: int
    errors: int = Field(description="Publications that ended without a draft for want of an answer")
    publications: int
    cost: float
    costed: int


class Stratum(Noun):
    """One kind of work order that must be among the comparisons."""

    name: str
    n: int
    needed: int


class Oversight(Noun):
    """What people did with the drafts that were offered to them."""

    offered: int
    acts: Mapping[str, int]
    timed: int
    median_seconds: float | None = None
    overdue: int = Field(default=0, description="Escalations past their time, seen by nobody")


class SetCount(Noun):
    """One class of the must-escalate set. ``missed`` names lines of the file."""

    escalation: EscalationClass
    n: int
    found: int
    missed: tuple[str, ...] = ()


class MustEscalate(Noun):
    """What this ruleset finds of the set; ``ruleset`` None: it was not measured."""

    ruleset: str | None
    plain: tuple[SetCount, ...] = ()
    held: tuple[SetCount, ...] = ()
    baseline: Mapping[EscalationClass, tuple[int, int]] = Field(
        default_factory=dict, description="Class -> found, of; held-back recall as shipped"
    )


class Tolerated(Noun):
    """A tolerance and how often it was used."""

    name: str
    owner: str
    expires: str
    used: int
    in_force: bool


class Looking(Noun):
    """When it was looked, and how often before."""

    look: AwareDatetime | None
    number: int = Field(description="Which look of this engine it is")
    alpha: float = Field(description="What this look may spend of 5 %")


class ReadinessReport(Noun):
    """Everything the gates are asked about. Made by ``reading.read``; never changed."""

    engine: str
    parts: Engine | None
    taken_at: AwareDatetime
    window_from: AwareDatetime
    window_to: AwareDatetime
    live_from: AwareDatetime
    looking: Looking
    counts: Mapping[str, int]
    tolerances_sha256: str
    tolerances: tuple[Tolerated, ...] = ()
    compared: Compared
    completeness: Shortfalls
    records: Shortfalls
    writers: tuple[str, ...] | None = Field(description="Rows by others; None: nobody knows")
    classes: tuple[ClassCount, ...]
    must_escalate: MustEscalate
    quality: Quality
    effects: Shortfalls
    running: Running
    strata: tuple[Stratum, ...]
    not_compared: Shortfall
    review: Shortfalls
    oversight: Oversight
