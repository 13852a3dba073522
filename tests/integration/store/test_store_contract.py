"""What every ``RunStore`` promises, asked of the one in memory and the one on Postgres."""

from datetime import timedelta

import pytest

from swarm.errors import FencedOutError, MalformedInputError
from swarm.models import (
    DECLINED,
    Address,
    EscalationClass,
    Event,
    ModelCall,
    Reason,
    Ruling,
    Stage,
    Tier,
    TierDecision,
    Verdict,
    WorkOrderState,
)
from swarm.store.event_chain import verify_chain
from swarm.store.queue import JobState

pytestmark = pytest.mark.integration

DECISION = TierDecision(tier=Tier.ROUTINE, detectors={"lexicon": "1"})
STRICTER = TierDecision(tier=Tier.REVIEW, detectors={"lexicon": "1"})
FINISHED = Event(kind="stage.finished", actor="test", duration_ms=12, cost=0.001)
UNKNOWN = "wo_" + "z" * 24


def verdict(**spoiled: object) -> Verdict:
    good = {
        "rule": "ES-07",
        "version": "1",
        "draft_sha256": "d" * 64,
        "evidence_sha256": "e" * 64,
        "ruling": Ruling.PASS,
        "decided_by": "rules 1",
    }
    return Verdict.model_validate({**good, **spoiled})


# --- work orders and artifacts --------------------------------------------------------------------


def test_an_accepted_work_order_comes_back_as_it_was(bench) -> None:
    key = bench.queued()
    assert bench.store.work_order(key) == bench.order("bc")
    assert bench.store.state(key) is WorkOrderState.ACCEPTED


def test_an_unknown_key_is_malformed_input(bench) -> None:
    with pytest.raises(MalformedInputError, match="no such work order"):
        bench.store.work_order(UNKNOWN)
    with pytest.raises(MalformedInputError):
        bench.store.state(UNKNOWN)
    with pytest.raises(MalformedInputError):
        bench.store.append_event(UNKNOWN, FINISHED)
    with pytest.raises(MalformedInputError):
        bench.store.record_verdicts(UNKNOWN, [verdict()])


def test_what_a_customer_wrote_before_is_found_and_nothing_else(bench) -> None:
    def accept(name: str, sender: str, **changes: object) -> str:
        ref = bench.order(name).ref.model_copy(
            update={"conversation_id": f"c-{name}", "internet_message_id": f"<{name}@x>"}
        )
        person = Address(address=sender)
        made = bench.order(name).model_copy(update={"ref": ref, "sender": person, **changes})
        bench.accept(made)
        return made.key

    accept("aa", "Jane@Customer.example")
    accept("bb", "other@customer.example")
    accept("cc", "form@ours.example", reply_to=(Address(address="jane@customer.example"),))
    last = accept("dd", "jane@customer.example", references=("<bb@x>",))
    accept("ee", "jane@customer.example")
    found = bench.store.contacts(last)
    assert not any(contact.later for contact in found)
    assert [contact.conversation_id for contact in found] == ["c-cc", "c-bb", "c-aa"]
    assert {contact.state for contact in found} == {WorkOrderState.ACCEPTED}
    assert bench.store.contacts(UNKNOWN) == ()


def test_earlier_is_what_reached_the_mailbox_earlier_whoever_was_accepted_first(bench) -> None:
    """Both name the other's customer or mail; the later one counts once it may have its draft."""

    def accept(name: str, sender: str, minute: int, **changes: object) -> str:
        order = bench.order(name)
        made = order.model_copy(update={
            "ref": order.ref.model_copy(update={"internet_message_id": f"<{name}@x>"}),
            "sender": Address(address=sender),
            "received_at": order.received_at + timedelta(minutes=minute), **changes,
        })  # fmt: skip
        bench.accept(made)
        bench.queue.enqueue(made.key)
        return made.key

    replied = accept("aa", "b@x.example", 2, references=("<cc@x>",))
    follows = accept("bb", "c@x.example", 3, in_reply_to="<cc@x>")
    asked = accept("cc", "a@x.example", 1)
    same = accept("dd", "a@x.example", 1)  # of the same second: the order of acceptance decides

    def seen(key: str) -> list[tuple[str, bool]]:
        return [(contact.key, contact.later) for contact in bench.store.contacts(key)]

    assert seen(replied) == seen(follows) == [(asked, False)]
    assert (seen(asked), seen(same)) == ([], [(asked, False)])
    for key in (replied, follows, same):
        fence = bench.queue.open(key, f"run-{key}", None)
        bench.store.close(fence, WorkOrderState.HELD, "a draft may stand")
    assert seen(asked) == [(follows, True), (replied, True), (same, True)]


