"""A certificate is earned at a planned look and ends by every change; the database insists."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import proven
import pytest
from proven import ENGINE, beat, certify, due_look, report
from psycopg.types.json import Jsonb

from swarm.cutover import certificate
from swarm.errors import DatabaseRefusedError, RefusedError
from swarm.publishing.control import PublisherName
from swarm.publishing.switch.commands import appoint_initial, cutover, rollback, show, stop
from swarm.stages.engine import Engine
from swarm.store.database import Connection, Database

pytestmark = pytest.mark.integration

WHO = {"actor": "anna", "reason": "go live"}
OTHER = Engine(ruleset="es-1+other", specialist="rules@1", house="house", code="code")


@pytest.fixture
def in_shadow(database: Database) -> Database:
    """Today's path publishes."""
    appoint_initial(database, PublisherName.LEGACY, actor="up", reason="a real hook")
    return database


def flip(database: Database, **more: bool) -> None:
    cutover(database, certificate=certificate.refusal, **WHO, **more)


def refused(database: Database, match: str) -> None:
    """A cutover, its dry run and an UPDATE by hand say the same, and nothing changed."""
    before = show(database)
    for dry_run in (True, False):
        with pytest.raises(RefusedError, match=match):
            flip(database, dry_run=dry_run)
    with pytest.raises(DatabaseRefusedError, match=match):
        by_hand(database)
    after = show(database)
    assert (after.control, after.history, after.wishes) == (
        before.control,
        before.history,
        before.wishes,
    )


