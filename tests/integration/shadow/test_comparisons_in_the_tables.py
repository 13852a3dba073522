"""Comparisons derived from what is stored: of live runs without a replay, of replays, and again
when a later record changes something; replaced by compare-and-set.
"""

from dataclasses import replace
from datetime import timedelta

import pytest
from history_rows import HOUSE, engine, how, put, put_legacy
from psycopg.types.json import Jsonb
from shadow_records import legacy, order, recorded

from swarm.models import EscalationClass, WorkOrder
from swarm.settings import QueueSettings
from swarm.shadow import rows
from swarm.shadow.models import Comparison, OutcomePair
from swarm.shadow.overview import label
from swarm.shadow.rows import compare_due, compare_replayed, due
from swarm.specialists.rules import RulesSpecialist
from swarm.stages.pipeline import run_chain
from swarm.store.database import Database
from swarm.store.postgres import PostgresStore
from swarm.store.postgres_queue import PostgresQueue

pytestmark = pytest.mark.integration

LEGAL = "Hello,\n\nI will see my lawyer and sue you over this.\n\nAnna"


def live(database: Database, mail: WorkOrder) -> None:
    """Drive a work order through the live tables to its end."""
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO work_orders (key, original_id, body) VALUES (%s, %s, %s)",
            (mail.key, mail.original_id, Jsonb(mail.model_dump(mode="json"))),
        )
        connection.execute("INSERT INTO swarm_jobs (work_order_key) VALUES (%s)", (mail.key,))
    store, queue = PostgresStore(database), PostgresQueue(database, QueueSettings())
    (request,) = queue.request_due(1)
    fence = queue.open(mail.key, f"run-{mail.key}", request.attempt)
    made = HOUSE.services(store, RulesSpecialist(acknowledge=False))
    run_chain(mail, replace(made, recorded=recorded(mail)), fence)


def outcome(database: Database, mail: WorkOrder, **changes: object) -> None:
    put_legacy(database, legacy(mail.original_id, **changes))


def stored(database: Database) -> dict[str, Comparison]:
    with database.transaction() as connection:
        found = connection.execute("SELECT work_order_key AS key, body FROM comparisons").fetchall()
    return {row["key"]: Comparison.model_validate(row["body"]) for row in found}


def later(database: Database) -> None:
    """Let an hour pass since all was compared, which was an hour after it was stored."""
    with database.transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("UPDATE comparisons SET at = now() - interval '1 hour'")
        for table, column in (
            ("legacy_outcomes", "read_at"),
            ("replays", "at"),
            ("danger_labels", "at"),
            ("reply_outcomes", "changed_at"),
            ("work_orders", "final_at"),
        ):
            connection.execute(f"UPDATE {table} SET {column} = now() - interval '2 hours'")


def test_a_live_run_is_compared_without_a_replay(database: Database) -> None:
    calm, angry = order("calm"), order("angry", body_text=LEGAL)
    for mail, escalated in ((calm, False), (angry, True)):
        live(database, mail)
        outcome(database, mail, escalated=escalated, reasons=("legal",) if escalated else ())
    derived = compare_due(database, engine(), "", 10)
    assert len(derived.made) == 2
    found = stored(database)
    assert found[calm.key].pair is OutcomePair.ONLY_LEGACY_DRAFTS
    assert found[calm.key].declined
    assert found[angry.key].pair is OutcomePair.BOTH_PERSON
    assert found[angry.key].needed == ("legal",)
    assert found[calm.key].engine == engine()
    assert found[calm.key].strata.origin == "live"
    assert found[calm.key].new_ms is not None
    assert not due(database, engine())


def test_a_live_run_waits_for_legacys_outcome(database: Database) -> None:
    live(database, order("early"))
    assert not due(database, engine())
    assert compare_due(database, engine(), "", 10).made == ()


