"""The one Protocol behind which thinking happens, and the typed brief it gets.

A specialist sees data only: it holds no client, no secret and no tool (ES-12). What it returns is
advice. Code decides recipients, links, subject, the escalation floor and every verdict's storage; a
specialist can add caution, never remove it.
"""

from collections.abc import Sequence
from typing import Protocol

from swarm.models import (
    Claim,
    Context,
    Draft,
    EscalationClass,
    Noun,
    Received,
    Review,
    TierDecision,
)


class Brief(Noun):
    """All a specialist may know about a work order."""

    received: Received
    context: Context
    tier: TierDecision
    signature: str


class Classification(Noun):
    """Escalation classes a specialist adds to what the detectors found (ES-01)."""

    classes: tuple[EscalationClass, ...] = ()
    reason: str = ""


class Proposal(Noun):
    """A proposed reply body without greeting mark-up, recipients or subject: code adds those."""

    body_text: str
    language: str
    claims: tuple[Claim, ...] = ()
    answered: tuple[str, ...] = ()
    """Asks the reply takes up, verbatim: answers them, or says that it does not."""

    unanswered: tuple[str, ...] = ()
    """Those of them it only names: nothing here has an answer to them."""

    decline: str | None = None
    """Why no reply can be proposed (e.g. a language it does not write); None otherwise."""


class Specialist(Protocol):
    """Who does the thinking behind the stages.

    Each method raises ``MalformedInputError`` when no judgement could be had; the caller turns that
    into an ERROR verdict and thereby an escalation (ES-05). ``ModelUnavailableError``: nobody gets
    an answer now; the work order waits.
    """

    name: str
    version: str

    def classify(self, received: Received) -> Classification:
        """Name escalation classes the deterministic detectors may have missed."""
        ...

    def propose(self, brief: Brief, previous: Draft | None, findings: Sequence[str]) -> Proposal:
        """Propose a reply, or revise ``previous`` according to the reviewers' findings."""
        ...

    def review_tone(self, brief: Brief, draft: Draft) -> Review:
        """Judge wording: courteous, calm, one greeting, one closing, right language."""
        ...

    def review_fact(self, brief: Brief, draft: Draft) -> Review:
        """Judge that every factual statement is carried by its evidence (ES-07)."""
        ...

    def review_qa(self, brief: Brief, draft: Draft) -> Review:
        """Judge that every ask is taken up and the reply stands on its own."""
        ...