def by_hand(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("UPDATE publisher_control SET active = 'swarm', epoch = epoch + 1")


def write(database: Database, statement: str, *values: object) -> None:
    with database.transaction() as connection:
        connection.execute(statement.encode(), values)


def past_the_triggers(database: Database, statement: str) -> None:
    """What only the owner of the server can do, to let time have passed."""
    with database.transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(statement.encode())


def test_with_a_certificate_swarm_takes_over_and_can_give_back(in_shadow: Database) -> None:
    certify(in_shadow)
    flip(in_shadow, dry_run=True)
    assert show(in_shadow).control.active is PublisherName.LEGACY
    flip(in_shadow)
    assert show(in_shadow).control.active is PublisherName.SWARM
    rollback(in_shadow, **WHO)
    stop(in_shadow, **WHO)


def test_without_one_it_is_refused(in_shadow: Database) -> None:
    refused(in_shadow, "no cutover certificate")


def test_an_expired_one_is_refused(in_shadow: Database) -> None:
    certify(in_shadow)
    past_the_triggers(
        in_shadow,
        "UPDATE certificates SET valid_until = clock_timestamp();"
        "UPDATE certificates c SET hash = certificate_hash(c)",
    )
    refused(in_shadow, "certificate 1 expired at")


def test_one_that_was_changed_is_refused(in_shadow: Database) -> None:
    certify(in_shadow)
    past_the_triggers(in_shadow, "UPDATE certificates SET valid_until = valid_until + '1 year'")
    refused(in_shadow, "was changed after it was issued")


def test_a_person_may_end_it_and_must_say_why(in_shadow: Database) -> None:
    certify(in_shadow)
    with pytest.raises(RefusedError, match="who asks and why"):
        certificate.void(in_shadow, actor="anna", reason=" ")
    assert certificate.void(in_shadow, actor="anna", reason="a bad feeling") == 1
    refused(in_shadow, r"void since .*a bad feeling \(by anna\)")


def test_a_worker_of_another_engine_that_starts_ends_it_and_is_named(in_shadow: Database) -> None:
    certify(in_shadow)
    with in_shadow.transaction() as connection:
        beat(connection, OTHER, '{"host":"mars/pid","pid":77}')
    refused(in_shadow, rf"workers \(process 77 on mars\) is engine {OTHER.version}")


def test_a_worker_of_another_engine_that_still_runs_prevents_it_and_is_named(
    in_shadow: Database,
) -> None:
    with in_shadow.transaction() as connection:
        beat(connection, OTHER, "an old worker", "publisher")
    with pytest.raises(DatabaseRefusedError, match=r"publisher \(an old worker\) is engine"):
        certify(in_shadow)
    refused(in_shadow, "no cutover certificate")


def test_one_of_another_engine_than_the_running_is_refused(in_shadow: Database) -> None:
    """The heartbeat of the other came while no trigger could see it: the flip looks again."""
    certify(in_shadow)
    past_the_triggers(in_shadow, "UPDATE engine_heartbeats SET engine = 'another'")
    refused(in_shadow, r"a worker\) is engine another")


def test_without_a_running_worker_it_is_refused(in_shadow: Database) -> None:
    certify(in_shadow)
    write(in_shadow, "DELETE FROM engine_heartbeats")
    refused(in_shadow, "no worker says which engine it is")


def test_a_worker_that_fell_silent_is_none(in_shadow: Database) -> None:
    certify(in_shadow)
    write(in_shadow, "UPDATE engine_heartbeats SET at = at - interval '61 seconds'")
    refused(in_shadow, "no worker says which engine it is")


def test_a_later_fail_ends_it(in_shadow: Database) -> None:
    certify(in_shadow)
    with in_shadow.transaction() as connection:
        report(connection, effects="FAIL")
    refused(in_shadow, r"void since .*gate effects failed in report")


def test_a_later_inconclusive_look_does_not_end_it(in_shadow: Database) -> None:
    certify(in_shadow)
    with in_shadow.transaction() as connection:
        report(connection, effects="INCONCLUSIVE")
    flip(in_shadow)


def test_other_tolerances_end_it(in_shadow: Database) -> None:
    certify(in_shadow)
    with in_shadow.transaction() as connection:
        beat(connection, tolerances="0" * 64)
    refused(in_shadow, "void since .*the tolerances were changed")


def test_other_tolerances_in_a_report_end_it(in_shadow: Database) -> None:
    certify(in_shadow)
    with in_shadow.transaction() as connection:
        report(connection, tolerances="0" * 64)
    refused(in_shadow, "void since .*the tolerances were changed")


def test_a_clock_that_was_set_back_does_not_help(in_shadow: Database) -> None:
    certify(in_shadow)
    write(
        in_shadow,
        "INSERT INTO publication_log (work_order_key, fence, event, at)"
        " VALUES ('x', 1, 'test', clock_timestamp() + interval '3 days')",
    )
    refused(in_shadow, "runs behind what is recorded")
    with pytest.raises(DatabaseRefusedError, match="runs behind what is recorded"):
        certify(in_shadow)


@pytest.mark.parametrize("gate", proven.GATES)
@pytest.mark.parametrize("verdict", ["FAIL", "INCONCLUSIVE", ""])
def test_each_gate_must_pass(in_shadow: Database, gate: str, verdict: str) -> None:
    with in_shadow.transaction() as connection:
        beat(connection)
    with (
        pytest.raises(DatabaseRefusedError, match=f"do not pass: {gate}"),
        in_shadow.transaction() as connection,
    ):
        certificate.issue(
            connection, report(connection, look=due_look(connection), **{gate: verdict})
        )


def test_a_report_between_the_looks_earns_nothing(in_shadow: Database) -> None:
    with in_shadow.transaction() as connection:
        beat(connection)
        kept = report(connection)
    with (
        pytest.raises(DatabaseRefusedError, match="not at a planned look"),
        in_shadow.transaction() as connection,
    ):
        certificate.issue(connection, kept)


def test_a_look_that_is_not_due_is_refused(in_shadow: Database) -> None:
    write(in_shadow, "INSERT INTO looks (at, actor) VALUES (clock_timestamp() + '1 hour', 'anna')")
    with pytest.raises(DatabaseRefusedError, match="is not due yet"):
        report_of_the_look(in_shadow)


def test_a_look_that_was_missed_cannot_be_made_up_for(in_shadow: Database) -> None:
    past_the_triggers(
        in_shadow,
        "INSERT INTO looks (at, planned_at, actor)"
        " VALUES (now() - interval '31 minutes', now() - interval '1 hour', 'anna')",
    )
    with pytest.raises(DatabaseRefusedError, match="30 minutes are over"):
        report_of_the_look(in_shadow)


def report_of_the_look(database: Database) -> None:
    with database.transaction() as connection:
        row = connection.execute("SELECT at FROM looks").fetchone()
        report(connection, look=row and row["at"])


def test_a_look_cannot_be_planned_into_the_past(in_shadow: Database) -> None:
    with pytest.raises(DatabaseRefusedError, match="23514"):
        write(in_shadow, "INSERT INTO looks (at, actor) VALUES (now() - interval '1 s', 'a')")


def test_an_inserted_certificate_is_composed_by_the_database(in_shadow: Database) -> None:
    """Whatever the row says: report, engine, time and hash are not the writer's to choose."""
    with in_shadow.transaction() as connection:
        beat(connection)
        kept = report(connection, look=due_look(connection), safety="INCONCLUSIVE")
    with pytest.raises(DatabaseRefusedError, match=r"do not pass: safety \(INCONCLUSIVE\)"):
        write(
            in_shadow,
            "INSERT INTO certificates (id, report_id, engine, body, valid_until, previous_hash,"
            " hash) VALUES (1, %s, %s, '{}', 'infinity', '', '')",
            kept,
            ENGINE.version,
        )


def test_certificates_are_chained(in_shadow: Database) -> None:
    first, second = certify(in_shadow), certify(in_shadow)
    assert (first.number, second.number) == (1, 2)
    assert second.valid_until - second.issued_at == timedelta(hours=72)
    assert set(second.gates) == set(proven.GATES)
    past_the_triggers(in_shadow, "UPDATE certificates SET hash = 'x' WHERE id = 1")
    refused(in_shadow, "was changed after it was issued")


@pytest.fixture
def as_worker(in_shadow: Database) -> Iterator[Callable[[str], None]]:
    """Statements by a role that may write every table and owns none."""
    with in_shadow.transaction() as connection:
        connection.execute("DROP ROLE IF EXISTS a_worker")
        connection.execute("CREATE ROLE a_worker")
        connection.execute("GRANT USAGE ON SCHEMA swarm TO a_worker")
        connection.execute(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA swarm TO a_worker"
        )

    def run(statement: str) -> None:
        with in_shadow.transaction() as connection:
            connection.execute("SET LOCAL ROLE a_worker")
            connection.execute(statement.encode())

    yield run
    with in_shadow.transaction() as connection:
        connection.execute("DROP OWNED BY a_worker")
        connection.execute("DROP ROLE a_worker")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE publisher_control SET active = 'swarm', epoch = epoch + 1",
        """DELETE FROM publisher_control;
        INSERT INTO publisher_control (active, epoch, reason, actor) VALUES ('swarm', 0, '', '')""",
        """UPDATE publisher_control SET active = 'none', epoch = 0;
        UPDATE publisher_control SET active = 'swarm'""",
        "DELETE FROM publisher_history; UPDATE publisher_control SET active = 'swarm'",
        "SELECT issue_certificate(1)",
        "SET session_replication_role = replica",
        "ALTER TABLE publisher_control DISABLE TRIGGER ALL",
        """CREATE OR REPLACE FUNCTION swarm.cutover_refusal() RETURNS text LANGUAGE sql
        AS 'SELECT NULL'""",
        """CREATE TEMP TABLE certificates AS SELECT 1 AS id;
        UPDATE swarm.publisher_control SET active = 'swarm'""",
    ],
)
def test_no_statement_of_a_worker_appoints_swarm(
    in_shadow: Database, as_worker: Callable[[str], None], statement: str
) -> None:
    with pytest.raises(DatabaseRefusedError):
        as_worker(statement)
    assert show(in_shadow).control.active is PublisherName.LEGACY


