"""What the judging process is asked and what it answers, as every program may read it.

Apart from the judging itself (``judge``), which costs pandas: 30 MB in each process that imports
it.
"""

from collections.abc import Mapping

from pydantic import AwareDatetime, Field

from swarm.cutover.models import Certificate, GateResult, GateVerdict
from swarm.cutover.report import ReadinessReport
from swarm.models import Noun

WALL_SECONDS = 270


class JudgeRequest(Noun):
    """What to evaluate. ``look``: a planned look; ``since``: a watch."""

    home: str
    look: AwareDatetime | None = None
    since: AwareDatetime | None = None
    keep: bool = True
    pictures: bool = False


class Evaluation(Noun):
    """A report, what each gate says of it, and the certificate it earned.

    ``report_id`` None: it was not kept. ``refused``: why the database issued no certificate though
    all gates pass. ``pictures``: name -> PNG as base64.
    """

    report_id: int | None
    report: ReadinessReport
    gates: tuple[GateResult, ...]
    certificate: Certificate | None = None
    refused: str = ""
    pictures: Mapping[str, str] = Field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether every required gate passes."""
        return all(g.verdict is GateVerdict.PASS for g in self.gates if g.required)
