"""What each role may do with each table: Postgres itself is asked, and says no."""

from collections.abc import Iterator

import psycopg
import pytest
from parted_roles import Parted, parted_server

from swarm.store import grants, role_setup, roles
from swarm.store.migrate import migrate
from swarm.store.roles import Role

pytestmark = pytest.mark.integration

_WRITES = ("INSERT", "UPDATE", "DELETE")
_TABLES = """
SELECT relname AS name,
       (SELECT array_agg(attname::text) FROM pg_attribute
         WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns
  FROM pg_class c WHERE relnamespace = 'swarm'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1
"""


@pytest.fixture(scope="module")
def parted() -> Iterator[Parted]:
    with parted_server() as server:
        yield server


def attempt(connection: psycopg.Connection, table: str, column: str, act: str) -> bool:
    """Whether this login has the right: no row is touched, so nothing else stands against it."""
    statements = {
        "INSERT": f"INSERT INTO {table} ({column}) OVERRIDING SYSTEM VALUE SELECT NULL WHERE false",
        "UPDATE": f"UPDATE {table} SET {column} = DEFAULT WHERE false",
        "DELETE": f"DELETE FROM {table} WHERE false",
        "TRUNCATE": f"TRUNCATE {table} CASCADE",
    }
    try:
        connection.execute(statements[act])
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OWNER])
def test_a_role_may_do_with_each_table_what_is_written_down_and_nothing_else(
    parted: Parted, role: Role
) -> None:
    with parted.superuser() as asking:
        tables = {row["name"]: row["columns"] for row in asking.execute(_TABLES)}
    wrong = []
    with parted.connect(role) as connection:
        connection.execute("SET default_transaction_read_only = off")  # anybody may
        for table, columns in tables.items():
            given = roles.rights_on(table)
            for act in (*_WRITES, "TRUNCATE"):
                for column in columns if act in ("INSERT", "UPDATE") else ["*"]:
                    may = any(
                        who is role and what == act and named in ("", column)
                        for named, who, what in given
                    )
                    if attempt(connection, table, column, act) != may:
                        wrong.append(f"{role}: {act} {table}.{column}")
    assert wrong == []


def test_nobody_but_who_must_writes_what_decides() -> None:
    """Written out once more by hand: these are what the whole thing is for."""
    writers = {
        table: {(role, act) for _, role, act in roles.rights_on(table) if act in _WRITES}
        - {(Role.KEEPER, "DELETE")}
        for table in roles.TABLES
    }
    for table in ("replays", "comparisons"):
        assert {role for role, _ in writers[table]} == {Role.REPLAY}
    for table in ("readiness_reports", "gate_results", "looks"):
        assert writers[table] == {(Role.GATES, "INSERT")}
    for table in ("certificates", "certificate_voids", "service_writers", "foreign_writes"):
        assert writers[table] == set()
    for table in ("swarm_jobs", "publication_ledger", "publication_payload", "publication_log",
                  "publisher_control", "publisher_history", "publisher_lease"):  # fmt: skip
        assert {role for role, _ in writers[table]} == {Role.WORKER}
    for table in roles.TABLES:
        assert not any(role is Role.READER for role, _ in writers[table])
        named = table.startswith(("publication_", "publisher_", "certificate"))
        if named:
            assert not any(role is Role.REPLAY for _, role, _ in roles.rights_on(table))


def test_every_table_is_named(parted: Parted) -> None:
    """A table nobody was told of is one that no service may touch."""
    with parted.connect(Role.OWNER) as connection:
        assert grants.unnamed_tables(connection) == ()


def unguarded_functions(connection: psycopg.Connection) -> list[str]:
    """Functions with the owner's rights that anybody could call, or that a path could mislead."""
    found = connection.execute(
        "SELECT proname AS name, prorettype = 'trigger'::regtype AS fires, proconfig AS set"
        " FROM pg_proc WHERE pronamespace = 'swarm'::regnamespace AND prosecdef"
    ).fetchall()
    return [
        each["name"]
        for each in found
        if not (each["fires"] or each["name"] in roles.FUNCTIONS)
        or each["set"] != ["search_path=swarm, pg_temp"]
    ]


def test_every_function_with_the_owners_rights_is_named_or_a_trigger_and_keeps_its_path(
    parted: Parted,
) -> None:
    with parted.connect(Role.OWNER) as owner:
        assert unguarded_functions(owner) == []
        owner.execute(
            "CREATE FUNCTION publish_it() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'"
        )
        try:
            assert unguarded_functions(owner) == ["publish_it"]
            migrate(parted.owner_url)
            for role in (Role.REPLAY, Role.WORKER):
                with (
                    parted.connect(role) as caller,
                    pytest.raises(psycopg.errors.InsufficientPrivilege),
                ):
                    caller.execute("SELECT publish_it()")
        finally:
            owner.execute("DROP FUNCTION publish_it")


