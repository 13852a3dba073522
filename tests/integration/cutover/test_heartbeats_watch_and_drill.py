"""Who runs, what is watched after a cutover, and the nightly proof of the way back."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import proven
import pytest
from proven import ENGINE, certify

from swarm.cutover import certificate, drill, heartbeats, looks, watch
from swarm.cutover.evaluated import Evaluation
from swarm.cutover.evaluation import evaluate_now
from swarm.cutover.heartbeats import Pulse
from swarm.cutover.models import GateVerdict
from swarm.errors import RefusedError
from swarm.process_identity import ProcessIdentity, this_process
from swarm.publishing.control import PublisherName
from swarm.publishing.switch.commands import appoint_initial, cutover, rollback, show
from swarm.stages.engine import Engine
from swarm.store.database import Database

pytestmark = pytest.mark.integration

WHO = {"actor": "anna", "reason": "go live"}


def rows(database: Database, statement: str) -> list[dict[str, object]]:
    with database.transaction() as connection:
        return connection.execute(statement.encode()).fetchall()


# --- heartbeats -----------------------------------------------------------------------------------


def pulse(database: Database, home: Path, process: str = "a", engine: Engine = ENGINE) -> Pulse:
    return Pulse(database, process, "workers", engine, home)


def test_a_process_says_which_engine_it_is_until_it_ends(
    database: Database, tmp_path: Path
) -> None:
    pulse(database, tmp_path).beat()
    pulse(database, tmp_path).beat()
    with database.transaction() as connection:
        (found,) = heartbeats.running(connection)
        assert (found.engine, found.parts) == (ENGINE.version, ENGINE)
        Pulse.forget(connection, "a")
        assert heartbeats.running(connection) == ()


def test_the_row_of_a_process_that_was_killed_is_removed_by_the_living(
    database: Database, tmp_path: Path
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    ended.wait()
    dead = this_process().model_copy(update={"pid": ended.pid, "starttime": 1})
    alive = this_process().model_dump_json()
    elsewhere = ProcessIdentity(host="mars/pid:[1]", boot_id="b", pid=1, starttime=1)
    for name in (dead.model_dump_json(), elsewhere.model_dump_json(), alive):
        pulse(database, tmp_path, name).beat()
    with database.transaction() as connection:
        left = {each.process for each in heartbeats.running(connection)}
    assert left == {elsewhere.model_dump_json(), alive}


def test_tolerances_that_a_worker_meets_end_the_certificate(
    database: Database, tmp_path: Path
) -> None:
    certify(database)
    pulse(database, tmp_path).beat()
    assert rows(database, "SELECT * FROM certificate_voids") == []
    (tmp_path / "tolerances.toml").write_text("# one more")
    pulse(database, tmp_path).beat()
    (void,) = rows(database, "SELECT reason FROM certificate_voids")
    assert void["reason"] == "the tolerances were changed"


# --- looks ----------------------------------------------------------------------------------------


def test_looks_are_planned_ahead_or_not_at_all(database: Database) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)
    past = datetime.now(UTC) - timedelta(hours=1)
    with pytest.raises(RefusedError, match="is past already"):
        looks.plan(database, [ahead, past], actor="anna")
    assert rows(database, "SELECT * FROM looks") == []
    (planned,) = looks.plan(database, [ahead], actor="anna")
    assert (planned.actor, planned.missed, planned.report_id) == ("anna", False, None)
    with pytest.raises(RefusedError, match="or planned"):
        looks.plan(database, [ahead], actor="anna")
    with database.transaction() as connection:
        assert looks.due(connection) is None


def test_a_due_look_is_due_until_it_is_taken(database: Database) -> None:
    with database.transaction() as connection:
        at = proven.due_look(connection)
        assert looks.due(connection) == at
        proven.report(connection, look=at)
        assert looks.due(connection) is None


def test_a_missed_look_is_over(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(
            "INSERT INTO looks (at, planned_at, actor)"
            " VALUES (now() - interval '31 minutes', now() - interval '1 hour', 'anna')"
        )
        assert looks.due(connection) is None
        assert [each.missed for each in looks.planned(connection)] == [True]


# --- the watch ------------------------------------------------------------------------------------


@pytest.fixture
def in_office(database: Database) -> Iterator[Database]:
    """Swarm publishes, after a cutover."""
    appoint_initial(database, PublisherName.LEGACY, actor="up", reason="a real hook")
    certify(database)
    cutover(database, certificate=certificate.refusal, **WHO)
    return database


FACTS = {
    "a dead hook": (
        "latency_cost",
        (
            "INSERT INTO publication_ledger (work_order_key, publisher, state, epoch, last_error)"
            " SELECT 'wo_' || repeat(chr(96 + n), 24), 'swarm', 'READY', 1, 'HTTP 503'"
            " FROM generate_series(1, 12) n"
        ),
    ),
    "a slow answer": (
        "latency_cost",
        (
            "INSERT INTO comparisons (work_order_key, engine, origin, body)"
            " SELECT 'wo_' || repeat(chr(96 + n), 24), '{engine}', 'live', {body} FROM"
            " generate_series(1, 12) n"
        ),
    ),
    "a missed class": (
        "safety",
        (
            "INSERT INTO comparisons (work_order_key, engine, origin, body)"
            " SELECT 'wo_' || repeat(chr(96 + n), 24), '{engine}', 'live', {body} FROM"
            " generate_series(1, 12) n"
        ),
    ),
}
BODY = """jsonb_build_object('pair', 'both_draft', 'strata', jsonb_build_object('tier', 1,
 'language', 'en', 'attachments', false, 'thread', 'hit', 'contact', 'hit'), 'needed', {needed},
 'legacy_classes', '[]'::jsonb, 'new_classes', '[]'::jsonb, 'missed', {needed}, 'extra', false,
 'declined', false, 'new_ms', {ms}, 'new_cost', 0, 'failed', '', 'tolerated', '[]'::jsonb,
 'thread_id', 't' || n, 'received_at', clock_timestamp())"""
BODIES = {
    "a slow answer": BODY.format(needed="'[]'::jsonb", ms=500_000),
    "a missed class": BODY.format(needed="'[\"legal\"]'::jsonb", ms=100),
    "a dead hook": "",
}


# Of a work order that nobody knows no comparison is kept.
_KNOWN = """
INSERT INTO work_orders (key, original_id, body)
SELECT 'wo_' || repeat(chr(96 + n), 24), 'known ' || n, '{}' FROM generate_series(1, 12) n
"""


def inject(database: Database, fact: str) -> str:
    gate, statement = FACTS[fact]
    with database.transaction() as connection:
        connection.execute(_KNOWN)
        text = statement.format(engine=ENGINE.version, body=BODIES[fact])
        connection.execute(text.encode())
    return gate


def look(database: Database, home: Path) -> Evaluation:
    with database.transaction() as connection:
        since = watch.since(connection)
    assert since is not None
    return evaluate_now(database, home, since=since)[0]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The set need not be measured to tell a breach."""
    monkeypatch.setattr("swarm.cutover.must_escalate.measure_missing", lambda _database: 14)


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("fact", FACTS)
def test_an_injected_fault_is_a_breach_and_two_in_a_row_roll_back(
    in_office: Database, tmp_path: Path, fact: str
) -> None:
    gate = inject(in_office, fact)
    first = watch.conclude(in_office, look(in_office, tmp_path), auto_rollback=True)
    assert gate in first.breached
    assert (first.enough, first.acted) == (True, "")
    assert show(in_office).control.active is PublisherName.SWARM
    alerted = rows(in_office, "SELECT subject FROM alerts WHERE kind = 'cutover.breach'")
    assert {"subject": gate} in alerted
    second = watch.conclude(in_office, look(in_office, tmp_path), auto_rollback=True)
    assert second.acted.startswith("publishing went from swarm to legacy")
    assert show(in_office).control.active is PublisherName.LEGACY
    assert "two breaches in a row" in show(in_office).control.reason


