"""The nouns that stages exchange: frozen, strict, JSON all the way down.

What lives here: values with meaning of their own. What does not: database rows of the queue, the
intake and the publication ledger (in their rooms), prompts, and any behaviour beyond derived facts.
All times are time-zone aware UTC. All hashes are lower-case hex sha256 of canonical JSON.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import IntEnum, StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, model_validator

from swarm.patterns import linear


class Noun(BaseModel):
    """A frozen value; unknown fields are refused so that a typo cannot pass silently."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def digest(self) -> str:
        """Content hash over the canonical JSON form."""
        return canonical_sha256(self.model_dump(mode="json"))


def canonical_sha256(value: JsonValue | Mapping[str, JsonValue]) -> str:
    """Sha256 of JSON with sorted keys, no spaces and real UTF-8: our one form of hash."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


# --- states ---------------------------------------------------------------------------------------


class Stage(StrEnum):
    """The eleven stage outputs of a work order, in lineage order."""

    RECEIVED = "received"
    THREAD = "thread"
    CRM = "crm"
    TIER = "tier"
    CONTEXT = "context"
    DRAFT = "draft"
    TONE = "tone"
    FACT = "fact"
    QA = "qa"
    POLICY = "policy"
    PUBLISH = "publish"


class WorkOrderState(StrEnum):
    """Where a work order is. The last five are final (promise 1).

    ``declined``: nothing here can answer it, a person writes, and no danger was seen.
    ``escalated``: a danger was seen, or it could not be judged whether there is one.
    """

    ACCEPTED = "accepted"
    RUNNING = "running"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    ESCALATED = "escalated"
    DECLINED = "declined"
    HELD = "held"
    DEAD = "dead"

    @property
    def final(self) -> bool:
        """Whether nothing but a person moves it from here."""
        return self in _FINAL_STATES


_FINAL_STATES = frozenset(
    {
        WorkOrderState.PUBLISHED,
        WorkOrderState.ESCALATED,
        WorkOrderState.DECLINED,
        WorkOrderState.HELD,
        WorkOrderState.DEAD,
    }
)


class Tier(IntEnum):
    """How careful we must be. Never decreases (ES-02)."""

    ROUTINE = 1
    REVIEW = 2
    ESCALATE = 3


class EscalationClass(StrEnum):
    """Why a mail must reach a human (ES-01)."""

    COMPLAINT = "complaint"
    LEGAL = "legal"
    SAFETY = "safety"
    FRAUD = "fraud"
    PRIVACY = "privacy"
    VULNERABLE = "vulnerable"
    PRESS = "press"
    MONEY_DISPUTE = "money_dispute"
    HUMAN_REQUESTED = "human_requested"
    UNKNOWN = "unknown"


class Lookup(StrEnum):
    """What asking an outside source gave. ``UNAVAILABLE`` is never the same as ``MISS``."""

    HIT = "hit"
    MISS = "miss"
    UNAVAILABLE = "unavailable"


class Ruling(StrEnum):
    """The answer of a rule or reviewer. ``ERROR`` counts as a failure, never as a pass (ES-05)."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    ERROR = "error"


class EvidenceKind(StrEnum):
    """Where a quotable sentence comes from; only the last two may carry a commitment (ES-08)."""

    INBOUND = "inbound"
    THREAD = "thread"
    CRM_CONTACT = "crm_contact"
    CRM_UPDATE = "crm_update"
    CRM_FIELD = "crm_field"
    POLICY = "policy"


_PLAIN_ADDRESS = linear(r"[^\s,;<>\"\x00-\x1f@]{1,320}@[^\s,;<>\"\x00-\x1f@]{1,320}")


# --- mail -----------------------------------------------------------------------------------------


class Address(Noun):
    """A mailbox address with its display name. ``address`` is as received; compare lower-cased."""

    address: str
    name: str = ""

    @property
    def plain(self) -> bool:
        """Whether it is one bare address: nothing in it that separates, quotes or encloses."""
        return _PLAIN_ADDRESS.fullmatch(self.address) is not None


class MessageRef(Noun):
    """How Outlook and the Internet name a message. ``message_id`` is Graph's immutable id."""

    mailbox: str
    message_id: str | None = None
    internet_message_id: str | None = None
    conversation_id: str | None = None


class Attachment(Noun):
    """An attachment's label; what it says is read by the stage ``thread``."""

    name: str
    content_type: str
    size: int = Field(ge=0)
    inline: bool = False


