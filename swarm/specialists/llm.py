"""The specialist behind which a chat model thinks.

What lives here: what each answer must look like, and how little of it is believed. The model never
sees or sets recipients, links, subject, ids or tiers; an answer outside its schema is malformed
and thereby an escalation (ES-05). How the call is made is the business of ``model_calls``.
"""

import time
from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import Field, StrictBool

from swarm.models import Claim, Draft, EscalationClass, Noun, Received, Review, Ruling, Stage
from swarm.settings import ModelSettings
from swarm.specialists.model_calls import ModelCalls
from swarm.specialists.phrasebook import phrasebook
from swarm.specialists.prompting import Prompts, prompts_sha256, style_of
from swarm.specialists.protocol import Brief, Classification, Proposal
from swarm.specialists.turns import NobodyElse, Turns
from swarm.store.protocol import ModelLedger

_Sentence = Annotated[str, Field(max_length=300)]
_Quote = Annotated[str, Field(max_length=1000)]


# Evidence stands before the verdict: a model writes from the first field to the last. Strict mode
# of the JSON-schema protocol wants every field required, so there are no defaults.
class ClassifyAnswer(Noun):
    """Escalation classes; the enum is closed."""

    quotes: Annotated[list[_Quote], Field(max_length=6)]
    reason: _Sentence
    classes: Annotated[list[EscalationClass], Field(max_length=len(EscalationClass))]


class ProposedClaim(Noun):
    """A statement of the reply and the words that carry it."""

    evidence_id: Annotated[str, Field(max_length=20)]
    quote: _Quote
    text: _Quote


class ProposeAnswer(Noun):
    """A reply body, or why there is none."""

    claims: Annotated[list[ProposedClaim], Field(max_length=30)]
    decline: _Sentence | None
    body: Annotated[str, Field(max_length=8000)]
    answered: Annotated[list[int], Field(max_length=50)]


class ReviewAnswer(Noun):
    """A judgement with what must change."""

    findings: Annotated[list[_Sentence], Field(max_length=8)]
    acceptable: StrictBool


class LlmSpecialist:
    """See the module's docstring. ``version`` changes with model and prompts (ES-25)."""

    name = "llm"

    def __init__(
        self,
        settings: ModelSettings,
        ledger: ModelLedger,
        *,
        sleep: Callable[[float], None] = time.sleep,
        turns: Turns | None = None,
    ) -> None:
        style = style_of(settings)
        others = "".join(f",{use}={name}" for use, name in sorted(settings.names.items()))
        self.version = f"{settings.provider}/{settings.name}{others}.{prompts_sha256(style)[:12]}"
        self._prompts = Prompts(style)
        self._calls = ModelCalls(settings, ledger, sleep, turns or NobodyElse())

    def classify(self, received: Received) -> Classification:
        """Name the classes the model sees; it can only add to the detectors' (ES-01)."""
        prompt = self._prompts.classify(received)
        said = self._calls.ask(received.work_order.key, prompt, ClassifyAnswer)
        return Classification(classes=tuple(sorted(set(said.classes))), reason=said.reason)

    def propose(self, brief: Brief, previous: Draft | None, findings: Sequence[str]) -> Proposal:
        """Propose a body; language and asks are taken from the brief, not from the model."""
        language = brief.received.language
        if phrasebook(language) is None:  # without a greeting it would be withheld, and paid
            decline = f"nobody here writes the language {language}"
            return Proposal(body_text="", language=language, decline=decline)
        prompt = self._prompts.propose(brief, previous, findings)
        said = self._calls.ask(brief.received.work_order.key, prompt, ProposeAnswer)
        asks = brief.received.asks
        return Proposal(
            body_text=said.body.strip(),
            language=language,
            claims=tuple(Claim(**claim.model_dump()) for claim in said.claims),
            answered=tuple(ask for n, ask in enumerate(asks, 1) if n in said.answered),
            decline=said.decline or (None if said.body.strip() else "the model wrote nothing"),
        )

    def review_tone(self, brief: Brief, draft: Draft) -> Review:
        """Let the model judge the wording."""
        return self._review(Stage.TONE, brief, draft)

    def review_fact(self, brief: Brief, draft: Draft) -> Review:
        """Let the model check each statement against the evidence."""
        return self._review(Stage.FACT, brief, draft)

    def review_qa(self, brief: Brief, draft: Draft) -> Review:
        """Let the model check that the reply does its work."""
        return self._review(Stage.QA, brief, draft)

    def _review(self, stage: Stage, brief: Brief, draft: Draft) -> Review:
        prompt = self._prompts.review(stage.value, brief, draft)
        said = self._calls.ask(brief.received.work_order.key, prompt, ReviewAnswer)
        findings = tuple(said.findings)
        # "Acceptable, but ..." is not acceptable.
        accepted = said.acceptable and not findings
        return Review(
            stage=stage,
            ruling=Ruling.PASS if accepted else Ruling.FAIL,
            findings=findings or (() if accepted else ("rejected without a stated reason",)),
            reviewer=f"{self.name}@{self.version}",
            draft_sha256=draft.content_sha256,
            evidence_sha256=brief.context.digest(),
        )
