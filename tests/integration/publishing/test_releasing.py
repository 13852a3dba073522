"""A final work order is drafted only by a person's named, recorded release.

The company's mail with the real clients; whoever publishes is put together as Dagster does it.
"""

import io
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from company import KEY, Company, founded
from psycopg.types.json import Jsonb
from rich.console import Console

from swarm.cli.dossier_view import print_dossier
from swarm.errors import MalformedInputError, RefusedError
from swarm.models import Reason, Stage, WorkOrderState, canonical_sha256
from swarm.observe.dossier.dossier import Dossier, dossier
from swarm.publishing.control import PublisherName
from swarm.publishing.ledger.claim import next_candidate
from swarm.publishing.release import ReleaseRequest, describe, release
from swarm.stages.pipeline import ChainResult, run_chain
from swarm.stages.reply.review import REVIEW_STAGES
from swarm.store.database import Database
from swarm.store.event_chain import verify_chain
from swarm.store.queue import JobState
from swarm.store.releases import NEVER_WAIVED, Release

pytestmark = pytest.mark.integration

SETTLE = 1800.0
LEGAL = "Hello,\n\nmy solicitor will sue you. What is the status of my order 10482?\n\nAnna Keller"
FINAL = [
    WorkOrderState.ESCALATED,
    WorkOrderState.DECLINED,
    WorkOrderState.HELD,
    WorkOrderState.DEAD,
]


@pytest.fixture
def company(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Company]:
    with founded(database.url, tmp_path, monkeypatch) as company:
        yield company


def rerun(company: Company, run_id: str = "by-a-person") -> ChainResult:
    """What a person's run of the work-order job does: the newest text, all stages."""
    fence = company.queue.open(KEY, run_id, None)
    order = company.services.store.work_order(KEY)
    return run_chain(order, company.services, fence, company.publisher)


def drive(company: Company) -> ChainResult:
    """What the run does that the queue asks for after a release."""
    (asked,) = company.queue.request_due(10)
    fence = company.queue.open(KEY, f"queue-{asked.attempt}", asked.attempt)
    order = company.services.store.work_order(KEY)
    return run_chain(order, company.services, fence, company.publisher)


def released(company: Company, **changes: Any) -> Release:
    asked = {"key": KEY, "actor": "anna", "reason": "the fault is gone", **changes}
    request = ReleaseRequest.model_validate(asked)
    return release(company.database, request, settle_seconds=SETTLE)


def escalated_by_a_fault(company: Company) -> None:
    """monday.com refuses for a moment: whose data this is cannot be looked up (ES-09)."""
    company.sandbox.fault("monday", "status", times=50, status=403)
    company.answer()
    company.sandbox.clear_faults()
    assert company.state() is WorkOrderState.ESCALATED


def ended(company: Company, state: WorkOrderState) -> None:
    if state is WorkOrderState.ESCALATED:
        reasons = [Reason(rule="ES-05", detail="a fault of the moment")]
        company.services.store.escalate(company.fence, reasons)
    else:
        company.services.store.close(company.fence, state, "a fault of the moment")


def one(company: Company, sql: str) -> Any:
    with company.database.transaction() as connection:
        row = connection.execute(sql.encode()).fetchone()
    return row and next(iter(row.values()))


def shown(company: Company) -> Dossier:
    return dossier(company.database, KEY)


# --- a rerun ---


def test_a_rerun_of_an_escalated_work_order_whose_fault_is_gone_publishes_nothing(
    company: Company,
) -> None:
    escalated_by_a_fault(company)
    with pytest.raises(RefusedError, match="final: escalated") as refused:
        rerun(company)
    assert "swarm release" in refused.value.hint
    company.round()
    assert company.sandbox.deliveries() == []
    assert company.state() is WorkOrderState.ESCALATED
    assert one(company, "SELECT count(*) FROM publication_ledger") == 0
    assert one(company, "SELECT count(*) FROM publication_payload") == 0