class WorkOrder(Noun):
    """One accepted intake line. ``key`` is the opaque surrogate used outside our tables."""

    key: str = Field(pattern=r"^wo_[a-z2-7]{24}$")
    original_id: str
    ref: MessageRef
    sender: Address
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    subject: str
    body_text: str = ""
    body_html: str = ""
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    received_at: AwareDatetime
    source: str
    truncated: bool = Field(
        default=False, description="The body was cut at intake; judge with care"
    )
    unread: tuple[str, ...] = Field(
        default=(), description="What the intake could not read, in its own words; nobody judged it"
    )


class Contact(Noun):
    """Where another mail of the same customer or thread lies, and how far it came."""

    key: str
    state: WorkOrderState
    conversation_id: str | None
    message_id: str | None
    received_at: AwareDatetime
    later: bool = Field(default=False, description="Whether it reached the mailbox after this one")


LONGEST_JUDGED = 100_000  # characters; the longest honest text seen has a fifth of it
NESTED_TOO_DEEP = "nested_too_deep"  # label of HTML no parser is trusted with; only tags were cut


class TextSpan(Noun):
    """A finding at ``start:end`` (characters) of a text; ``label`` says what it is."""

    start: int = Field(ge=0)
    end: int = Field(ge=0)
    label: str
    excerpt: str = Field(default="", max_length=120)


class SetAsideKind(StrEnum):
    """What a passage is that is not what the sender wrote now."""

    HISTORY = "history"
    SIGNATURE = "signature"
    FOOTER = "footer"
    BANNER = "banner"
    ARMOUR = "armour"


class SetAside(Noun):
    """A passage taken out of a mail's text; kept whole, and judged all the same.

    ``judged`` says whether escalation is judged on it, and is true unless something shows that it
    is not what the customer says now: a message of the conversation holds it, or its shape does.
    Instructions to a machine are looked for in everything but history that is proved.
    """

    kind: SetAsideKind
    reason: str = Field(description="In words, without mail text")
    text: str
    judged: bool = True
    language: str = Field(default="", description="Of judged history; empty: not measured")

    @property
    def scanned(self) -> bool:
        """Whether instructions to a machine are looked for in it (ES-13)."""
        return self.judged or self.kind is not SetAsideKind.HISTORY


_EARLIER_PARTS = {"quoted": SetAsideKind.HISTORY, "signature": SetAsideKind.SIGNATURE}


class Received(Noun):
    """The mail as a person would read it: decoded, quotes and hidden text taken out and kept."""

    work_order: WorkOrder
    text: str = Field(description="What the sender wrote now: no quoted history, no hidden text")
    set_aside: tuple[SetAside, ...] = Field(
        default=(), description="What was taken out of the text, in order, each with its reason"
    )
    hidden: tuple[TextSpan, ...] = Field(default=(), description="Hidden or invisible text (ES-13)")
    language: str = Field(description="ISO 639-1, or 'und' when it cannot be told")
    asks: tuple[str, ...] = Field(default=(), description="Questions and requests, in order")

    @model_validator(mode="before")
    @classmethod
    def _parts_of_earlier_versions(cls, given: object) -> object:
        """Read ``quoted`` and ``signature``, as artifacts carried them before parts had kinds."""
        if not isinstance(given, Mapping) or not _EARLIER_PARTS.keys() & given.keys():
            return given
        parts = [
            SetAside(kind=kind, reason="set aside by an earlier version", text=given[name])
            for name, kind in _EARLIER_PARTS.items()
            if given.get(name)
        ]
        rest = {name: value for name, value in given.items() if name not in _EARLIER_PARTS}
        return {**rest, "set_aside": (*parts, *(given.get("set_aside") or ()))}

    @property
    def quoted(self) -> str:
        """The history, wherever it stood, proved or not."""
        return self._of(SetAsideKind.HISTORY)

    @property
    def signature(self) -> str:
        """Who wrote it, as the end of the mail says."""
        return self._of(SetAsideKind.SIGNATURE)

    def _of(self, kind: SetAsideKind) -> str:
        return "\n".join(part.text for part in self.set_aside if part.kind is kind)


# --- context --------------------------------------------------------------------------------------


class ThreadMessage(Noun):
    """One message of the Outlook conversation, plain text, newest quote removed."""

    message_id: str
    internet_message_id: str | None = None
    sender: Address
    recipients: tuple[Address, ...] = ()
    sent_at: AwareDatetime
    subject: str = ""
    text: str = ""
    from_us: bool
    is_draft: bool = False


def as_message(order: WorkOrder) -> ThreadMessage:
    """Return a work order's mail as a message of its conversation, as it came."""
    return ThreadMessage(
        message_id=order.ref.message_id or order.original_id,
        internet_message_id=order.ref.internet_message_id,
        sender=order.sender,
        recipients=(*order.to, *order.cc),
        sent_at=order.received_at,
        subject=order.subject,
        text=order.body_text,
        from_us=False,
    )