def test_laying_down_again_changes_nothing_and_what_was_changed_is_mended(parted: Parted) -> None:
    question = "SELECT oid, relacl::text FROM pg_class WHERE relacl IS NOT NULL ORDER BY oid"
    with parted.superuser() as connection:
        before = connection.execute(question).fetchall()
        migrate(parted.owner_url)
        assert connection.execute(question).fetchall() == before
        connection.execute("GRANT INSERT ON comparisons TO swarm_worker, PUBLIC")
        connection.execute("GRANT UPDATE (state) ON publication_ledger TO swarm_replay")
        connection.execute("REVOKE SELECT ON work_orders FROM swarm_replay")
        with parted.connect(Role.OWNER) as asking:
            said = role_setup.problems(asking)
        assert set(said) == {
            "missing: swarm_replay: SELECT on swarm.work_orders",
            "too much: PUBLIC: INSERT on swarm.comparisons",
            "too much: swarm_replay: UPDATE (state) on swarm.publication_ledger",
            "too much: swarm_worker: INSERT on swarm.comparisons",
        }
        migrate(parted.owner_url)
        with parted.connect(Role.OWNER) as asking:
            assert role_setup.problems(asking) == ()


@pytest.mark.parametrize(
    ("damage", "repair", "said"),
    [
        ("ALTER ROLE swarm_replay SUPERUSER", "ALTER ROLE swarm_replay NOSUPERUSER",
         "swarm_replay is a superuser"),
        ("GRANT swarm_worker TO swarm_replay", "REVOKE swarm_worker FROM swarm_replay",
         "swarm_replay is a member of another role"),
        ("CREATE TABLE swarm.more (x int)", "DROP TABLE swarm.more", "more belongs to postgres"),
        ("GRANT TEMPORARY ON DATABASE swarm TO PUBLIC", "REVOKE ALL ON DATABASE swarm FROM PUBLIC",
         "swarm_replay may make temporary tables"),
    ],
)  # fmt: skip
def test_what_would_let_a_role_do_more_is_said(
    parted: Parted, damage: str, repair: str, said: str
) -> None:
    with parted.superuser() as connection:
        connection.execute(damage)
        try:
            with parted.connect(Role.GATES) as asking:
                assert said in role_setup.problems(asking)
        finally:
            connection.execute(repair)
    with parted.connect(Role.GATES) as asking:
        assert role_setup.problems(asking) == ()


def test_a_table_nobody_named_belongs_to_nobody_and_is_told(parted: Parted) -> None:
    with parted.connect(Role.OWNER) as owner:
        owner.execute("CREATE TABLE forgotten (work_order_key text)")
        try:
            migrate(parted.owner_url)
            assert "nobody was told who may use the table forgotten" in role_setup.problems(owner)
            with (
                parted.connect(Role.WORKER) as worker,
                pytest.raises(psycopg.errors.InsufficientPrivilege),
            ):
                worker.execute("SELECT * FROM forgotten")
        finally:
            owner.execute("DROP TABLE forgotten")


def test_people_may_read_and_their_transactions_are_read_only(parted: Parted) -> None:
    with parted.connect(Role.READER) as reader:
        assert reader.execute("SELECT count(*) AS n FROM work_orders").fetchone() == {"n": 0}
        shown = reader.execute("SHOW default_transaction_read_only").fetchone()
        assert shown == {"default_transaction_read_only": "on"}
        reader.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("INSERT INTO swarm_jobs (work_order_key) VALUES ('x')")


def test_a_look_cannot_be_planned_backwards(parted: Parted) -> None:
    with parted.connect(Role.GATES) as gates:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            gates.execute(
                "INSERT INTO looks (at, planned_at, actor)"
                " VALUES (now(), now() - interval '1 d', 'me')"
            )
        gates.execute("INSERT INTO looks (at, actor) VALUES (now() + interval '1 h', 'me')")


def test_the_keeper_may_rewrite_what_an_erasure_emptied_and_the_worker_is_told_that_it_may_not(
    parted: Parted,
) -> None:
    """Postgres does not refuse: it warns, and leaves the table as it was."""
    for role, said in ((Role.KEEPER, []), (Role.WORKER, ["permission denied"])):
        warned: list[str] = []
        with parted.connect(role) as connection:
            connection.add_notice_handler(lambda n, to=warned: to.append(n.message_primary or ""))
            connection.execute("VACUUM (FULL) work_orders")
        assert [each[:17] for each in warned] == said
