"""What only Postgres has: settling by the ledger, alerts in the transaction, guarding schema."""

import psycopg
import pytest

from swarm.errors import DatabaseRefusedError, MalformedInputError
from swarm.models import (
    EscalationClass,
    Event,
    Fence,
    Reason,
    Stage,
    TextSpan,
    Tier,
    TierDecision,
    WorkOrderState,
)
from swarm.settings import QueueSettings
from swarm.store.alerts import open_alerts
from swarm.store.database import Database, Row
from swarm.store.event_chain import verify_chain
from swarm.store.postgres import PostgresStore
from swarm.store.postgres_queue import PostgresQueue
from swarm.store.postgres_transitions import settle_publication

pytestmark = pytest.mark.integration

FINISHED = Event(kind="stage.finished", actor="test")


@pytest.fixture
def store(database: Database) -> PostgresStore:
    return PostgresStore(database)


@pytest.fixture
def queue(database: Database) -> PostgresQueue:
    return PostgresQueue(database, QueueSettings())


@pytest.fixture
def fence(database: Database, queue: PostgresQueue, accept_into) -> Fence:
    key = accept_into(database, "bc")
    queue.enqueue(key)
    return queue.open(key, "run-1", None)


def settle(database: Database, key: str, state: WorkOrderState) -> bool:
    with database.transaction() as connection:
        return settle_publication(connection, key, state, "said the ledger")


def firing(database: Database) -> list[tuple[str, str]]:
    with database.transaction() as connection:
        return [(alert.kind, alert.subject) for alert in open_alerts(connection)]


def row(database: Database, sql: str) -> Row:
    with database.transaction() as connection:
        found = connection.execute(sql).fetchone()
    assert found is not None
    return found


@pytest.mark.parametrize("state", ["published", "held", "dead"])
def test_the_ledger_settles_what_was_handed_to_it(database, store, fence, state) -> None:
    store.close(fence, WorkOrderState.PUBLISHING, "in the ledger")
    assert settle(database, fence.work_order_key, WorkOrderState(state)) is True
    assert store.state(fence.work_order_key) is WorkOrderState(state)
    expected = [] if state == "published" else [(f"work_order.{state}", fence.work_order_key)]
    assert firing(database) == expected
    assert verify_chain(store.events(fence.work_order_key)) == ()


def test_a_draft_that_turns_up_publishes_a_held_work_order_and_ends_its_alert(
    database, store, fence
) -> None:
    store.close(fence, WorkOrderState.PUBLISHING, "in the ledger")
    settle(database, fence.work_order_key, WorkOrderState.HELD)
    assert settle(database, fence.work_order_key, WorkOrderState.PUBLISHED) is True
    assert firing(database) == []


@pytest.mark.parametrize("target", ["published", "held", "dead"])
def test_the_ledger_moves_neither_a_running_nor_an_escalated_work_order(
    database, store, fence, target
) -> None:
    assert settle(database, fence.work_order_key, WorkOrderState(target)) is False
    store.escalate(fence, [])
    assert settle(database, fence.work_order_key, WorkOrderState(target)) is False
    assert store.state(fence.work_order_key) is WorkOrderState.ESCALATED


def test_settling_is_undone_with_the_transaction_of_the_ledger(database, store, fence) -> None:
    store.close(fence, WorkOrderState.PUBLISHING, "in the ledger")

    def doomed() -> None:
        with database.transaction() as connection:
            settle_publication(connection, fence.work_order_key, WorkOrderState.HELD, "absent")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        doomed()
    assert store.state(fence.work_order_key) is WorkOrderState.PUBLISHING
    assert firing(database) == []


def test_a_dead_letter_kills_the_work_order_and_alerts_until_it_is_replayed(
    database, store, queue, fence
) -> None:
    queue.fail(fence, "unreadable", retryable=False)
    assert firing(database) == [("work_order.dead", fence.work_order_key)]
    queue.replay(fence.work_order_key)
    assert firing(database) == []