def test_drafts_that_people_rejected_are_counted_per_conversation_and_thread(bench) -> None:
    def accept(name: str, act: str, conversation: str = "", **changes: object) -> str:
        order = bench.order(name)
        ref = {"internet_message_id": f"<{name}@x>", "conversation_id": conversation or None}
        made = order.model_copy(update={"ref": order.ref.model_copy(update=ref), **changes})
        bench.accept(made)
        if act:
            bench.person_did(made.key, act)
        return made.key

    somebody = Address(address="somebody@else.example")
    accept("aa", "discarded", "c-1")
    accept("bb", "rewritten", "c-1", sender=somebody)
    accept("cc", "discarded", "c-2")  # the same customer's, in the thread
    accept("dd", "discarded", "c-3", sender=somebody)  # in the thread, not his
    accept("ee", "discarded", "c-4")  # his, of something else
    accept("ff", "sent_edited", "c-1")
    accept("gg", "answered_otherwise", "c-1")
    asked = accept("hh", "", "c-1", references=("<cc@x>", "<dd@x>"))
    alone = accept("ii", "rewritten")
    elsewhere = accept("jj", "", "c-9", sender=Address(address="new@customer.example"))
    counted = [bench.store.rejected_drafts(key) for key in (asked, alone, elsewhere, UNKNOWN)]
    assert counted == [3, 1, 0, 0]


def test_a_stage_output_comes_back_with_its_hash(bench) -> None:
    fence = bench.started()
    written = bench.store.write_stage(fence, Stage.TIER, DECISION, FINISHED)
    assert bench.store.artifact(fence.work_order_key, Stage.TIER) == written
    assert written.sha256 == DECISION.digest()
    assert TierDecision.model_validate(written.body) == DECISION
    assert bench.store.artifact(fence.work_order_key, Stage.DRAFT) is None


def test_a_stage_output_and_its_event_are_written_together(bench) -> None:
    fence = bench.started()
    bench.store.write_stage(fence, Stage.TIER, DECISION, FINISHED)
    event = bench.store.events(fence.work_order_key)[-1]
    assert (event.kind, event.stage, event.run_id) == ("stage.finished", Stage.TIER, "run-1")
    assert event.detail == {"artifact_sha256": DECISION.digest()}
    assert (event.duration_ms, event.cost, event.attempt) == (12, 0.001, 1)
    assert bench.job(fence.work_order_key).stage == "tier"


def test_the_same_bytes_twice_under_one_fence_are_one_write(bench) -> None:
    fence = bench.started()
    first = bench.store.write_stage(fence, Stage.TIER, DECISION, FINISHED)
    count = len(bench.store.events(fence.work_order_key))
    assert bench.store.write_stage(fence, Stage.TIER, DECISION, FINISHED) == first
    assert len(bench.store.events(fence.work_order_key)) == count


def test_other_bytes_under_one_fence_replace_the_output_and_the_chain_keeps_both(bench) -> None:
    fence = bench.started()
    bench.store.write_stage(fence, Stage.TIER, DECISION, FINISHED)
    newer = bench.store.write_stage(fence, Stage.TIER, STRICTER, FINISHED)
    assert bench.store.artifact(fence.work_order_key, Stage.TIER) == newer
    hashes = [e.detail.get("artifact_sha256") for e in bench.store.events(fence.work_order_key)]
    assert hashes[-2:] == [DECISION.digest(), STRICTER.digest()]


def test_a_write_extends_the_lease(bench) -> None:
    fence = bench.started()
    bench.pass_time(20)
    before = bench.job(fence.work_order_key).lease_until
    bench.store.write_stage(fence, Stage.TIER, DECISION, FINISHED)
    assert bench.job(fence.work_order_key).lease_until > before


