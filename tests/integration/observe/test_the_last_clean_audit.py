"""The high-water mark: what an audit of what is new leans on, and how it is itself held."""

from pathlib import Path

import psycopg
import pytest

from swarm.lifecycle.erasure import Eraser
from swarm.models import Event
from swarm.observe.audit import recompute
from swarm.observe.audit.promises import Memory, audit
from swarm.observe.audit.report import AuditReport, Scope

pytestmark = pytest.mark.integration


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "home" / "audit_mark.json", "test")


def taken(world, memory: Memory | None, scope: Scope = Scope.NEW) -> AuditReport:
    return audit(
        world.database, world.mailbox, [], required_rules=world.rules, scope=scope, memory=memory
    )


def marks(world) -> int:
    with world.database.transaction() as connection:
        row = connection.execute("SELECT count(*) AS n FROM audit_mark").fetchone()
    assert row is not None
    return int(row["n"])


def delete(world, statement: str, *values: object) -> None:
    with psycopg.connect(world.database.url) as connection:
        connection.execute("SET search_path = swarm; SET session_replication_role = replica")
        connection.execute(statement.encode(), values)


def test_the_first_audit_looks_at_all_and_the_next_at_what_is_open(world, memory) -> None:
    first, second = taken(world, memory), taken(world, memory)
    assert (first.scope, first.totals.recomputed) == (Scope.FULL, 3)
    assert (second.scope, second.totals.recomputed) == (Scope.NEW, 1)
    assert second.since == first.at
    assert marks(world) == 2


def test_a_work_order_written_for_by_anybody_is_looked_at_again(world, memory) -> None:
    taken(world, memory)
    delete(world, "UPDATE work_orders SET state_reason = 'x' WHERE key = %s", world.published)
    assert taken(world, memory).totals.recomputed == 2


def test_an_unclean_audit_and_one_without_the_mailbox_leave_no_mark(world, memory) -> None:
    audit(world.database, None, [], required_rules=world.rules, memory=memory)
    world.mailbox.down = True
    assert not taken(world, memory).holds
    assert (marks(world), memory.anchor.exists()) == (0, False)


@pytest.mark.parametrize("table", ["workflow_events", "verdicts", "publication_log"])
def test_a_row_taken_out_shows_although_others_have_come_since(world, memory, table: str) -> None:
    """The count alone would not tell: there are more rows than before."""
    taken(world, memory)
    delete(world, f"DELETE FROM {table} WHERE ctid = (SELECT min(ctid) FROM {table})")
    columns = {
        "workflow_events": "SELECT work_order_key, seq + 100, attempt, run_id, kind, stage, actor,"
        " detail, duration_ms, cost, at, previous_hash, hash",
        "verdicts": "SELECT rule || n, version, draft_sha256, evidence_sha256, ruling, reasons,"
        " decided_by, work_order_key, at",
        "publication_log": "SELECT id + 100 * n, work_order_key, fence, event, detail, at",
    }[table]
    many = "1, 2" if table == "workflow_events" else "1, 2, 3"
    chosen = f"{columns} FROM {table}, unnest(ARRAY[{many}]) n WHERE n > 1"
    overriding = "OVERRIDING SYSTEM VALUE " if table == "publication_log" else ""
    delete(world, f"INSERT INTO {table} {overriding}{chosen}")
    named = [(b.check, b.subject) for b in taken(world, memory).breaches]
    assert ("shortened", table) in named


_KEPT = {
    "releases": "INSERT INTO releases (work_order_key, number, actor, reason, waived, from_state,"
    " revision, no_draft_in_mailbox) VALUES (%s, 1, 'anna', 'ticket 7', '{}', 'held', 0, true)",
    "sorted_out": "INSERT INTO sorted_out (key, original_id, reason)"
    " VALUES ('wo_aaaaaaaaaaaaaaaaaaaaaaaa', %s, 'list')",
    "erasure": "INSERT INTO erasure (asked_for, actor, reason) VALUES ('address', %s, 'ticket 7')",
    "switch_wish": "INSERT INTO switch_wish (actor, reason, expires_at)"
    " VALUES (%s, 'ticket 7', now())",
}


@pytest.mark.parametrize("table", _KEPT)
def test_a_table_of_peoples_acts_that_was_emptied_is_named(world, memory, table: str) -> None:
    delete(world, _KEPT[table], world.published)
    said = (Event(kind="work_order.released", actor="anna"),) if table == "releases" else ()
    for event in said:
        world.store.append_event(world.published, event)
    assert taken(world, memory).breaches == ()
    delete(world, f"DELETE FROM {table}")
    assert ("shortened", table) in [(b.check, b.subject) for b in taken(world, memory).breaches]