@pytest.mark.parametrize("state", FINAL)
def test_a_rerun_of_whatever_is_final_publishes_nothing(
    company: Company, state: WorkOrderState
) -> None:
    ended(company, state)
    with pytest.raises(RefusedError, match=f"final: {state}"):
        rerun(company)
    company.round()
    assert company.sandbox.deliveries() == []
    assert company.state() is state


def test_a_rerun_does_not_revive_a_held_row_of_the_ledger(company: Company) -> None:
    company.appoint(PublisherName.NONE)
    company.answer()
    company.writes(from_us=True)
    company.appoint(PublisherName.SWARM)
    company.round()
    assert company.state() is WorkOrderState.HELD
    before = one(company, "SELECT payload_sha256 FROM publication_ledger")
    rerun(company)  # by now the mail is answered: policy is against it as well
    company.round()
    assert company.sandbox.deliveries() == []
    assert one(company, "SELECT state FROM publication_ledger") == "HELD"
    assert one(company, "SELECT payload_sha256 FROM publication_ledger") == before


@pytest.mark.parametrize("state", FINAL)
def test_a_row_that_is_ready_although_its_work_order_is_final_is_never_claimed(
    company: Company, state: WorkOrderState
) -> None:
    """As an older version of this system could leave it behind."""
    company.appoint(PublisherName.NONE)
    company.answer()
    company.sql("ALTER TABLE work_orders DISABLE TRIGGER final_states_stay")
    company.sql("UPDATE work_orders SET state = %s, final_at = now()", state)
    company.sql("ALTER TABLE work_orders ENABLE TRIGGER final_states_stay")
    company.appoint(PublisherName.SWARM)
    assert one(company, "SELECT state FROM publication_ledger") == "READY"
    with company.database.transaction() as connection:
        limits = {"required_rules": company.deps.required_rules, "max_attempts": 9}
        assert next_candidate(connection, PublisherName.SWARM, **limits) is None
    company.round()
    assert company.sandbox.deliveries() == []
    assert one(company, "SELECT state FROM publication_ledger") == "HELD"
    assert company.state() is state


def test_a_rerun_of_what_was_published_changes_nothing_and_is_shown_as_a_later_look(
    company: Company,
) -> None:
    company.answer()
    company.round()
    posted = company.sandbox.deliveries()[0]["payload"]["body_text"]
    company.writes(from_us=False, text="And when will it come?")
    again = rerun(company)
    assert company.state() is WorkOrderState.PUBLISHED
    assert len(company.sandbox.deliveries()) == 1
    told = shown(company)
    assert told.published is not None
    assert told.published.body_text == posted
    assert Stage.DRAFT in told.looked_at_again
    assert told.looked_at_again[Stage.CONTEXT].sha256 == again.context.digest()
    assert told.artifacts[Stage.CONTEXT].sha256 != again.context.digest()
    console = Console(record=True, width=160, file=io.StringIO())
    print_dossier(console, told, "")
    said = console.export_text()
    assert said.index("as swarm published it") < said.index("looked at again after publication")


# --- a release ---


def test_a_release_opens_a_new_attempt_whose_draft_says_who_released_it(company: Company) -> None:
    escalated_by_a_fault(company)
    done = released(company)
    assert (done.number, done.waived, done.from_state) == (1, (), WorkOrderState.ESCALATED)
    assert company.state() is WorkOrderState.ACCEPTED
    drive(company)
    company.round()
    (delivery,) = company.sandbox.deliveries()
    assert "Released by anna" in delivery["payload"]["review_note"]
    assert "the fault is gone" in delivery["payload"]["review_note"]
    assert company.state() is WorkOrderState.PUBLISHED
    told = shown(company)
    assert [each.actor for each in told.releases] == ["anna"]
    assert "Released by anna" in str(told.body(Stage.PUBLISH))
    assert [e.actor for e in told.events if e.kind == "work_order.released"] == ["anna"]
    assert verify_chain(told.events) == ()


@pytest.mark.parametrize("state", FINAL)
def test_whatever_is_final_and_not_published_can_be_released(
    company: Company, state: WorkOrderState
) -> None:
    ended(company, state)
    released(company)
    drive(company)
    company.round()
    assert len(company.sandbox.deliveries()) == 1
    assert company.state() is WorkOrderState.PUBLISHED


