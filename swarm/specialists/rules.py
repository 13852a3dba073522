"""The deterministic specialist: offline, free, and always the same answer for the same mail.

It acknowledges each ask, answers from evidence, asks for what is missing, and commits to nothing.
What it does not know it declines, and a human answers. When reviewers object it states nothing any
more and only acknowledges."""

from collections.abc import Iterable, Sequence
from importlib import resources

from swarm.models import Claim, Draft, Received, Review, Ruling, Stage, canonical_sha256
from swarm.specialists.answers import Answer, answer
from swarm.specialists.inspection import fact_findings, qa_findings, tone_findings
from swarm.specialists.phrasebook import Phrasebook, languages, phrasebook
from swarm.specialists.protocol import Brief, Classification, Proposal

_CODE_VERSION = "1"


class RulesSpecialist:
    """Templates over evidence. See the module's docstring."""

    name = "rules"

    def __init__(self) -> None:
        self.version = f"{_CODE_VERSION}.{_phrases_sha256()[:12]}"

    def classify(self, received: Received) -> Classification:
        """Add nothing: the detectors are the deterministic judgement already."""
        return Classification(reason="the rules specialist leaves this to the detectors")

    def propose(self, brief: Brief, previous: Draft | None, findings: Sequence[str]) -> Proposal:
        """Answer each ask; decline when none of them is of a known topic."""
        book = phrasebook(brief.received.language)
        if book is None:
            return _decline(brief, f"no phrases for the language {brief.received.language}")
        cautious = previous is not None and bool(findings)
        answers = _answers(brief, book, from_evidence=not cautious)
        if answers is None:
            return _decline(brief, "no question is of a kind that can be answered without a person")
        return _proposal(brief, book, answers)

    def review_tone(self, brief: Brief, draft: Draft) -> Review:
        """See ``inspection.tone_findings``."""
        return self._review(Stage.TONE, brief, draft, tone_findings(brief, draft))

    def review_fact(self, brief: Brief, draft: Draft) -> Review:
        """See ``inspection.fact_findings``."""
        return self._review(Stage.FACT, brief, draft, fact_findings(brief, draft))

    def review_qa(self, brief: Brief, draft: Draft) -> Review:
        """See ``inspection.qa_findings``."""
        return self._review(Stage.QA, brief, draft, qa_findings(brief, draft))

    def _review(self, stage: Stage, brief: Brief, draft: Draft, found: Iterable[str]) -> Review:
        findings = tuple(found)
        return Review(
            stage=stage,
            ruling=Ruling.FAIL if findings else Ruling.PASS,
            findings=findings,
            reviewer=f"{self.name}@{self.version}",
            draft_sha256=draft.content_sha256,
            evidence_sha256=brief.context.digest(),
        )


def _answers(brief: Brief, book: Phrasebook, *, from_evidence: bool) -> list[Answer] | None:
    """Answer ask by ask; None when there are asks and none of them is of a known topic."""
    asks = brief.received.asks
    said = [answer(ask, brief.context, book, from_evidence=from_evidence) for ask in asks]
    known = list(dict.fromkeys(one for one in said if one is not None))
    if said and not known:
        return None
    return [*known, Answer(book.phrases["further"])] if None in said else known


def _proposal(brief: Brief, book: Phrasebook, answers: Sequence[Answer]) -> Proposal:
    # "We have received it" says something only when nothing else does.
    opening = [book.phrases["thanks"], *([] if answers else [book.phrases["received"]])]
    paragraphs = [" ".join(opening), *(said.text for said in answers)]
    claims: list[Claim] = [claim for said in answers for claim in said.claims]
    return Proposal(
        body_text="\n\n".join(paragraphs),
        language=book.language,
        claims=tuple(claims),
        answered=brief.received.asks,
    )


def _decline(brief: Brief, why: str) -> Proposal:
    return Proposal(body_text="", language=brief.received.language, decline=why)


def _phrases_sha256() -> str:
    folder = resources.files("swarm.specialists") / "phrases"
    texts = {name: (folder / f"{name}.toml").read_text("utf-8") for name in sorted(languages())}
    return canonical_sha256({**texts})
