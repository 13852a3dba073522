"""The nouns of the proof: what a gate says, and what a certificate is bound to.

What does not live here: how a figure is had or judged. All times are UTC.
"""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import AwareDatetime, Field

from swarm.models import Noun
from swarm.stages.engine import Engine


class GateVerdict(StrEnum):
    """``INCONCLUSIVE`` never promotes: too little is known, which is not the same as fine."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


class GateResult(Noun):
    """What one gate says of one report.

    ``figure`` is what was seen, ``needed`` what would do, both in words with numbers; ``named`` are
    the work orders it is about (opaque keys, at most fifty), ``numbers`` what is plotted.
    """

    gate: str
    verdict: GateVerdict
    figure: str
    needed: str
    reasons: tuple[str, ...] = ()
    named: tuple[str, ...] = Field(default=(), max_length=50)
    numbers: Mapping[str, float] = Field(default_factory=dict)
    required: bool = True


class Certificate(Noun):
    """All required gates passed at a planned look; bound to everything that was judged.

    Void once the engine, the tolerances or the window's facts are others; expired after its time.
    """

    number: int
    report_id: int
    report_sha256: str
    engine: Engine
    tolerances_sha256: str
    look: AwareDatetime
    window_from: AwareDatetime
    window_to: AwareDatetime
    counts: Mapping[str, int]
    gates: Mapping[str, GateVerdict]
    issued_at: AwareDatetime
    valid_until: AwareDatetime