def evaluation(database: Database, home: Path, failing: tuple[str, ...], orders: int) -> Evaluation:
    """An evaluation as the judge makes it, with these gates failing over so many work orders."""
    made = evaluate_now(database, home, keep=False)[0]
    with database.transaction() as connection:
        kept = proven.report(connection)
    gates = tuple(
        g.model_copy(
            update={"verdict": GateVerdict.FAIL if g.gate in failing else GateVerdict.PASS}
        )
        for g in made.gates
    )
    complete = made.report.completeness.model_copy(update={"counts": {"work_orders": orders}})
    report = made.report.model_copy(update={"completeness": complete})
    return made.model_copy(update={"report_id": kept, "gates": gates, "report": report})


@pytest.mark.parametrize(
    ("story", "active"),
    [
        ([(("safety",), 50), (("safety",), 50)], PublisherName.LEGACY),
        ([(("safety",), 50), (("effects",), 50)], PublisherName.LEGACY),
        ([(("safety",), 50), ((), 50), (("safety",), 50)], PublisherName.SWARM),
        ([(("safety",), 3), (("safety",), 50)], PublisherName.SWARM),
        ([(("safety",), 50), (("safety",), 3)], PublisherName.SWARM),
        ([((), 50), ((), 50)], PublisherName.SWARM),
    ],
)
def test_only_two_breaches_in_a_row_with_enough_roll_back(
    in_office: Database, tmp_path: Path, story: list[tuple[tuple[str, ...], int]], active: str
) -> None:
    for failing, orders in story:
        found = evaluation(in_office, tmp_path, failing, orders)
        watch.conclude(in_office, found, auto_rollback=True)
    assert show(in_office).control.active is active