def test_a_persons_act_and_a_label_renew_a_comparison(database: Database) -> None:
    mail = order("act", body_text=LEGAL)
    live(database, mail)
    outcome(database, mail, escalated=True, reasons=("legal",))
    compare_due(database, engine(), "", 10)
    later(database)
    assert not due(database, engine())
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO reply_outcomes (work_order_key, origin, act, sent_text)"
            " VALUES (%s, 'live', 'answered_otherwise', 'A person wrote.')",
            (mail.key,),
        )
    assert due(database, engine())
    compare_due(database, engine(), "", 10)
    assert stored(database)[mail.key].act == "answered_otherwise"
    later(database)
    with database.transaction() as connection:
        label(connection, mail.key, (), actor="anna", reason="a joke")
    compare_due(database, engine(), "", 10)
    told = stored(database)[mail.key]
    assert (told.needed, told.extra) == ((), True)


def test_of_two_who_compare_at_once_one_wins(database: Database) -> None:
    mail = order("race")
    live(database, mail)
    outcome(database, mail)
    compare_due(database, engine(), "", 10)
    later(database)
    with database.transaction() as connection:
        connection.execute("UPDATE legacy_outcomes SET read_at = now()")
        first = connection.execute("SELECT at FROM comparisons").fetchone()
    real = rows._store

    def overtaken(database: Database, made: object, at: object):  # type: ignore[no-untyped-def]
        with database.transaction() as connection:
            connection.execute("UPDATE comparisons SET at = now()")
        return real(database, made, at)  # type: ignore[arg-type]

    rows._store = overtaken  # type: ignore[assignment]
    try:
        derived = compare_due(database, engine(), "", 10)
    finally:
        rows._store = real
    assert (derived.made, derived.overtaken) == ((), 1)
    assert first is not None


def test_what_a_person_released_is_no_answer_of_an_engine(database: Database) -> None:
    mail = order("released")
    live(database, mail)
    outcome(database, mail)
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO releases (work_order_key, number, actor, reason, waived, from_state,"
            " revision, no_draft_in_mailbox) VALUES (%s, 1, 'anna', 'x', '{}', 'held', 0, true)",
            (mail.key,),
        )
    assert compare_due(database, engine(), "", 10).made == ()


def test_a_replay_of_history_is_compared_and_renewed(database: Database) -> None:
    mail = order("old")
    put(database, mail)
    outcome(database, mail)
    how(database).replay([mail.key])
    derived = compare_replayed(database, [mail.key], engine(), "")
    assert [told.strata.origin for told in derived.made] == ["history"]
    assert compare_replayed(database, [mail.key], engine(), "").overtaken == 0
    later(database)
    with database.transaction() as connection:
        label(connection, mail.key, (EscalationClass.LEGAL,), actor="anna", reason="read it")
    compare_due(database, engine(), "", 10)
    assert stored(database)[mail.key].needed == ("legal",)


def test_the_live_run_counts_where_the_same_engine_was_replayed(database: Database) -> None:
    mail = order("both")
    live(database, mail)
    outcome(database, mail)
    how(database).replay([mail.key])
    assert compare_replayed(database, [mail.key], engine(), "").made == ()
    assert len(compare_due(database, engine(), "", 10).made) == 1


def test_a_live_work_order_is_replayed_to_what_its_own_run_came_to(database: Database) -> None:
    next_day = order().received_at + timedelta(days=1)
    calm, angry = order("c"), order("a", body_text=LEGAL, received_at=next_day)
    for mail in (calm, angry):
        live(database, mail)
        outcome(database, mail)
    how(database).replay([calm.key, angry.key])
    compare_due(database, engine(), "", 10)
    with database.transaction() as connection:
        again = connection.execute(
            "SELECT r.work_order_key AS key, r.body->>'decision' AS decision FROM replays r"
        ).fetchall()
    assert {row["key"]: row["decision"] for row in again} == {
        calm.key: "declined", angry.key: "escalated",
    }  # fmt: skip