@pytest.mark.fault("T12")
def test_a_writer_whose_lease_was_taken_back_writes_nothing(bench) -> None:
    """T12: a zombie that wakes after its job was reaped leaves no trace."""
    fence = bench.started()
    bench.pass_time(31)
    assert len(bench.queue.reap()) == 1
    before = bench.store.events(fence.work_order_key)
    with pytest.raises(FencedOutError):
        bench.store.write_stage(fence, Stage.TIER, DECISION, FINISHED)
    with pytest.raises(FencedOutError):
        bench.store.append_event(fence.work_order_key, FINISHED, fence)
    with pytest.raises(FencedOutError):
        bench.store.raise_tier(fence, Tier.REVIEW)
    with pytest.raises(FencedOutError):
        bench.store.close(fence, WorkOrderState.HELD, "late")
    with pytest.raises(FencedOutError):
        bench.store.escalate(fence, [])
    assert bench.store.artifact(fence.work_order_key, Stage.TIER) is None
    assert bench.store.events(fence.work_order_key) == before


def test_the_newest_run_has_the_newest_output(bench) -> None:
    old = bench.started()
    bench.store.write_stage(old, Stage.TIER, DECISION, FINISHED)
    bench.pass_time(31)
    new = bench.queue.open(old.work_order_key, "run-2", None)
    assert bench.store.artifact(old.work_order_key, Stage.TIER).run_id == "run-1"
    bench.store.write_stage(new, Stage.TIER, STRICTER, FINISHED)
    assert bench.store.artifact(old.work_order_key, Stage.TIER).sha256 == STRICTER.digest()


# --- events ---------------------------------------------------------------------------------------


def test_events_form_a_gapless_chain_over_all_writers(bench) -> None:
    fence = bench.started()
    odd_numbers = Event(kind="n", actor="test", detail={"x": 1e16, "y": -0.0, "z": [1e-7, 0.1]})
    bench.store.append_event(fence.work_order_key, odd_numbers, fence)
    bench.store.append_event(fence.work_order_key, FINISHED)
    bench.store.write_stage(fence, Stage.TIER, DECISION, FINISHED)
    bench.store.record_verdicts(fence.work_order_key, [verdict()])
    bench.store.raise_tier(fence, Tier.REVIEW)
    bench.store.close(fence, WorkOrderState.PUBLISHING, "handed over")
    events = bench.store.events(fence.work_order_key)
    assert verify_chain(events) == ()
    assert [event.kind for event in events] == [
        "run.opened",
        "n",
        "stage.finished",
        "stage.finished",
        "verdict.recorded",
        "tier.raised",
        "work_order.publishing",
    ]


def test_an_appended_event_is_returned_as_it_is_stored(bench) -> None:
    fence = bench.started()
    appended = bench.store.append_event(fence.work_order_key, FINISHED, fence)
    assert bench.store.events(fence.work_order_key)[-1] == appended


# --- verdicts and model calls ---------------------------------------------------------------------


@pytest.mark.fault("R2")
def test_the_first_verdict_stays_whoever_judges_again(bench) -> None:
    """ES-15 and R2: a second run whose judge flips to pass gets the first ruling back."""
    key = bench.queued()
    failed = verdict(ruling=Ruling.FAIL, reasons=("no evidence",))
    assert bench.store.record_verdicts(key, [failed]) == (failed,)
    assert bench.store.record_verdicts(key, [verdict()]) == (failed,)
    assert bench.store.verdicts("d" * 64, "e" * 64) == (failed,)


def test_old_and_new_verdicts_in_one_call_come_back_in_the_order_asked(bench) -> None:
    key = bench.queued()
    stored = verdict(ruling=Ruling.ERROR)
    bench.store.record_verdicts(key, [stored])
    other = verdict(rule="ES-01")
    assert bench.store.record_verdicts(key, [verdict(), other]) == (stored, other)
    assert bench.store.verdicts("d" * 64, "e" * 64) == (other, stored)


@pytest.mark.parametrize("differs", ["version", "draft_sha256", "evidence_sha256"])
def test_other_bytes_evidence_or_version_are_judged_anew(bench, differs: str) -> None:
    key = bench.queued()
    bench.store.record_verdicts(key, [verdict(ruling=Ruling.FAIL)])
    anew = verdict(**{differs: "f" * 64})
    assert bench.store.record_verdicts(key, [anew]) == (anew,)


def test_no_verdicts_are_no_write(bench) -> None:
    key = bench.queued()
    assert bench.store.record_verdicts(key, []) == ()
    assert bench.store.events(key) == ()