def test_an_escalation_has_owner_and_time_and_an_urgent_one_alerts(database, store, fence) -> None:
    """ES-22."""
    reason = Reason(rule="ES-01", detail="hurt", classes=(EscalationClass.SAFETY,))
    store.escalate(fence, [reason])
    desk = row(database, "SELECT *, acknowledge_by - now() AS due FROM escalations")
    assert (desk["classes"], desk["owner"]) == (["safety"], "customer-service-lead")
    assert 14 * 60 < desk["due"].total_seconds() <= 15 * 60
    assert desk["received_at"] == store.work_order(fence.work_order_key).received_at
    assert firing(database) == [("escalation.urgent", fence.work_order_key)]


def test_closing_as_escalated_without_reasons_still_names_an_owner(database, store, fence) -> None:
    assert store.close(fence, WorkOrderState.ESCALATED, "policy refused") is True
    assert row(database, "SELECT classes FROM escalations")["classes"] == ["unknown"]
    reason = row(database, "SELECT state_reason FROM work_orders")["state_reason"]
    assert reason == "policy refused"


@pytest.mark.parametrize("state", ["running", "publishing", "published", "accepted"])
def test_the_schema_itself_refuses_to_reopen_a_final_state(database, store, fence, state) -> None:
    store.escalate(fence, [])
    with pytest.raises(DatabaseRefusedError, match="is final"):
        row(database, f"UPDATE work_orders SET state = '{state}', final_at = NULL RETURNING key")


def test_runs_are_recorded_with_how_they_ended(database, store, queue, fence) -> None:
    queue.fail(fence, "boom", retryable=True)
    again = queue.open(fence.work_order_key, "run-2", None)
    store.close(again, WorkOrderState.PUBLISHING, "in the ledger")
    with database.transaction() as connection:
        runs = connection.execute("SELECT run_id, outcome FROM workflow_runs ORDER BY token")
        assert [(r["run_id"], r["outcome"]) for r in runs] == [
            ("run-1", "failed"),
            ("run-2", "publishing"),
        ]


def test_a_stored_output_that_was_tampered_with_is_not_handed_out(database, store, fence) -> None:
    decision = TierDecision(tier=Tier.REVIEW, detectors={})
    store.write_stage(fence, Stage.TIER, decision, FINISHED)
    row(database, """UPDATE artifacts SET body = body || '{"tier": 1}' RETURNING stage""")
    with pytest.raises(MalformedInputError, match="does not match its hash"):
        store.artifact(fence.work_order_key, Stage.TIER)


@pytest.mark.parametrize("text", ["\x00", "\ud800"], ids=["NUL", "lone surrogate"])
def test_text_postgres_cannot_keep_is_malformed_input_and_leaves_no_trace(
    store, fence, text: str
) -> None:
    spoiled = TierDecision(
        tier=Tier.REVIEW, detectors={}, spans=(TextSpan(start=0, end=1, label=text),)
    )
    before = store.events(fence.work_order_key)
    with pytest.raises(MalformedInputError, match="cannot be stored"):
        store.write_stage(fence, Stage.TIER, spoiled, FINISHED)
    assert store.events(fence.work_order_key) == before


def test_an_error_sentence_with_odd_characters_still_ends_the_run(queue, fence) -> None:
    queue.fail(fence, "a\x00b\ud800" + "c" * 1000, retryable=False)
    (letter,) = queue.dead()
    assert letter.dead_reason.startswith("ab?ccc")
    assert len(letter.dead_reason) == 500


def test_a_stage_costs_two_statements(database, store, fence) -> None:
    """The lock, then everything else: a stage is written in two round trips and a commit."""
    statements: list[object] = []
    execute = psycopg.Connection.execute

    def counting(self, query, *args, **kwargs):
        statements.append(query)
        return execute(self, query, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Connection, "execute", counting)
        store.write_stage(fence, Stage.TIER, TierDecision(tier=Tier.REVIEW, detectors={}), FINISHED)
    assert len([s for s in statements if s]) == 2
