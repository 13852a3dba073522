"""The specialist behind which a chat model thinks.

What lives here: what each answer must look like, and how little of it is believed. The model never
sees or sets recipients, links, subject, ids or tiers; an answer outside its schema is malformed
and thereby an escalation (ES-05). How the call is made is the business of ``model_calls``.
"""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import ValidationError

from swarm.errors import MalformedInputError
from swarm.models import Claim, Draft, EscalationClass, Noun, Received, Review, Ruling, Stage
from swarm.settings import ModelSettings
from swarm.specialists.model_calls import ModelCalls
from swarm.specialists.prompting import (
    Prompt,
    classify_prompt,
    prompts_sha256,
    propose_prompt,
    review_prompt,
)
from swarm.specialists.protocol import Brief, Classification, Proposal
from swarm.store.protocol import RunStore

_FINDING_LIMIT = 8
_FINDING_LENGTH = 300


# Strict mode of the JSON-schema protocol wants every field required, so there are no defaults.
class ClassifyAnswer(Noun):
    """Escalation classes; the enum is closed."""

    classes: list[EscalationClass]
    reason: str


class ProposeAnswer(Noun):
    """A reply body, or why there is none."""

    body: str
    claims: list[Claim]
    answered: list[int]
    decline: str | None


class ReviewAnswer(Noun):
    """A judgement with what must change."""

    acceptable: bool
    findings: list[str]


AnswerT = TypeVar("AnswerT", ClassifyAnswer, ProposeAnswer, ReviewAnswer)


class LlmSpecialist:
    """See the module's docstring. ``version`` changes with model and prompts (ES-25)."""

    name = "llm"

    def __init__(
        self,
        settings: ModelSettings,
        ledger: RunStore,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.version = f"{settings.provider}/{settings.name}.{prompts_sha256()[:12]}"
        self._calls = ModelCalls(settings, ledger, sleep)

    def classify(self, received: Received) -> Classification:
        """Name the classes the model sees; it can only add to the detectors' (ES-01)."""
        said = self._ask(received.work_order.key, classify_prompt(received), ClassifyAnswer)
        return Classification(
            classes=tuple(sorted(set(said.classes))), reason=said.reason[:_FINDING_LENGTH]
        )

    def propose(self, brief: Brief, previous: Draft | None, findings: Sequence[str]) -> Proposal:
        """Propose a body; language and asks are taken from the brief, not from the model."""
        prompt = propose_prompt(brief, previous, findings)
        said = self._ask(brief.received.work_order.key, prompt, ProposeAnswer)
        asks = brief.received.asks
        return Proposal(
            body_text=said.body.strip(),
            language=brief.received.language,
            claims=tuple(said.claims),
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
        prompt = review_prompt(stage.value, brief, draft)
        said = self._ask(brief.received.work_order.key, prompt, ReviewAnswer)
        findings = tuple(f[:_FINDING_LENGTH] for f in said.findings[:_FINDING_LIMIT])
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

    def _ask(self, key: str, prompt: Prompt, kind: type[AnswerT]) -> AnswerT:
        answer = self._calls.ask(key, prompt, kind.model_json_schema())
        try:
            return kind.model_validate(answer)
        except ValidationError as error:
            raise MalformedInputError(
                f"the model's answer to {prompt.purpose} does not fit its schema "
                f"({error.error_count()} problems)",
                work_order=key,
            ) from None
