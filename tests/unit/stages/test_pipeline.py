"""A whole work order on the in-memory store, and the judgements of tier, policy and publish."""

import json

import pytest
from replying import (
    NOW,
    Mailbox,
    Told,
    accepted,
    brief,
    context,
    message,
    order,
    received,
    routine,
    services,
)

from swarm.errors import MalformedInputError, RefusedError, RemoteUnavailableError
from swarm.models import (
    EscalationClass,
    Fence,
    PolicyDecision,
    Review,
    Ruling,
    Stage,
    Tier,
    WorkOrderState,
)
from swarm.specialists.protocol import Classification
from swarm.stages.pipeline import run_chain
from swarm.stages.policy import decide
from swarm.stages.publish import publish
from swarm.stages.reply.draft import write_draft
from swarm.stages.reply.review import REVIEW_STAGES, review
from swarm.stages.services import Services
from swarm.stages.tier import decide_tier


class Ledger:
    """A publication ledger that takes everything and remembers it."""

    def __init__(self) -> None:
        self.taken: list[PolicyDecision] = []

    def hand_over(self, fence: Fence, decision: PolicyDecision) -> WorkOrderState:
        self.taken.append(decision)
        return WorkOrderState.PUBLISHING


def test_a_routine_mail_becomes_a_draft_that_is_handed_over() -> None:
    bundle, ledger = services(), Ledger()
    result = run_chain(order(), bundle, accepted(bundle), ledger)
    assert result.draft.offered, result.draft.withheld
    assert [r.ruling for r in result.reviews] == [Ruling.PASS] * 3, result.reviews
    assert result.policy.publishable, result.policy.reasons
    assert ledger.taken == [result.policy]
    assert result.publication.state is WorkOrderState.PUBLISHING


def test_every_stage_leaves_its_artifact_and_one_event() -> None:
    bundle = services()
    result = run_chain(order(), bundle, accepted(bundle), Ledger())
    assert all(bundle.store.artifact(order().key, stage) for stage in Stage)
    done = [e for e in bundle.store.events(order().key) if e.kind == "stage.finished"]
    assert {e.stage for e in done} == set(Stage)
    assert len(done) == len(Stage)
    assert result.context.digest() in json.dumps([dict(e.detail) for e in done])


def test_no_event_carries_mail_text_or_an_address() -> None:
    bundle = services()
    run_chain(order(), bundle, accepted(bundle), Ledger())
    told = " ".join(e.model_dump_json() for e in bundle.store.events(order().key))
    for text in ("20417", "Anna", "customer.example", "Shipped"):
        assert text not in told


def test_a_mail_that_must_reach_a_human_is_escalated_without_a_draft() -> None:
    who = Told(classification=Classification(classes=(EscalationClass.PRESS,)))
    bundle, ledger = services(specialist=who), Ledger()
    result = run_chain(order(), bundle, accepted(bundle), ledger)
    assert not result.draft.offered
    assert not any(r.applicable for r in result.reviews)
    assert result.publication.state is WorkOrderState.ESCALATED
    assert bundle.store.state(order().key) is WorkOrderState.ESCALATED
    assert ledger.taken == []
    assert who.asked == ["classify"]


# --- tier -----------------------------------------------------------------------------------------


def test_the_specialist_adds_classes_and_each_escalates() -> None:
    who = Told(classification=Classification(classes=(EscalationClass.VULNERABLE,)))
    decision = decide_tier(received(), services(specialist=who))
    assert decision.tier is Tier.ESCALATE
    assert EscalationClass.VULNERABLE in decision.classes


@pytest.mark.parametrize(
    "error",
    [RemoteUnavailableError("late"), MalformedInputError("garbage"), RefusedError("budget spent")],
)
def test_a_classifier_that_fails_makes_the_class_unknown(error: Exception) -> None:
    decision = decide_tier(received(), services(specialist=Told(classification=error)))
    assert decision.tier is Tier.ESCALATE
    assert EscalationClass.UNKNOWN in decision.classes
    assert "ES-05" in {reason.rule for reason in decision.reasons}