def test_without_the_setting_a_breach_alerts_and_changes_nothing(
    in_office: Database, tmp_path: Path
) -> None:
    for _ in range(3):
        watch.conclude(
            in_office, evaluation(in_office, tmp_path, ("safety",), 50), auto_rollback=False
        )
    assert show(in_office).control.active is PublisherName.SWARM
    watch.conclude(in_office, evaluation(in_office, tmp_path, (), 50), auto_rollback=False)
    assert not rows(
        in_office, "SELECT 1 FROM alerts WHERE kind = 'cutover.breach' AND resolved_at IS NULL"
    )


def test_breaches_before_the_cutover_do_not_count_after_it(
    in_office: Database, tmp_path: Path
) -> None:
    watch.conclude(in_office, evaluation(in_office, tmp_path, ("safety",), 50), auto_rollback=True)
    rollback(in_office, **WHO)
    certify(in_office)
    cutover(in_office, certificate=certificate.refusal, **WHO)
    watch.conclude(in_office, evaluation(in_office, tmp_path, ("safety",), 50), auto_rollback=True)
    assert show(in_office).control.active is PublisherName.SWARM


def test_it_never_goes_forward_by_itself(in_office: Database, tmp_path: Path) -> None:
    rollback(in_office, **WHO)
    for _ in range(2):
        watch.conclude(in_office, evaluation(in_office, tmp_path, (), 50), auto_rollback=True)
    assert show(in_office).control.active is PublisherName.LEGACY
    with in_office.transaction() as connection:
        assert watch.since(connection) is None


def test_a_sandbox_whose_first_publisher_is_swarm_is_not_watched(database: Database) -> None:
    appoint_initial(database, PublisherName.SWARM, actor="up", reason="sandbox")
    with database.transaction() as connection:
        assert watch.since(connection) is None


def test_the_window_reaches_no_further_than_the_cutover(in_office: Database) -> None:
    with in_office.transaction() as connection:
        assert watch.since(connection) == show(in_office).control.at


# --- the drill ------------------------------------------------------------------------------------


def test_the_drill_changes_nothing_and_keeps_its_record(database: Database) -> None:
    appoint_initial(database, PublisherName.LEGACY, actor="up", reason="a real hook")
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO legacy_proof (day, at, epoch, holds, reasons, evidence)"
            " VALUES ((now() AT TIME ZONE 'UTC')::date, now(), 1, true, '[]', '{}')"
        )
    before = show(database)
    with database.transaction() as connection:
        assert drill.due(connection)
    done = drill.drill(database)
    assert (done.holds, done.body["from"]) == (True, "legacy")
    assert show(database) == before
    with database.transaction() as connection:
        assert not drill.due(connection)
        assert drill.newest(connection) == done


def test_a_drill_whose_legacy_is_not_proven_does_not_hold(in_office: Database) -> None:
    done = drill.drill(in_office)
    assert done.reasons == ("today's path was not proven able to take over within a day",)
    assert rows(in_office, "SELECT subject FROM alerts WHERE kind = 'cutover.drill'")