def test_a_model_call_is_paid_once_and_the_first_answer_stays(bench) -> None:
    key = bench.queued()
    call = ModelCall(
        work_order_key=key,
        purpose="draft",
        request_sha256="r" * 64,
        model="m",
        prompt_sha256="p" * 64,
        answer={"text": "hello"},
        cost=0.25,
    )
    assert bench.store.model_call(key, "draft", "r" * 64) is None
    assert bench.store.record_model_call(call) == call
    again = call.model_copy(update={"answer": "other", "cost": 9.0})
    assert bench.store.record_model_call(again) == call
    assert bench.store.model_call(key, "draft", "r" * 64) == call
    assert bench.store.model_cost(key) == 0.25
    assert bench.store.model_cost(UNKNOWN) == 0.0


# --- tiers, escalation, closing -------------------------------------------------------------------


def test_a_tier_is_raised_and_never_lowered(bench) -> None:
    """ES-02."""
    fence = bench.started()
    assert bench.store.raise_tier(fence, Tier.ESCALATE) is Tier.ESCALATE
    assert bench.store.raise_tier(fence, Tier.ROUTINE) is Tier.ESCALATE
    raised = [e for e in bench.store.events(fence.work_order_key) if e.kind == "tier.raised"]
    assert [e.detail for e in raised] == [{"from": "ROUTINE", "to": "ESCALATE"}]


def test_an_escalation_is_final_and_settles_the_job(bench) -> None:
    fence = bench.started()
    reason = Reason(rule="ES-01", detail="legal words", classes=(EscalationClass.LEGAL,))
    assert bench.store.escalate(fence, [reason]) is True
    assert bench.store.state(fence.work_order_key) is WorkOrderState.ESCALATED
    assert bench.job(fence.work_order_key).state is JobState.DONE
    assert bench.store.events(fence.work_order_key)[-1].detail["reason"] == "ES-01"


def test_a_declined_work_order_is_final_settles_the_job_and_says_why_in_words(bench) -> None:
    fence = bench.started()
    reason = Reason(rule=DECLINED, detail="no approved answer to 1 question (invoice)")
    assert bench.store.decline(fence, [reason]) is True
    assert bench.store.state(fence.work_order_key) is WorkOrderState.DECLINED
    assert bench.job(fence.work_order_key).state is JobState.DONE
    last = bench.store.events(fence.work_order_key)[-1]
    assert (last.kind, last.detail["reason"]) == ("work_order.declined", reason.detail)
    assert bench.store.decline(fence, [reason]) is False
    assert bench.store.escalate(fence, []) is False
    assert bench.store.close(fence, WorkOrderState.PUBLISHING, "no") is False
    assert bench.store.state(fence.work_order_key) is WorkOrderState.DECLINED


@pytest.mark.parametrize(
    "second", [WorkOrderState.PUBLISHED, WorkOrderState.PUBLISHING, WorkOrderState.HELD]
)
def test_an_escalated_work_order_stays_escalated(bench, second: WorkOrderState) -> None:
    fence = bench.started()
    bench.store.escalate(fence, [])
    assert bench.store.close(fence, second, "changed my mind") is False
    assert bench.store.escalate(fence, []) is False
    assert bench.store.state(fence.work_order_key) is WorkOrderState.ESCALATED


def test_handing_over_settles_the_job_and_may_be_repeated(bench) -> None:
    fence = bench.started()
    assert bench.store.close(fence, WorkOrderState.PUBLISHING, "in the ledger") is True
    assert bench.store.close(fence, WorkOrderState.PUBLISHING, "in the ledger") is True
    assert bench.store.state(fence.work_order_key) is WorkOrderState.PUBLISHING
    assert bench.job(fence.work_order_key).state is JobState.DONE
    closings = [e for e in bench.store.events(fence.work_order_key) if "work_order." in e.kind]
    assert len(closings) == 1


def test_what_the_ledger_has_is_not_moved_by_a_run(bench) -> None:
    fence = bench.started()
    bench.store.close(fence, WorkOrderState.PUBLISHING, "in the ledger")
    assert bench.store.escalate(fence, []) is False
    assert bench.store.close(fence, WorkOrderState.HELD, "no") is False
    assert bench.store.state(fence.work_order_key) is WorkOrderState.PUBLISHING


def test_a_run_may_write_its_last_words_after_it_closed(bench) -> None:
    """The stage ``publish`` closes first and its output is stored afterwards."""
    fence = bench.started()
    bench.store.close(fence, WorkOrderState.PUBLISHING, "in the ledger")
    bench.store.write_stage(fence, Stage.PUBLISH, DECISION, FINISHED)
    assert bench.queue.heartbeat(fence) is True
    assert bench.job(fence.work_order_key).state is JobState.DONE
    assert bench.queue.reap() == []