def test_two_releases_at_once_give_one(company: Company) -> None:
    escalated_by_a_fault(company)
    barrier, said = threading.Barrier(6), list[str]()

    def act(number: int) -> None:
        barrier.wait()
        try:
            said.append(describe(released(company, actor=f"person {number}")))
        except RefusedError as error:
            said.append(error.message)

    people = [threading.Thread(target=act, args=(number,)) for number in range(6)]
    for person in people:
        person.start()
    for person in people:
        person.join(60)
    assert sum("released it" in each for each in said) == 1
    assert sum("nothing to release" in each for each in said) == 5
    assert one(company, "SELECT count(*) FROM releases") == 1
    assert len(company.queue.request_due(10)) == 1


def test_what_is_published_is_never_released(company: Company) -> None:
    company.answer()
    company.round()
    with pytest.raises(RefusedError, match="published"):
        released(company, no_draft_in_mailbox=True)


def test_what_another_publisher_drafted_is_never_released(company: Company) -> None:
    ended(company, WorkOrderState.ESCALATED)
    company.sql(
        "INSERT INTO publication_ledger (work_order_key, publisher, state, epoch, fence)"
        " VALUES (%s, 'legacy', 'CONFIRMED', 1, 1)",
        KEY,
    )
    with pytest.raises(RefusedError, match="never a second one"):
        released(company, no_draft_in_mailbox=True)


def test_nothing_is_released_while_legacy_publishes(company: Company) -> None:
    escalated_by_a_fault(company)
    company.appoint(PublisherName.LEGACY)
    with pytest.raises(RefusedError, match="legacy publishes"):
        released(company)
    assert company.state() is WorkOrderState.ESCALATED


@pytest.mark.parametrize("rule", sorted(NEVER_WAIVED))
def test_some_rules_nobody_may_take_on(company: Company, rule: str) -> None:
    escalated_by_a_fault(company)
    with pytest.raises(RefusedError, match=rule):
        released(company, waive=("ES-01", rule))
    with pytest.raises(Exception, match="23514"):
        company.sql(
            "INSERT INTO releases (work_order_key, number, actor, reason, waived, from_state,"
            " revision, no_draft_in_mailbox) VALUES (%s, 1, 'a', 'b', %s, 'held', 0, false)",
            KEY,
            [rule],
        )
    assert company.state() is WorkOrderState.ESCALATED


@pytest.mark.parametrize(
    "spoiled",
    [
        {"waive": ("ES-99",)},
        {"reason": " "},
        {"reason": "two\nlines"},
        {"reason": "no mail carries \x00"},
        {"reason": "x" * 501},
        {"actor": ""},
        {"revision": 1},
        {"revision": -1},
    ],
)
def test_a_release_that_says_nonsense_changes_nothing(
    company: Company, spoiled: dict[str, object]
) -> None:
    escalated_by_a_fault(company)
    with pytest.raises(MalformedInputError):
        released(company, **spoiled)
    assert company.state() is WorkOrderState.ESCALATED
    assert one(company, "SELECT count(*) FROM releases") == 0


def test_the_database_itself_refuses_to_reopen_without_a_release(company: Company) -> None:
    escalated_by_a_fault(company)
    with pytest.raises(Exception, match="is final"):
        company.sql("UPDATE work_orders SET state = 'accepted', final_at = NULL")


# --- rules a person takes on ---


def writes_with_a_solicitor(company: Company) -> None:
    company.sql("UPDATE work_orders SET body = jsonb_set(body, '{body_text}', %s)", Jsonb(LEGAL))
    run_chain(
        company.services.store.work_order(KEY), company.services, company.fence, company.publisher
    )
    assert company.state() is WorkOrderState.ESCALATED


def test_without_taking_on_its_rule_a_released_mail_escalates_again_and_asks_for_a_human_again(
    company: Company,
) -> None:
    writes_with_a_solicitor(company)
    released(company)
    assert one(company, "SELECT acknowledged_by FROM escalations") == "anna"
    drive(company)
    assert company.state() is WorkOrderState.ESCALATED
    assert one(company, "SELECT acknowledged_by FROM escalations") is None
    assert company.sandbox.deliveries() == []


