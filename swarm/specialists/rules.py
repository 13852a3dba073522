"""The deterministic specialist: offline, free, and always the same answer for the same mail.

It offers a draft only where it has something to say: a value on record, an approved answer of the
house, our own earlier words, or a question for a named missing thing. Every ask is answered or
named; where none is answered it declines, and a person writes. When reviewers object it declines,
for it knows no better words. A house that wants every mail acknowledged says so
(``ACKNOWLEDGE_UNANSWERED``)."""

from collections.abc import Iterable, Sequence
from importlib import resources

from swarm.models import Claim, Draft, Received, Review, Ruling, Stage, canonical_sha256
from swarm.specialists.answers import Answer, answer, answer_missing
from swarm.specialists.inspection import fact_findings, qa_findings, tone_findings
from swarm.specialists.phrasebook import Phrasebook, languages, phrasebook
from swarm.specialists.protocol import Brief, Classification, Proposal

_CODE_VERSION = "2"


class RulesSpecialist:
    """Templates over evidence. See the module's docstring."""

    name = "rules"

    def __init__(self, *, acknowledge: bool = False) -> None:
        self._acknowledge = acknowledge
        way = ".acknowledging" if acknowledge else ""
        self.version = f"{_CODE_VERSION}.{_phrases_sha256()[:12]}{way}"

    def classify(self, received: Received) -> Classification:
        """Add nothing: the detectors are the deterministic judgement already."""
        return Classification(reason="the rules specialist leaves this to the detectors")

    def propose(self, brief: Brief, previous: Draft | None, findings: Sequence[str]) -> Proposal:
        """Answer or name each ask; decline when none of them is answered."""
        book = phrasebook(brief.received.language)
        if book is None:
            return _decline(brief, f"no phrases for the language {brief.received.language}")
        if previous is not None and findings:
            return _decline(brief, "a reviewer objected, and the rules know no other words")
        places = range(len(brief.received.asks))
        answers = [answer(place, brief.received, brief.context, book) for place in places]
        if any(not said.open for said in answers):
            return _proposal(brief, book, answers)
        if self._acknowledge:
            return _acknowledgement(brief, book)
        return _decline(brief, answer_missing(brief.received))

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


def _proposal(brief: Brief, book: Phrasebook, answers: Sequence[Answer]) -> Proposal:
    asks = brief.received.asks
    said = [one for one in answers if not one.open]
    named = [one for one in answers if one.open]
    # Each once, what is answered first: two asks may have one answer, and one name.
    paragraphs = dict.fromkeys(one.text for one in (*said, *named))
    claims: dict[Claim, None] = dict.fromkeys(claim for one in said for claim in one.claims)
    return Proposal(
        body_text="\n\n".join((book.phrases["thanks"], *paragraphs)),
        language=book.language,
        claims=tuple(claims),
        answered=asks,
        unanswered=tuple(ask for ask, one in zip(asks, answers, strict=True) if one.open),
    )


def _acknowledgement(brief: Brief, book: Phrasebook) -> Proposal:
    """Say that the mail has arrived, and nothing else."""
    return Proposal(
        body_text=f"{book.phrases['thanks']} {book.phrases['received']}",
        language=book.language,
        answered=brief.received.asks,
        unanswered=brief.received.asks,
    )


def _decline(brief: Brief, why: str) -> Proposal:
    return Proposal(body_text="", language=brief.received.language, decline=why)


def _phrases_sha256() -> str:
    folder = resources.files("swarm.specialists") / "phrases"
    texts = {name: (folder / f"{name}.toml").read_text("utf-8") for name in sorted(languages())}
    return canonical_sha256({**texts})
