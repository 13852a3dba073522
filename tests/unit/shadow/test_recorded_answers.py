"""Model answers in a replay: on record by the hash of what was asked, else within a budget only."""

from datetime import timedelta

import pytest
from history_rows import HOUSE
from shadow_records import ARRIVED, order, recorded

from swarm.errors import ModelUnavailableError, RefusedError
from swarm.knowledge import NO_SHELF
from swarm.models import Address, ModelCall, Received, ThreadMessage
from swarm.shadow.models import Decision, Origin
from swarm.shadow.replay.again import Again
from swarm.shadow.replay.answers import RecordedAnswers, ReplayStore, WouldCostError
from swarm.shadow.replay.as_of import OutlookAsOf
from swarm.shadow.replay.inputs import Given
from swarm.specialists.protocol import Classification
from swarm.specialists.rules import RulesSpecialist


def call(key: str, asked: str = "h", cost: float = 0.2) -> ModelCall:
    return ModelCall(
        work_order_key=key, purpose="classify", request_sha256=asked, model="m",
        prompt_sha256="p", answer={"classes": []}, cost=cost,
    )  # fmt: skip


class Asking(RulesSpecialist):
    """Rules that ask the ledger one question first, as a chat model would."""

    def __init__(self, answers: RecordedAnswers) -> None:
        super().__init__(acknowledge=False)
        self.answers = answers

    def classify(self, received: Received) -> Classification:
        key = received.work_order.key
        if self.answers.model_call(key, "classify", "h") is None:
            self.answers.record_model_call(call(key))
        return super().classify(received)


def given(name: str = "one") -> Given:
    mail = order(name)
    return Given(mail, Origin.HISTORY, recorded(mail))


def again(answers: RecordedAnswers) -> Again:
    return Again(HOUSE, answers, Asking(answers), NO_SHELF)


def test_an_answer_on_record_is_used_and_its_cost_told() -> None:
    answers = RecordedAnswers(0.0)
    answers.know([call(order().key)])
    told, _ = again(answers).replayed(given(), "e")
    assert (told.decision, told.cost) == (Decision.DECLINED, 0.2)
    assert (answers.spent, answers.paid) == (0.0, [])


def test_a_missing_answer_is_no_judgement() -> None:
    told, _ = again(RecordedAnswers(0.0)).replayed(given(), "e")
    assert (told.decision, told.detail) == (Decision.NOT_REPLAYABLE, "would cost a call")


def test_within_the_budget_it_is_paid_and_kept() -> None:
    answers = RecordedAnswers(0.3)
    told, _ = again(answers).replayed(given(), "e")
    assert told.decision is Decision.DECLINED
    assert answers.spent == pytest.approx(0.2)
    assert [paid.work_order_key for paid in answers.paid] == [order().key]


def test_the_budget_is_of_the_whole_process() -> None:
    answers = RecordedAnswers(0.3)
    decisions = [again(answers).replayed(given(name), "e")[0].decision for name in "abc"]
    assert decisions == [Decision.DECLINED, Decision.DECLINED, Decision.NOT_REPLAYABLE]


def test_the_answer_of_another_work_order_is_none() -> None:
    answers = RecordedAnswers(0.0)
    answers.know([call(order("other").key)])
    with pytest.raises(WouldCostError):
        answers.model_call(order().key, "classify", "h")


def test_a_model_that_is_away_is_no_judgement() -> None:
    answers = RecordedAnswers(1.0)

    class Away(Asking):
        def classify(self, received: Received) -> Classification:
            raise ModelUnavailableError("the model is away", for_good=True)

    told, _ = Again(HOUSE, answers, Away(answers), NO_SHELF).replayed(given(), "e")
    assert (told.decision, told.detail) == (Decision.NOT_REPLAYABLE, "the model is away")


def test_the_store_of_a_replay_knows_what_thinking_cost() -> None:
    answers = RecordedAnswers(1.0)
    answers.record_model_call(call(order().key))
    assert ReplayStore(answers).model_cost(order().key) == pytest.approx(0.2)


# --- sources as of the mail's time ----------------------------------------------------------------


class Mailbox:
    """An Outlook whose conversation went on after the mail."""

    def __init__(self) -> None:
        times = {"before": -1, "m-one": 0, "answer": 1}
        self.messages = [
            ThreadMessage(
                message_id=name,
                sender=Address(address="x@y.example"),
                sent_at=ARRIVED + timedelta(hours=hours),
                text=name,
                from_us=name == "answer",
            )
            for name, hours in times.items()
        ]

    def conversation(self, _name: str) -> list[ThreadMessage]:
        return self.messages


def test_what_was_written_after_the_mail_is_cut_off() -> None:
    seen = OutlookAsOf(Mailbox(), order())  # type: ignore[arg-type]
    assert [m.message_id for m in seen.conversation("c-one")] == ["before", "m-one"]
    assert seen.find_dispatched(key="k", conversation_id=None, marker="m", since=ARRIVED) == ()


def test_nothing_can_be_written_through_it() -> None:
    seen = OutlookAsOf(Mailbox(), order())  # type: ignore[arg-type]
    with pytest.raises(RefusedError):
        seen.mark_dispatched("m", "k")
    with pytest.raises(RefusedError):
        seen.delta(None, since=ARRIVED)
