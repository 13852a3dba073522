"""Who wrote a row is the database's word: no writer can say it was somebody else."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from parted_roles import Parted, parted_server

from swarm.store import roles, writers
from swarm.store.database import Connection
from swarm.store.roles import Role
from swarm.store.writers import WRITTEN, ForeignWrite, foreign_writers

pytestmark = pytest.mark.integration

KEY = "wo_" + "a" * 24
ORDER = f"INSERT INTO work_orders (key, original_id, body) VALUES ('{KEY}', 'x', '{{}}')"


@pytest.fixture(scope="module")
def server() -> Iterator[Parted]:
    with parted_server() as parted:
        yield parted


@pytest.fixture
def parted(server: Parted) -> Iterator[Parted]:
    yield server
    with server.superuser() as connection:
        connection.execute("TRUNCATE work_orders, foreign_writes, gate_results CASCADE")


@pytest.fixture
def worker(parted: Parted) -> Iterator[Connection]:
    with parted.connect(Role.WORKER) as connection:
        yield connection


def writer_of(connection: Connection) -> str:
    row = connection.execute("SELECT writer FROM work_orders").fetchone()
    assert row is not None
    return str(row["writer"])


def test_a_service_is_stamped_whatever_it_claims(worker: Connection) -> None:
    worker.execute(ORDER)
    assert writer_of(worker) == "swarm_worker"
    worker.execute("UPDATE work_orders SET writer = 'somebody else', tier = 2")
    assert writer_of(worker) == "swarm_worker"
    worker.execute("UPDATE work_orders SET writer = 'before'")
    assert writer_of(worker) == "swarm_worker"
    assert foreign_writers(worker, None) == ()


@pytest.mark.parametrize("hand", ["superuser", "owner"])
def test_a_manual_insert_change_and_removal_are_named(
    parted: Parted, worker: Connection, hand: str
) -> None:
    by_hand = parted.superuser() if hand == "superuser" else parted.connect(Role.OWNER)
    login = "postgres" if hand == "superuser" else "swarm_owner"
    with by_hand:
        by_hand.execute(
            ORDER.replace("body)", "body, writer)").replace("'{}')", "'{}', 'swarm_worker')")
        )
        assert writer_of(worker) == login
        by_hand.execute("UPDATE work_orders SET tier = 2, writer = 'swarm_worker'")
        by_hand.execute("DELETE FROM work_orders")
    (found,) = foreign_writers(worker, None)
    assert found == ForeignWrite(table="work_orders", subject=KEY, writer=login, changes=3)


def test_a_service_that_writes_afterwards_hides_nothing(parted: Parted, worker: Connection) -> None:
    with parted.superuser() as by_hand:
        by_hand.execute(ORDER)
    worker.execute("UPDATE work_orders SET tier = 2")
    assert writer_of(worker) == "swarm_worker"
    assert [found.writer for found in foreign_writers(worker, None)] == ["postgres"]


def test_the_time_of_a_manual_insert_is_the_databases_own(
    parted: Parted, worker: Connection
) -> None:
    """A row that says it is of last year was written now."""
    (row,) = worker.execute("SELECT clock_timestamp() AS now").fetchall()
    with parted.superuser() as by_hand:
        by_hand.execute(ORDER)
        by_hand.execute("UPDATE work_orders SET accepted_at = accepted_at - interval '1 year'")
    assert len(foreign_writers(worker, row["now"])) == 1
    assert foreign_writers(worker, row["now"] + timedelta(hours=1)) == ()


def test_what_was_written_while_the_triggers_slept_shows_by_its_writer(
    parted: Parted, worker: Connection
) -> None:
    with parted.superuser() as by_hand:
        by_hand.execute("SET session_replication_role = replica")
        by_hand.execute(ORDER)
    assert foreign_writers(worker, None) == (
        ForeignWrite(table="work_orders", subject=KEY, writer="postgres", changes=1),
    )


def test_a_migration_of_the_owner_is_no_manual_insert_and_nobody_else_can_say_so(
    parted: Parted, worker: Connection
) -> None:
    worker.execute(ORDER)
    with parted.connect(Role.OWNER) as owner:
        owner.execute("SET swarm.migrating = on")
        owner.execute("UPDATE work_orders SET tier = 2")
    assert foreign_writers(worker, None)[1:] == ()
    with parted.superuser() as by_hand:
        by_hand.execute("SET swarm.migrating = on")
        by_hand.execute("UPDATE work_orders SET tier = 3")
    assert "postgres" in {found.writer for found in foreign_writers(worker, None)}


def test_a_role_that_was_given_a_right_aside_writes_nothing_without_a_note(
    parted: Parted, worker: Connection
) -> None:
    """Nor does the superuser hide behind a service's role."""
    with parted.superuser() as admin:
        admin.execute("GRANT INSERT ON work_orders TO swarm_reader")
        try:
            with parted.connect(Role.READER) as reader:
                reader.execute("SET default_transaction_read_only = off")
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="foreign_writes"):
                    reader.execute(ORDER)
        finally:
            admin.execute("REVOKE INSERT ON work_orders FROM swarm_reader")
        admin.execute("SET ROLE swarm_worker")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="foreign_writes"):
            admin.execute(ORDER)
    assert worker.execute("SELECT count(*) AS n FROM work_orders").fetchone() == {"n": 0}


def test_the_notes_cannot_be_taken_out(parted: Parted) -> None:
    with parted.superuser() as by_hand:
        by_hand.execute(ORDER)
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            by_hand.execute("DELETE FROM foreign_writes")


def test_every_table_a_manual_insert_could_fake_carries_its_writer(worker: Connection) -> None:
    """And both triggers, and names its services as `roles` does."""
    found = worker.execute(
        "SELECT c.relname AS name FROM pg_trigger t"
        " JOIN pg_class c ON c.oid = t.tgrelid WHERE tgname LIKE '%\\_notes\\_others'"
    ).fetchall()
    assert {row["name"] for row in found} == set(WRITTEN)
    (noting,) = worker.execute(
        "SELECT prosrc FROM pg_proc WHERE proname = 'note_foreign_write'"
    ).fetchall()
    for service in roles.SERVICES:
        assert f"'{service}'" in noting["prosrc"]
    assert writers.service_set(worker) == {role.value for role in roles.SERVICES}


def test_every_subject_and_time_is_a_column_of_its_table(worker: Connection) -> None:
    for table, (subject, at) in WRITTEN.items():
        worker.execute(f"SELECT {subject}, {at or 'NULL'} FROM {table}")


def test_with_one_login_that_login_is_the_service_and_another_is_not(
    database_url: str, postgres_server: str
) -> None:
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS a_colleague")
        admin.execute("CREATE ROLE a_colleague LOGIN SUPERUSER")
    with psycopg.connect(database_url, autocommit=True, row_factory=psycopg.rows.dict_row) as one:
        one.execute("SET search_path = swarm")
        one.execute(ORDER)
        assert writer_of(one) == "postgres"
        assert foreign_writers(one, None) == ()
        with psycopg.connect(
            database_url.replace("postgres@", "a_colleague@", 1), autocommit=True
        ) as colleague:
            colleague.execute("UPDATE swarm.work_orders SET tier = 2")
        assert [found.writer for found in foreign_writers(one, None)] == ["a_colleague"]
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute("DROP ROLE a_colleague")