def test_a_higher_tier_of_an_earlier_run_holds() -> None:
    bundle = services()
    fence = accepted(bundle)
    bundle.store.raise_tier(fence, Tier.ESCALATE)
    decision = decide_tier(received(), bundle, fence)
    assert decision.tier is Tier.ESCALATE
    assert "ES-02" in {reason.rule for reason in decision.reasons}


def test_a_detected_class_is_not_paid_for_again() -> None:
    who = Told()
    threat = received(text="My lawyer will sue you. I will take you to court.")
    decision = decide_tier(threat, services(specialist=who))
    assert decision.tier is Tier.ESCALATE
    assert EscalationClass.LEGAL in decision.classes
    assert who.asked == []


# --- policy and publish ---------------------------------------------------------------------------


def decided(bundle: Services, fence: Fence, **spoiled: object) -> PolicyDecision:
    draft = write_draft(received(), context(), routine(), bundle)
    reviews = tuple(review(stage, brief(), draft, bundle) for stage in REVIEW_STAGES)
    good = {
        "received": received(),
        "context": context(),
        "tier": routine(),
        "draft": draft,
        "reviews": reviews,
    }
    return decide(fence, bundle, **{**good, **spoiled})


def test_a_decision_stores_a_verdict_for_each_required_rule() -> None:
    bundle = services()
    decision = decided(bundle, accepted(bundle))
    assert decision.publishable, decision.reasons
    stored = bundle.store.verdicts(decision.draft_sha256, decision.evidence_sha256)
    assert set(decision.verdicts) <= set(stored)
    assert all(v.ruling is Ruling.PASS for v in decision.verdicts)


def _reviews(bundle: Services, **spoiled: object) -> tuple[Review, ...]:
    draft = write_draft(received(), context(), routine(), bundle)
    good = [review(stage, brief(), draft, bundle) for stage in REVIEW_STAGES]
    return (*good[:2], good[2].model_copy(update=spoiled))


@pytest.mark.parametrize(
    "spoiled",
    [
        {"ruling": Ruling.FAIL},
        {"ruling": Ruling.ERROR},
        {"applicable": False},
        {"draft_sha256": "0" * 64},
        {"evidence_sha256": "0" * 64},
    ],
    ids=str,
)
def test_one_review_that_is_no_pass_of_these_bytes_forbids(spoiled: dict[str, object]) -> None:
    bundle = services()
    decision = decided(bundle, accepted(bundle), reviews=_reviews(bundle, **spoiled))
    assert not decision.publishable
    assert decision.reasons


def test_a_missing_review_forbids() -> None:
    bundle = services()
    fence = accepted(bundle)
    decision = decided(bundle, fence, reviews=_reviews(bundle)[:2])
    assert not decision.publishable


def test_without_a_ledger_a_publishable_draft_is_held() -> None:
    bundle = services()
    fence = accepted(bundle)
    publication = publish(fence, decided(bundle, fence), bundle, None)
    assert publication.state is WorkOrderState.HELD
    assert bundle.store.state(fence.work_order_key) is WorkOrderState.HELD


def test_a_work_order_closed_before_is_said_to_be() -> None:
    bundle = services()
    fence = accepted(bundle)
    refused = decided(bundle, fence).model_copy(update={"publishable": False})
    bundle.store.close(fence, WorkOrderState.HELD, "by a person")
    assert publish(fence, refused, bundle, Ledger()).state is WorkOrderState.HELD


def test_two_unanswered_mails_go_to_a_human() -> None:
    """ES-04: the customer wrote twice and nobody answered."""
    mailbox = Mailbox(messages=(message(1), message(2)))
    bundle = services(outlook=mailbox)
    result = run_chain(order(received_at=NOW), bundle, accepted(bundle), Ledger())
    assert result.context.inbound_unanswered == 2
    assert not result.draft.offered
    assert result.publication.state is WorkOrderState.ESCALATED