def test_with_its_rule_taken_on_a_mail_is_drafted_and_the_verdict_against_it_stays(
    company: Company,
) -> None:
    writes_with_a_solicitor(company)
    released(company, waive=("es-01",), reason="I have spoken to her")
    result = drive(company)
    assert result.draft.offered, result.draft.withheld
    assert result.policy.publishable, result.policy.reasons
    assert result.policy.waived == ("ES-01",)
    failed = {v.rule for v in result.policy.verdicts if v.ruling == "fail"}
    assert failed == {"ES-01"}
    company.round()
    (delivery,) = company.sandbox.deliveries()
    assert "Rules taken on: ES-01" in delivery["payload"]["review_note"]


def test_a_rule_taken_on_lets_no_other_reason_through(company: Company) -> None:
    writes_with_a_solicitor(company)
    released(company, waive=("ES-01",))
    company.sandbox.fault("graph", "status", times=50, status=403)
    result = drive(company)
    assert "ES-04" in {reason.rule for reason in result.policy.reasons}
    assert "ES-01" not in {reason.rule for reason in result.policy.reasons}
    assert company.state() is WorkOrderState.ESCALATED
    assert company.sandbox.deliveries() == []


def test_a_later_release_without_it_does_not_inherit_a_rule_taken_on(company: Company) -> None:
    writes_with_a_solicitor(company)
    released(company, waive=("ES-01",))
    company.sandbox.fault("graph", "status", times=50, status=403)
    drive(company)
    company.sandbox.clear_faults()
    assert released(company).number == 2
    drive(company)
    assert company.state() is WorkOrderState.ESCALATED
    assert company.sandbox.deliveries() == []


# --- which text ---


def revised(company: Company, texts: Sequence[str]) -> None:
    """The mail came again with other texts after it was accepted: held."""
    company.services.store.close(company.fence, WorkOrderState.HELD, "revised after acceptance")
    for number, text in enumerate(texts):
        body = company.order.model_copy(update={"body_text": text}).model_dump(mode="json")
        company.sql(
            "INSERT INTO revision VALUES (%s, %s, %s, now() + %s * interval '1 second')",
            KEY,
            canonical_sha256(body),
            Jsonb(body),
            number,
        )


@pytest.mark.parametrize(("revision", "text"), [(None, "third"), (1, "second"), (0, None)])
def test_a_release_goes_on_with_the_newest_text_or_the_one_named(
    company: Company, revision: int | None, text: str | None
) -> None:
    revised(company, ["What about 10482? second", "What about 10482? third"])
    released(company, revision=revision)
    result = drive(company)
    said = result.received.work_order.body_text
    assert said == (f"What about 10482? {text}" if text else company.order.body_text)
    assert one(company, "SELECT body->>'body_text' FROM work_orders") == company.order.body_text


# --- nothing is drafted twice ---


def held_after_a_post(company: Company) -> None:
    """Accepted, and no draft appeared within the settling time."""
    company.sandbox.fault("zapier", "paused", times=1)
    company.answer()
    assert one(company, "SELECT state FROM publication_ledger") == "ACCEPTED"
    age(company, SETTLE + 60)
    company.round()
    assert company.state() is WorkOrderState.HELD


def age(company: Company, seconds: float) -> None:
    company.sql(
        "UPDATE publication_ledger SET changed_at = changed_at - %s * interval '1 second',"
        " intent_at = intent_at - %s * interval '1 second', look_at = now()",
        seconds,
        seconds,
    )


def test_after_a_post_of_unknown_outcome_a_person_must_say_that_there_is_no_draft(
    company: Company,
) -> None:
    held_after_a_post(company)
    with pytest.raises(RefusedError, match="nobody knows"):
        released(company)
    released(company, no_draft_in_mailbox=True)
    drive(company)
    assert len(company.sandbox.deliveries()) == 2
    company.round()
    assert company.state() is WorkOrderState.PUBLISHED
    assert len(company.sandbox.wait_for_drafts(1)) == 1