def test_tombstones_that_were_taken_out_are_named(world, memory) -> None:
    delete(world, _KEPT["erasure"], "anna")
    delete(world, "INSERT INTO tombstone (hash, erasure) SELECT %s, id FROM erasure", "a" * 64)
    taken(world, memory)
    delete(world, "DELETE FROM tombstone")
    named = [(b.check, b.subject) for b in taken(world, memory).breaches]
    assert named == [("shortened", "tombstone")]


def test_a_release_that_only_the_chain_tells_of_is_named(world, memory) -> None:
    event = Event(kind="work_order.released", actor="anna")
    world.store.append_event(world.published, event)
    named = [(b.check, b.subject) for b in taken(world, memory).breaches]
    assert named == [("release_not_on_record", world.published)]


@pytest.mark.parametrize("number", [0, 7])
def test_a_payload_of_another_world_is_named(world, memory, number: int) -> None:
    delete(world, "UPDATE publication_payload SET world = %s", number)
    named = {b.check for b in taken(world, memory).breaches}
    assert named == {"of_another_world"}


def test_an_alert_taken_out_shows_although_another_has_come(world, memory) -> None:
    world.run("INSERT INTO alerts (kind, subject, detail) VALUES ('a', 'b', 'c')")
    taken(world, memory)
    delete(world, "DELETE FROM alerts")
    world.run("INSERT INTO alerts (kind, subject, detail) VALUES ('d', 'e', 'f')")
    world.run("INSERT INTO alerts (kind, subject, detail) VALUES ('g', 'h', 'i')")
    assert [(b.check, b.subject) for b in taken(world, memory).breaches] == [
        ("shortened", "alerts")
    ]


def test_what_was_being_written_during_the_audit_is_no_loss_at_the_next(world, memory) -> None:
    """A transaction older than the mark commits after it; one younger has committed before."""
    with psycopg.connect(world.database.url) as slow:
        slow.execute("SELECT pg_current_xact_id()")
        world.store.append_event(world.live, Event(kind="note", actor="test"))
        assert taken(world, memory).holds
        slow.execute("INSERT INTO swarm.alerts (kind, subject, detail) VALUES ('a', 'b', 'c')")
    report = taken(world, memory)
    assert (report.scope, report.breaches) == (Scope.NEW, ())


def test_what_was_erased_since_is_no_loss_and_all_is_looked_at(world, memory, tmp_path) -> None:
    taken(world, memory)
    home = tmp_path / "erasing"
    home.mkdir()
    Eraser(world.database, home, "secret").erase(world.published, actor="anna", reason="ticket 7")
    world.mailbox.found.clear()
    report = taken(world, memory)
    assert (report.scope, report.breaches) == (Scope.FULL, ())
    assert taken(world, memory).scope is Scope.NEW


def test_a_person_takes_a_loss_for_the_new_measure_with_a_reason(world, memory) -> None:
    world.run("INSERT INTO alerts (kind, subject, detail) VALUES ('a', 'b', 'c')")
    taken(world, memory)
    delete(world, "TRUNCATE alerts, alert_deliveries, audit_mark")
    assert {b.check for b in taken(world, memory).breaches} == {"mark_broken"}
    accepting = Memory(memory.anchor, "test", "restored from last night's backup")
    assert not taken(world, accepting, Scope.FULL).holds
    assert taken(world, memory).holds


def test_nothing_else_can_be_accepted(world, memory) -> None:
    world.run("UPDATE work_orders SET tier = 3 WHERE key = %(key)s", key=world.published)
    assert not taken(world, Memory(memory.anchor, "test", "because"), Scope.FULL).holds
    assert marks(world) == 0


def test_a_pool_of_processes_finds_what_one_process_finds(
    world, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run("UPDATE work_orders SET tier = 3 WHERE key = %(key)s", key=world.published)
    world.run("UPDATE escalations SET owner = ''")
    alone = taken(world, None, Scope.FULL)
    monkeypatch.setattr(recompute, "BATCH", 1)
    monkeypatch.setattr(recompute, "_ALONE", 1)
    monkeypatch.setattr(recompute.os, "cpu_count", lambda: 2)
    pooled = taken(world, None, Scope.FULL)
    assert alone.breaches == pooled.breaches
    assert {b.check for b in pooled.breaches} == {"tier_not_in_chain", "escalation_without_owner"}
