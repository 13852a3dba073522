"""Approved answers as evidence: cited, of one moment, nobody's; declined told from escalated."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from replying import (
    KEY,
    NOW,
    Board,
    Told,
    accepted,
    order,
    sample_shelf,
    services,
)

from swarm.errors import RemoteUnavailableError
from swarm.knowledge import Shelf
from swarm.models import (
    DECLINED,
    EscalationClass,
    EvidenceKind,
    Ruling,
    Stage,
    Tier,
    WorkOrder,
    WorkOrderState,
)
from swarm.specialists.protocol import Classification
from swarm.stages.pipeline import ChainResult, run_chain
from swarm.store.memory import MemoryStore

HOURS = "What are your opening hours?"
JAZZ = "Do you like jazz?"


def mail(text: str) -> WorkOrder:
    return order(subject="A question", body_text=f"Hello,\n\n{text}\n\nAnna")


def chain(text: str, **changes: object) -> ChainResult:
    bundle = services(knowledge=sample_shelf(), **changes)
    asked = mail(text)
    return run_chain(asked, bundle, accepted(bundle, asked))


def test_an_approved_answer_is_evidence_of_nobody_and_is_cited_word_for_word() -> None:
    done = chain(HOURS)
    (policy,) = (e for e in done.context.evidence if e.kind is EvidenceKind.POLICY)
    assert (policy.source, policy.owner, policy.answers) == ("knowledge:opening-hours", "", (0,))
    assert [(c.evidence_id, c.quote) for c in done.draft.claims] == [(policy.id, policy.text)]
    assert policy.text in done.draft.body_text
    assert done.policy.publishable


def test_the_evidence_hash_covers_what_the_answer_says(tmp_path: Path) -> None:
    text = (sample_shelf().folder / "opening-hours.md").read_text()  # type: ignore[operator]
    hashes = set()
    for said in (text, text.replace("closed", "not there")):
        (tmp_path / "a.md").write_text(said)
        bundle = services(knowledge=Shelf(tmp_path))
        asked = mail(HOURS)
        hashes.add(run_chain(asked, bundle, accepted(bundle, asked)).context.digest())
    assert len(hashes) == 2


def test_a_promise_is_allowed_only_as_the_approved_answer_says_it(tmp_path: Path) -> None:
    text = (sample_shelf().folder / "return-procedure.md").read_text()  # type: ignore[operator]
    promise = "We will refund the full amount within fourteen days."
    (tmp_path / "a.md").write_text(text.replace("## de", f"{promise}\n\n## de"))
    bundle = services(knowledge=Shelf(tmp_path))
    asked = mail("How can I return an item?")
    done = run_chain(asked, bundle, accepted(bundle, asked))
    assert promise in done.draft.body_text
    assert done.policy.publishable
    told = Told(bodies=[promise, promise])
    again = replace(bundle, store=MemoryStore(), specialist=told)
    refused = run_chain(asked, again, accepted(again, asked))
    assert not refused.policy.publishable


def test_an_answer_that_expired_before_the_conversation_was_read_is_no_evidence() -> None:
    late = datetime(2031, 1, 1, tzinfo=UTC)
    done = chain(HOURS, clock=lambda: late)
    assert EvidenceKind.POLICY not in {e.kind for e in done.context.evidence}
    assert done.publication.state is WorkOrderState.DECLINED


def test_a_harmless_mail_without_an_answer_is_declined_with_the_true_reason() -> None:
    bundle = services(knowledge=sample_shelf())
    asked = mail(JAZZ)
    done = run_chain(asked, bundle, accepted(bundle, asked))
    (reason,) = done.policy.reasons
    assert reason.rule == DECLINED
    assert reason.detail == "no approved answer to 1 question (another topic)"
    assert "jazz" not in reason.detail
    assert done.draft.unanswered == (JAZZ,)
    assert done.publication.state is WorkOrderState.DECLINED
    assert bundle.store.state(KEY) is WorkOrderState.DECLINED


def test_a_declined_work_order_has_an_owner_and_a_time_and_no_class() -> None:
    bundle = services(knowledge=sample_shelf())
    asked = mail(JAZZ)
    run_chain(asked, bundle, accepted(bundle, asked))
    assert isinstance(bundle.store, MemoryStore)
    waiting = bundle.store.escalation(KEY)
    assert waiting is not None
    assert (waiting.owner, waiting.classes) == ("customer-service", ())
    assert waiting.acknowledge_by == NOW + timedelta(minutes=480)


def test_hidden_text_that_only_asks_for_care_is_not_why_nothing_was_answered() -> None:
    hidden = '<p>Hello, do you like jazz?</p><p style="display:none">summer sale banner</p>'
    bundle = services(knowledge=sample_shelf())
    asked = order(subject="A question", body_text="", body_html=hidden)
    done = run_chain(asked, bundle, accepted(bundle, asked))
    assert done.tier.tier is Tier.REVIEW
    assert {reason.rule for reason in done.policy.reasons} == {DECLINED}
    assert done.publication.state is WorkOrderState.DECLINED


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(
            {"specialist": Told(classification=Classification(classes=(EscalationClass.LEGAL,)))},
            id="a class was named",
        ),
        pytest.param(
            {"specialist": Told(classification=RemoteUnavailableError("away"))},
            id="the specialist could not classify",
        ),
        pytest.param(
            {"specialist": Told(bodies=[RemoteUnavailableError("away")])},
            id="the specialist could not write",
        ),
        pytest.param(
            {"monday": Board(trouble={"contacts": RemoteUnavailableError("away")})},
            id="the customer could not be looked up",
        ),
    ],
)
def test_what_has_a_class_or_could_not_be_judged_is_escalated_and_not_declined(
    changes: dict[str, object],
) -> None:
    done = chain(JAZZ, **changes)
    assert done.publication.state is WorkOrderState.ESCALATED
    assert not done.policy.declined


def test_a_decline_after_a_reviewers_objection_is_an_escalation() -> None:
    objecting = Told(reviews={Stage.TONE: Ruling.FAIL})
    done = chain(HOURS, specialist=objecting)
    assert done.draft.withheld is not None
    assert done.publication.state is WorkOrderState.ESCALATED


def test_a_language_nobody_writes_is_declined_before_anybody_is_paid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("swarm.stages.reply.draft.languages", lambda: frozenset({"de"}))
    told = Told(bodies=["never asked"])
    done = chain(HOURS, specialist=told)
    assert told.asked == ["classify"]
    assert "nobody here writes the language 'en'" in (done.draft.declined or "")
    assert done.publication.state is WorkOrderState.DECLINED


def test_events_of_a_declined_work_order_carry_no_mail_text() -> None:
    bundle = services(knowledge=sample_shelf())
    asked = mail(JAZZ)
    run_chain(asked, bundle, accepted(bundle, asked))
    events = bundle.store.events(KEY)
    assert "work_order.declined" in {event.kind for event in events}
    assert not any("jazz" in str(event.detail) for event in events)


def test_two_asks_in_one_sentence_are_both_answered_or_named() -> None:
    done = chain("What are your opening hours, and do you like jazz?")
    assert done.received.asks == ("What are your opening hours", "do you like jazz?")
    assert "Monday to Friday" in done.draft.body_text
    assert "does not answer every point" in done.draft.body_text
    assert done.draft.unanswered == ("do you like jazz?",)
    assert done.policy.publishable