def test_a_draft_the_person_did_not_see_is_found_before_anything_is_posted_again(
    company: Company,
) -> None:
    company.answer()
    age(company, SETTLE + 60)
    company.sql("UPDATE publication_ledger SET state = 'HELD', look_at = NULL")
    company.sql("UPDATE work_orders SET state = 'held', final_at = now()")
    released(company, no_draft_in_mailbox=True)
    drive(company)
    assert len(company.sandbox.deliveries()) == 1
    assert company.state() is WorkOrderState.PUBLISHED


def test_a_draft_may_still_come_within_the_settling_time(company: Company) -> None:
    company.sandbox.fault("zapier", "paused", times=1)
    company.answer()
    company.sql("UPDATE publication_ledger SET state = 'HELD', look_at = NULL")
    company.sql("UPDATE work_orders SET state = 'held', final_at = now()")
    with pytest.raises(RefusedError, match="may still appear"):
        released(company, no_draft_in_mailbox=True)


def test_a_sender_that_was_never_proven_dead_may_have_posted(company: Company) -> None:
    """Held from SENDING: no outcome was ever recorded, uncertain or not."""
    company.sandbox.fault("zapier", "paused", times=1)
    company.answer()
    company.sql(
        "UPDATE publication_ledger SET state = 'HELD', ever_uncertain = false,"
        " uncertain_posts = 0, look_at = NULL"
    )
    company.sql("UPDATE work_orders SET state = 'held', final_at = now()")
    age(company, SETTLE + 60)
    with pytest.raises(RefusedError, match="nobody knows"):
        released(company)


@pytest.mark.parametrize("state", ["SENDING", "ACCEPTED", "UNKNOWN"])
def test_nothing_is_released_while_a_post_is_not_settled(company: Company, state: str) -> None:
    company.answer()
    company.sql("UPDATE publication_ledger SET state = %s", state)
    company.sql("UPDATE work_orders SET state = 'escalated', final_at = now()")
    with pytest.raises(RefusedError, match=f"is {state}"):
        released(company, no_draft_in_mailbox=True)


def test_what_was_stored_before_the_release_is_not_what_was_released(company: Company) -> None:
    """A switch there and back between the release and its run may not publish the old draft."""
    company.appoint(PublisherName.NONE)
    company.answer()
    company.sql("UPDATE publication_ledger SET state = 'HELD'")
    company.sql("UPDATE work_orders SET state = 'held', final_at = now()")
    released(company)
    company.appoint(PublisherName.SWARM)
    assert one(company, "SELECT state FROM publication_ledger") == "READY"
    company.round()
    assert company.sandbox.deliveries() == []
    drive(company)
    assert len(company.sandbox.deliveries()) == 1


# --- a publication that gave up ---


def test_a_publication_that_gave_up_is_listed_among_the_dead_and_opened_by_a_release_alone(
    company: Company,
) -> None:
    company.sandbox.fault("zapier", "status", times=100, status=429)
    company.answer()
    for _ in range(company.deps.timings.max_attempts + 1):
        company.sql("UPDATE publication_ledger SET not_before = NULL")
        company.round()
    company.sandbox.clear_faults()
    assert company.state() is WorkOrderState.DEAD
    (dead,) = company.queue.dead()
    assert (dead.state, dead.work_order_key) == (JobState.DEAD, KEY)
    assert "attempts used up" in dead.dead_reason
    assert "swarm release" in shown(company).next_step
    assert not company.queue.replay(KEY)
    assert company.state() is WorkOrderState.DEAD
    released(company)
    drive(company)
    company.round()
    assert company.state() is WorkOrderState.PUBLISHED
    assert company.queue.dead() == []


def test_reviews_of_a_released_attempt_are_their_own(company: Company) -> None:
    """A review made under all rules does not stand for one made without some of them."""
    writes_with_a_solicitor(company)
    released(company, waive=("ES-01",))
    result = drive(company)
    assert {review.stage for review in result.reviews} == set(REVIEW_STAGES)
    assert one(company, "SELECT count(*) FROM verdicts WHERE version LIKE '%without ES-01'") == 3