def in_conversation_order(messages: Iterable[ThreadMessage]) -> tuple[ThreadMessage, ...]:
    """Return a conversation oldest first without drafts; within one second ours come last.

    Graph's times end at the second: a reply of ours in the second of the mail it answers must count
    as after it, or an answered mail would look unanswered (ES-20).
    """
    sent = (message for message in messages if not message.is_draft)
    return tuple(sorted(sent, key=lambda m: (m.sent_at.replace(microsecond=0), m.from_us)))


class AttachmentText(Noun):
    """What an attachment of the mail says, or why nobody could read it (one of the two)."""

    name: str
    content_type: str
    size: int = Field(ge=0)
    text: str = ""
    truncated: bool = Field(default=False, description="Whether its text goes on")
    problem: str = Field(default="", description="Why it was not read, in words of ours")


class Thread(Noun):
    """The conversation as Graph has it. Messages are oldest first, drafts and junk left out."""

    lookup: Lookup
    detail: str = Field(default="", description="Why unavailable, or what was left out")
    messages: tuple[ThreadMessage, ...] = ()
    head_message_id: str | None = Field(
        default=None, description="Newest message when the snapshot was taken (ES-20)"
    )
    attachments: tuple[AttachmentText, ...] = Field(
        default=(), description="Of the mail at hand, those that are no pictures in its text"
    )
    taken_at: AwareDatetime

    @property
    def inbound_unanswered(self) -> int:
        """How many inbound messages stand at the end without a reply of ours (ES-04)."""
        count = 0
        for message in reversed(self.messages):
            if message.from_us:
                break
            count += 1
        return count


class CrmField(Noun):
    """One column of a monday item, with where it came from."""

    item_id: str
    board_id: str
    column_id: str
    title: str
    text: str


class CrmItem(Noun):
    """A contact or a deal on a monday board."""

    item_id: str
    board_id: str
    name: str
    url: str = ""
    updated_at: datetime | None = None
    fields: tuple[CrmField, ...] = ()


class CrmUpdate(Noun):
    """A note on a monday item."""

    update_id: str
    item_id: str
    text: str
    created_at: datetime | None = None
    author: str = ""


class Crm(Noun):
    """What monday knows of the sender; each part carries its own lookup (its provenance)."""

    contact: Lookup
    deals: Lookup
    updates: Lookup
    contacts: tuple[CrmItem, ...] = ()
    contacts_complete: bool = Field(
        default=True, description="False when a further contact was listed and not readable"
    )
    deal_items: tuple[CrmItem, ...] = ()
    update_items: tuple[CrmUpdate, ...] = ()
    detail: str = ""
    taken_at: AwareDatetime


class Evidence(Noun):
    """A sentence a draft may lean on. ``owner`` is the customer address it belongs to (ES-09)."""

    id: str
    kind: EvidenceKind
    source: str = Field(description="e.g. 'graph:message', 'monday:deal:status'; never an address")
    owner: str
    title: str = ""
    text: str
    answers: tuple[int, ...] = Field(
        default=(), description="Places in ``Received.asks`` it was found for, from 0"
    )


class Context(Noun):
    """Everything known about a work order at one moment: the only thing a draft may lean on.

    ``digest()`` of this noun is the evidence hash of the verdict key (ES-15).
    """

    thread: Lookup
    contact: Lookup
    evidence: tuple[Evidence, ...]
    participants: tuple[str, ...] = Field(description="Lower-cased addresses seen in the thread")
    customer: str = Field(description="Lower-cased address the answer goes to")
    inbound_unanswered: int = Field(ge=0)
    rejected_drafts: int = Field(default=0, ge=0)
    head_message_id: str | None = None
    conflicts: tuple[str, ...] = Field(default=(), description="Sources that contradict each other")
    injections: tuple[TextSpan, ...] = Field(
        default=(), description="Instruction-like text (ES-13)"
    )
    masked: Mapping[str, str] = Field(
        default_factory=dict, description="Placeholder -> kind of the secret taken out (ES-14)"
    )
    gaps: tuple[str, ...] = Field(default=(), description="What could not be had, in sentences")


# --- judging --------------------------------------------------------------------------------------


DECLINED = "DECLINED"  # stands where a rule's id stands: no rule objects, but there is no answer


class Reason(Noun):
    """Why a rule fired. ``detail`` is for people and never quotes mail text."""

    rule: str = Field(pattern=r"^(ES-\d\d|LEGACY-POLICY|DECLINED)$")
    detail: str
    classes: tuple[EscalationClass, ...] = ()


class TierDecision(Noun):
    """The stage ``tier``: classes found by code and model together (ES-01)."""

    tier: Tier
    classes: tuple[EscalationClass, ...] = ()
    reasons: tuple[Reason, ...] = ()
    spans: tuple[TextSpan, ...] = ()
    detectors: Mapping[str, str] = Field(description="Detector name -> version")


