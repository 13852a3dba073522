"""The stages of today's production behind the specialist protocol: a like-for-like check.

With it the orchestration alone is new (queue, fences, evidence, ledger), the judgement is the old
one; what differs from the legacy path's own output is then the orchestration's doing. The safety
floor applies to it as to every specialist.
"""

import inspect
from collections.abc import Sequence

from swarm.legacy import simple_stages
from swarm.models import Draft, EscalationClass, Received, Review, Ruling, Stage, canonical_sha256
from swarm.specialists.protocol import Brief, Classification, Proposal


class LegacySpecialist:
    """See the module's docstring. Its version is the hash of the legacy stages' source."""

    name = "legacy"

    def __init__(self) -> None:
        self.version = canonical_sha256(inspect.getsource(simple_stages))[:12]

    def classify(self, received: Received) -> Classification:
        """Name the topics that production hands to a person."""
        found = simple_stages.tier(f"{received.work_order.subject}\n{received.text}")
        classes = tuple(EscalationClass(name) for name in found)
        return Classification(classes=classes, reason="legacy keyword rules")

    def propose(self, brief: Brief, previous: Draft | None, findings: Sequence[str]) -> Proposal:
        """Thank and list the questions; production has no second version to offer."""
        text = brief.received.text
        if previous is not None and findings:
            return Proposal(body_text="", language="und", decline="legacy does not revise")
        return Proposal(
            body_text=simple_stages.reply(text),
            language="de" if simple_stages.german(text) else "en",
            answered=brief.received.asks,
        )

    def review_tone(self, brief: Brief, draft: Draft) -> Review:
        """Pass: production only tidies blank lines."""
        return self._review(Stage.TONE, brief, draft, ())

    def review_fact(self, brief: Brief, draft: Draft) -> Review:
        """Object to a number the customer did not write."""
        core = simple_stages.reply(brief.received.text)
        return self._review(Stage.FACT, brief, draft, simple_stages.fact(core, brief.received.text))

    def review_qa(self, brief: Brief, draft: Draft) -> Review:
        """Object to an empty or oversized draft."""
        return self._review(Stage.QA, brief, draft, simple_stages.qa(draft.body_text))

    def _review(
        self, stage: Stage, brief: Brief, draft: Draft, findings: tuple[str, ...]
    ) -> Review:
        return Review(
            stage=stage,
            ruling=Ruling.FAIL if findings else Ruling.PASS,
            findings=findings,
            reviewer=f"{self.name}@{self.version}",
            draft_sha256=draft.content_sha256,
            evidence_sha256=brief.context.digest(),
        )