def test_stopping_and_going_back_ask_nobody(
    in_shadow: Database, as_worker: Callable[[str], None]
) -> None:
    as_worker("UPDATE publisher_control SET active = 'none', epoch = epoch + 1")
    as_worker("UPDATE publisher_control SET active = 'legacy', epoch = epoch + 1")


def test_a_fresh_sandbox_is_appointed_without_one_and_only_once(database: Database) -> None:
    appoint_initial(database, PublisherName.SWARM, actor="up", reason="sandbox")
    stop(database, **WHO)
    refused(database, "no cutover certificate")


def test_reports_and_gates_cannot_be_rewritten(in_shadow: Database) -> None:
    certify(in_shadow)
    for table in ("readiness_reports", "gate_results", "certificates", "looks"):
        with pytest.raises(DatabaseRefusedError, match="append-only"):
            write(in_shadow, f"DELETE FROM {table}")


def test_a_reports_hash_is_the_databases(in_shadow: Database) -> None:
    with in_shadow.transaction() as connection:
        kept = report(connection)
        row = connection.execute(
            "SELECT sha256 = encode(sha256(convert_to(body::text, 'UTF8')), 'hex') AS same"
            " FROM readiness_reports WHERE id = %s",
            (kept,),
        ).fetchone()
    assert row == {"same": True}


def test_a_report_from_the_future_is_refused(in_shadow: Database) -> None:
    with (
        pytest.raises(DatabaseRefusedError, match="it says that it was read at"),
        in_shadow.transaction() as connection,
    ):
        later(connection)


def later(connection: Connection) -> None:
    connection.execute(
        "INSERT INTO readiness_reports (engine, window_from, window_to, taken_at, body, sha256)"
        " VALUES ('e', now(), now(), now() + interval '1 hour', %s, '')",
        (Jsonb({}),),
    )