class Claim(Noun):
    """A factual statement of the draft and the evidence that carries it (ES-07)."""

    text: str = Field(description="As it stands in the draft body")
    evidence_id: str
    quote: str = Field(description="Must occur exactly in the evidence text")


class Draft(Noun):
    """The stage ``draft``. Withheld means: no text was made, for the stated reason."""

    withheld: str | None = Field(default=None, description="Reason; None when a text is offered")
    declined: str | None = Field(
        default=None,
        description="Withheld because nothing here can answer it, not for a danger: which answer is"
        " missing, in words of ours; None otherwise",
    )
    subject: str = ""
    body_text: str = ""
    body_html: str = ""
    language: str = "und"
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    claims: tuple[Claim, ...] = ()
    answered: tuple[str, ...] = Field(default=(), description="Asks the text takes up, verbatim")
    unanswered: tuple[str, ...] = Field(
        default=(), description="Asks to which nothing here had an answer, verbatim"
    )
    revision: int = Field(default=0, ge=0)
    author: str = Field(description="Specialist name and version")

    @property
    def offered(self) -> bool:
        """Whether there is a text to judge and publish."""
        return self.withheld is None

    @property
    def content_sha256(self) -> str:
        """The draft hash of the verdict key: exactly what a reader would receive (ES-15, ES-17)."""
        return canonical_sha256(
            {
                "subject": self.subject,
                "body_text": self.body_text,
                "body_html": self.body_html,
                "to": [a.address.lower() for a in self.to],
                "cc": [a.address.lower() for a in self.cc],
            }
        )


class Review(Noun):
    """The stages ``tone``, ``fact`` and ``qa``: one reviewer's verdict about one draft's bytes."""

    stage: Stage
    ruling: Ruling
    findings: tuple[str, ...] = ()
    reviewer: str = Field(description="Specialist name and version")
    draft_sha256: str
    evidence_sha256: str
    applicable: bool = Field(default=True, description="False when the draft was withheld")


class Verdict(Noun):
    """An immutable ruling, unique per (rule, version, draft, evidence) (ES-15)."""

    rule: str
    version: str
    draft_sha256: str
    evidence_sha256: str
    ruling: Ruling
    reasons: tuple[str, ...] = ()
    decided_by: str = Field(description="Who: ruleset, or specialist name and version")

    @property
    def name(self) -> tuple[str, str, str, str]:
        """What no two rulings share; the first one of a name stays."""
        return self.rule, self.version, self.draft_sha256, self.evidence_sha256


class PolicyDecision(Noun):
    """The stage ``policy``: may this draft be offered? Code decides; models only add reasons."""

    publishable: bool
    declined: bool = Field(
        default=False, description="No danger was seen, but nothing here can answer it"
    )
    reasons: tuple[Reason, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    ruleset: str
    draft_sha256: str
    evidence_sha256: str
    waived: tuple[str, ...] = Field(default=(), description="Rules a person took on (a release)")


class Publication(Noun):
    """The stage ``publish``: what was handed to the ledger, or why nothing was."""

    state: WorkOrderState = Field(description="publishing, published, escalated, declined or held")
    detail: str


class ModelCall(Noun):
    """One paid model call: never repeated for the same work order, purpose and request."""

    work_order_key: str
    purpose: str
    request_sha256: str
    model: str
    prompt_sha256: str
    answer: JsonValue
    input_tokens: int | None = None
    cached_tokens: int | None = Field(default=None, description="Of the input, read from a cache")
    output_tokens: int | None = None
    cost: float = 0.0
    latency_ms: int = 0


class StageArtifact(Noun):
    """A stage output as stored: the JSON of its noun with its hash."""

    work_order_key: str
    stage: Stage
    attempt: int
    run_id: str
    body: JsonValue
    sha256: str
    at: AwareDatetime


class Event(Noun):
    """One line of a work order's append-only, hash-chained history (ES-23). No mail text in it."""

    kind: str = Field(
        description="e.g. 'stage.finished', 'verdict.recorded', 'publication.claimed'"
    )
    stage: Stage | None = None
    actor: str = Field(description="Program, specialist or person")
    detail: Mapping[str, JsonValue] = Field(default_factory=dict)
    duration_ms: int | None = None
    cost: float | None = None


class StoredEvent(Event):
    """An event with its place in the chain."""

    work_order_key: str
    seq: int
    attempt: int
    run_id: str
    at: AwareDatetime
    previous_hash: str
    hash: str


class Fence(Noun):
    """The right to write for a work order: void as soon as a newer run opens it."""

    work_order_key: str
    run_id: str
    attempt: int
    token: int = Field(description="Grows by one each time a run opens the work order")
