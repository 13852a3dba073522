"""Whatever a run will ask is asked before; what changed in between, the run asks itself.

The prefetcher as its program builds it, the run's services as its worker builds them; the sandbox's
mailbox, CRM and model over real HTTP, real Postgres.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from company import KEY, Company, founded

from swarm.errors import PermanentError
from swarm.models import Fence, Stage, Tier, WorkOrderState
from swarm.prefetch.__main__ import prefetcher
from swarm.prefetch.ahead_store import AheadStore
from swarm.prefetch.claims import PrefetchClaim
from swarm.prefetch.thinking import think_ahead
from swarm.sandbox import model_environment
from swarm.stages.house import house_of
from swarm.stages.services import Services
from swarm.store.database import Database
from swarm.store.postgres import PostgresStore
from swarm_assets.resources import process

pytestmark = pytest.mark.integration

REPLY = "We have received your question about your order."
QUESTIONS = ["classify", "fact", "propose", "qa", "tone"]


@pytest.fixture
def company(database_url: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    with founded(database_url, tmp_path, monkeypatch) as made:
        for name, value in model_environment(made.sandbox.port).items():
            monkeypatch.setenv(name, value)
        process.settings.cache_clear()
        process.specialist.cache_clear()
        made.sandbox.answer_model({"acceptable": True, "findings": []}, contains="acceptable")
        made.sandbox.answer_model(
            {"body": REPLY, "claims": [], "answered": [1], "decline": None}, contains="decline"
        )
        made.queue.give_back(made.fence)
        yield made


def services(store: PostgresStore, specialist) -> Services:
    return house_of(process.settings()).services(
        store, specialist, outlook=process.outlook(), monday=process.monday()
    )


@contextmanager
def thinking(database: Database) -> Iterator[None]:
    """A prefetcher at work, until the end of the block."""
    stop = threading.Event()
    with prefetcher(process.settings(), database) as mine:
        loop = threading.Thread(target=mine.run, args=(stop,), kwargs={"within": 10.0})
        loop.start()
        try:
            yield
        finally:
            stop.set()
            loop.join(20)


def state_of_claim(database: Database) -> str:
    with database.transaction() as connection:
        row = connection.execute("SELECT state, why FROM prefetches").fetchone()
    return f"{row['state']} {row['why']}".strip() if row else ""


def calls(database: Database, *, ahead: bool) -> list[str]:
    with database.transaction() as connection:
        rows = connection.execute(
            "SELECT purpose FROM model_calls WHERE ahead = %s ORDER BY purpose", (ahead,)
        )
        return [row["purpose"] for row in rows]


def tallied(database: Database, what: str) -> float:
    with database.transaction() as connection:
        row = connection.execute(
            "SELECT coalesce(sum(value), 0) AS n FROM tally_deltas"
            " WHERE name = 'model_answers' AND labels[2] = %s",
            (what,),
        ).fetchone()
    return float(row["n"]) if row else 0.0


def thought(company: Company) -> None:
    with thinking(company.database):
        deadline = time.monotonic() + 30
        while state_of_claim(company.database) in ("", "taken"):
            assert time.monotonic() < deadline, state_of_claim(company.database)
            time.sleep(0.05)


def run(company: Company) -> None:
    """What a run of Dagster does with this work order."""
    (request,) = company.queue.request_due(5)
    fence = company.queue.open(KEY, "run-9", request.attempt)
    of_a_run = services(PostgresStore(company.database), process.specialist())
    order = of_a_run.store.work_order(KEY)
    replace(company, services=of_a_run, fence=fence, order=order).answer()


def test_the_run_finds_every_answer_and_asks_nothing(company: Company) -> None:
    thought(company)
    assert state_of_claim(company.database) == "done"
    assert calls(company.database, ahead=True) == QUESTIONS
    assert company.state() in {WorkOrderState.ACCEPTED, WorkOrderState.RUNNING}
    assert PostgresStore(company.database).artifact(KEY, Stage.DRAFT) is None
    run(company)
    assert calls(company.database, ahead=False) == []
    assert len(company.sandbox.model_calls()) == len(QUESTIONS)
    assert company.state() is WorkOrderState.PUBLISHING
    assert tallied(company.database, "ahead") == len(QUESTIONS)
    assert tallied(company.database, "missed") == 0


def test_evidence_that_came_in_between_is_asked_about_by_the_run(company: Company) -> None:
    thought(company)
    earlier = company.order.received_at - timedelta(hours=1)
    company.writes(from_us=True, at=earlier, text="Your parcel leaves us on Friday.")
    run(company)
    asked = calls(company.database, ahead=False)
    assert asked, "no stale answer: the run asked itself"
    assert tallied(company.database, "missed") == len(asked)
    company.round()
    assert len(company.sandbox.deliveries()) <= 1


def test_a_mail_of_ours_in_between_ends_as_without_a_prefetcher(company: Company) -> None:
    thought(company)
    company.writes(from_us=True, text="Done, see my other mail.")
    run(company)
    company.round()
    assert company.sandbox.deliveries() == []


@pytest.mark.parametrize("how", ["delete", "purge"])
def test_a_mail_that_was_deleted_in_between_is_answered_by_nobody(
    company: Company, how: str
) -> None:
    """What was thought about while it was there makes no draft for one that is gone."""
    thought(company)
    company.sandbox.human(how, company.order.ref.message_id)
    run(company)
    assert company.state() is WorkOrderState.ESCALATED
    policy = company.services.store.artifact(KEY, Stage.POLICY)
    assert policy is not None
    assert "the mailbox holds no conversation to reply in" in str(policy.body)
    assert calls(company.database, ahead=False) == []
    company.round()
    assert company.sandbox.deliveries() == []


def test_what_a_person_must_answer_costs_nothing(company: Company) -> None:
    company.sql(
        "UPDATE work_orders SET body = jsonb_set(body, '{body_text}', %s::jsonb) WHERE key = %s",
        '"My lawyer will sue you over order 10482."', KEY,
    )  # fmt: skip
    thought(company)
    assert state_of_claim(company.database) == "done"
    assert company.sandbox.model_calls() == []
    run(company)
    assert company.state() is WorkOrderState.ESCALATED


def test_a_floor_that_an_earlier_run_set_is_a_floor_here_too(company: Company) -> None:
    company.sql("UPDATE work_orders SET tier = 3 WHERE key = %s", KEY)
    thought(company)
    assert calls(company.database, ahead=True) == ["classify"], "no draft is asked for"


def test_a_model_that_answers_nobody_leaves_it_to_the_queue(company: Company) -> None:
    company.sandbox.fault("model", "status", status=401)
    thought(company)
    assert state_of_claim(company.database).startswith("left the model's endpoint refuses our key")
    assert [each.work_order_key for each in company.queue.request_due(5)] == [KEY]


def test_two_who_ask_the_same_keep_the_first_answer_and_count_the_other(company: Company) -> None:
    thought(company)
    store = PostgresStore(company.database)
    with company.database.transaction() as connection:
        row = connection.execute(
            "SELECT work_order_key, purpose, request_sha256, model, prompt_sha256, answer"
            "  FROM model_calls WHERE purpose = 'propose'"
        ).fetchone()
    first = store.model_call(KEY, "propose", row["request_sha256"])
    late = first.model_copy(update={"answer": {"text": "another"}})
    assert store.record_model_call(late) == first
    assert tallied(company.database, "twice") == 1


def test_nothing_but_answers_is_written(company: Company) -> None:
    store = AheadStore(company.database)
    fence = Fence(work_order_key=KEY, run_id="ahead", attempt=1, token=0)
    for write in (
        lambda: store.close(fence, WorkOrderState.HELD, "no"),
        lambda: store.escalate(fence, ()),
        lambda: store.decline(fence, ()),
    ):
        with pytest.raises(PermanentError, match="nothing is written ahead"):
            write()
    before = store.events(KEY)
    who = process.specialist()
    think_ahead(PrefetchClaim(work_order_key=KEY, attempt=1, tries=1), services(store, who))
    assert store.events(KEY) == before
    assert store.raise_tier(fence, Tier.ROUTINE) is Tier.ROUTINE
