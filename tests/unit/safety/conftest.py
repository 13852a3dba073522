"""An all-good case: every rule allows it. Each test spoils one thing."""

from datetime import UTC, datetime

import pytest

from swarm.models import (
    Address,
    Claim,
    Context,
    Draft,
    Evidence,
    EvidenceKind,
    Lookup,
    MessageRef,
    Noun,
    Received,
    Review,
    Ruling,
    Stage,
    Tier,
    TierDecision,
    WorkOrder,
)
from swarm.safety.case import Case

CUSTOMER = "anna.berg@example.com"
KEY = "wo_" + "abcdefgh" * 3
BODY = (
    "Hello Anna Berg,\n\nThank you for your message.\n\n"
    "The delivery date on record for your order is: 12 March 2026.\n\n"
    "Kind regards\nCustomer Service\n\nRef: SW-ABCDEFGH"
)
HTML = "".join(f"<p>{p.replace(chr(10), '<br>')}</p>" for p in BODY.split("\n\n"))


def a_mail(text: str, *, subject: str = "Order PO-20417", language: str = "en") -> Received:
    """A mail from the customer saying ``text``."""
    order = WorkOrder(
        key=KEY,
        original_id="line-1",
        ref=MessageRef(
            mailbox="service@example.org",
            message_id="AAMk1",
            internet_message_id="<1@example.com>",
            conversation_id="conv-1",
        ),
        sender=Address(address="Anna.Berg@example.com", name="Anna Berg"),
        to=(Address(address="service@example.org"),),
        subject=subject,
        received_at=datetime(2026, 3, 1, 9, tzinfo=UTC),
        source="outlook",
    )
    return Received(work_order=order, text=text, language=language)


def spoil(case: Case, **changes: object) -> Case:
    """The case with nouns or fields changed: ``context__contact=...`` changes ``case.context``."""
    for path, value in changes.items():
        name, _, inner = path.partition("__")
        if inner:
            noun = getattr(case, name)
            assert isinstance(noun, Noun)
            case = case.model_copy(update={name: noun.model_copy(update={inner: value})})
        else:
            case = case.model_copy(update={name: value})
    return case


def reviewed(case: Case) -> Case:
    """The case with three passing reviews of exactly its draft and context."""
    assert case.draft is not None
    assert case.context is not None
    reviews = tuple(
        Review(
            stage=stage,
            ruling=Ruling.PASS,
            reviewer="rules@1",
            draft_sha256=case.draft.content_sha256,
            evidence_sha256=case.context.digest(),
        )
        for stage in (Stage.TONE, Stage.FACT, Stage.QA)
    )
    return case.model_copy(update={"reviews": reviews})


@pytest.fixture
def good() -> Case:
    """A case no rule objects to."""
    question = "When will my order PO-20417 arrive?"
    context = Context(
        thread=Lookup.HIT,
        contact=Lookup.HIT,
        evidence=(
            Evidence(
                id="e1",
                kind=EvidenceKind.INBOUND,
                source="graph:inbound",
                owner=CUSTOMER,
                text=question,
            ),
            Evidence(
                id="e2",
                kind=EvidenceKind.CRM_FIELD,
                source="monday:deal:delivery_date",
                owner=CUSTOMER,
                title="PO-20417",
                text="12 March 2026",
            ),
        ),
        participants=(CUSTOMER,),
        customer=CUSTOMER,
        inbound_unanswered=1,
        head_message_id="AAMk1",
    )
    draft = Draft(
        subject="Re: Order PO-20417",
        body_text=BODY,
        body_html=HTML,
        language="en",
        to=(Address(address=CUSTOMER, name="Anna Berg"),),
        claims=(
            Claim(
                text="The delivery date on record for your order is: 12 March 2026.",
                evidence_id="e2",
                quote="12 March 2026",
            ),
        ),
        author="rules@1",
    )
    return reviewed(
        Case(
            received=a_mail(question),
            tier=TierDecision(tier=Tier.ROUTINE, detectors={}),
            context=context,
            draft=draft,
            spoken=("en",),
            model_budget=0.5,
        )
    )
