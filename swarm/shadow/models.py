"""The nouns of the comparison: three records of one work order, and what they are side by side.

What does not live here: how they are read, replayed or derived. All times are UTC.
"""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from swarm.models import Draft, EscalationClass, Evidence, Lookup, Noun, Reason, Tier


class Origin(StrEnum):
    """Whether a work order was handled while both paths ran, or comes from imported files."""

    LIVE = "live"
    HISTORY = "history"


class Act(StrEnum):
    """What a person did with a draft, or instead of one.

    ``UNKNOWN``: fourteen days of looking told nothing, or the mailbox cannot tell.
    """

    OPEN = "open"
    SENT_UNCHANGED = "sent_unchanged"
    SENT_EDITED = "sent_edited"
    REWRITTEN = "rewritten"
    DISCARDED = "discarded"
    ANSWERED_OTHERWISE = "answered_otherwise"
    UNKNOWN = "unknown"

    @property
    def used(self) -> bool:
        """Whether the draft went out with at most light edits."""
        return self in {Act.SENT_UNCHANGED, Act.SENT_EDITED}


class LegacyOutcome(Noun):
    """What today's path decided about a work order; one line of its outbox."""

    work_order_key: str
    origin: Origin
    escalated: bool
    reasons: tuple[str, ...] = Field(default=(), description="Legacy's own words: classes, checks")
    recipient: str = ""
    subject: str = ""
    body_text: str = ""
    policy_version: str
    line_sha256: str
    decided_at: AwareDatetime | None = None


class ReplyOutcome(Noun):
    """What a person did, as the mailbox shows it. ``sent_text`` is what the customer got."""

    work_order_key: str
    origin: Origin
    publisher: str | None = Field(default=None, description="Whose draft it was; None: none was")
    act: Act = Act.OPEN
    detail: str = Field(default="", description="In words of ours, without mail text")
    similarity: float | None = Field(default=None, ge=0, le=1, description="Offered to sent")
    offered_at: AwareDatetime | None = None
    acted_at: AwareDatetime | None = None
    sent_text: str | None = None
    conversation_id: str | None = None


class Decision(StrEnum):
    """What the new path came to. The last two are no judgement: they say why there is none."""

    DRAFT = "draft"
    ESCALATED = "escalated"
    DECLINED = "declined"
    FAILED = "failed"
    NOT_REPLAYABLE = "not_replayable"


class Replayed(Noun):
    """One work order through the new path again; a failure is a value of its own."""

    work_order_key: str
    engine: str
    decision: Decision
    detail: str = Field(default="", description="Why it failed or could not be replayed")
    tier: Tier | None = None
    classes: tuple[EscalationClass, ...] = ()
    reasons: tuple[Reason, ...] = ()
    draft: Draft | None = None
    language: str = "und"
    thread: Lookup = Lookup.UNAVAILABLE
    contact: Lookup = Lookup.UNAVAILABLE
    input_sha256: str = Field(description="Of work order, thread and CRM as they were given")
    duration_ms: int = Field(default=0, ge=0)
    cost: float = Field(default=0.0, ge=0)
    evidence: tuple[Evidence, ...] = Field(
        default=(), description="What a draft could lean on: either path's text is held against it"
    )

    def same_answer(self, other: "Replayed") -> bool:
        """Whether another pass came to the same: decision, classes, and the very bytes."""
        return (
            self.decision is other.decision
            and set(self.classes) == set(other.classes)
            and _bytes(self) == _bytes(other)
        )


def _bytes(replayed: Replayed) -> str | None:
    return replayed.draft.content_sha256 if replayed.draft else None


class OutcomePair(StrEnum):
    """What the two paths came to, side by side. *Declined* is neither a draft nor an escalation:
    a person writes.
    """

    BOTH_DRAFT = "both_draft"
    BOTH_PERSON = "both_person"
    ONLY_LEGACY_DRAFTS = "only_legacy_drafts"
    ONLY_NEW_DRAFTS = "only_new_drafts"
    ONE_FAILED = "one_failed"


class Strata(Noun):
    """What kind of work order it is: figures are asked for each kind."""

    origin: Origin
    tier: Tier | None
    language: str
    attachments: bool
    thread: Lookup
    contact: Lookup


class Comparison(Noun):
    """One work order, side by side. Derived by a pure function from the three records; frozen.

    ``needed``: classes for which a person was needed. A label decides; without one, what the person
    did; without that, legacy's classes, of which only safety classes count. ``missed`` are those of
    them where the new path would have offered a draft. ``thread_id`` groups what belongs together
    (resampling is by thread); it is no id of the mailbox.
    """

    work_order_key: str
    engine: str
    pair: OutcomePair
    strata: Strata
    legacy_classes: tuple[EscalationClass, ...] = ()
    new_classes: tuple[EscalationClass, ...] = ()
    needed: tuple[EscalationClass, ...] = ()
    needed_because: str = Field(default="", description="label, act, legacy; empty: nobody was")
    missed: tuple[EscalationClass, ...] = ()
    extra: bool = Field(default=False, description="A person was asked for and not needed")
    declined: bool = False
    same_recipient: bool | None = Field(default=None, description="None: not both drafted")
    same_thread: bool | None = None
    same_subject: bool | None = None
    legacy_unbacked: int = Field(default=0, ge=0, description="Commitments nothing carries")
    new_unbacked: int = Field(default=0, ge=0)
    new_legacy: float | None = Field(default=None, ge=0, le=1, description="Likeness of drafts")
    new_sent: float | None = Field(default=None, ge=0, le=1)
    legacy_sent: float | None = Field(default=None, ge=0, le=1)
    act: Act | None = None
    legacy_ms: int | None = None
    new_ms: int | None = None
    new_cost: float = 0.0
    failed: str = Field(default="", description="Why one of them failed")
    tolerated: tuple[str, ...] = Field(default=(), description="Names of tolerances used")
    thread_id: str
    received_at: AwareDatetime
