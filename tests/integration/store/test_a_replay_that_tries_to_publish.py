"""A colleague's replay with Postgres' whole bag of tricks: no row of a publication comes of it.

It holds what a replay holds, the URL of its own role, and knows where the server is.
"""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from parted_roles import Parted, connected, parted_server
from psycopg.conninfo import conninfo_to_dict

from swarm.installation.logins import passwords
from swarm.store import embedded
from swarm.store.database import Connection
from swarm.store.roles import Role, url_as

pytestmark = pytest.mark.integration

KEY = "wo_" + "a" * 24
_LEDGER = (
    "INSERT INTO swarm.publication_ledger (work_order_key, publisher, state, epoch)"
    f" VALUES ('{KEY}', 'swarm', 'PENDING_PAYLOAD', 0)"
)
_REFUSED = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.UndefinedObject,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.FeatureNotSupported,
    psycopg.errors.ObjectNotInPrerequisiteState,
)


@pytest.fixture(scope="module")
def parted() -> Iterator[Parted]:
    with parted_server() as server:
        with server.connect(Role.WORKER) as worker:
            worker.execute(
                "INSERT INTO work_orders (key, original_id, body) VALUES (%s, 'x', '{}')", (KEY,)
            )
            worker.execute("INSERT INTO swarm_jobs (work_order_key) VALUES (%s)", (KEY,))
        yield server


@pytest.fixture
def replay(parted: Parted) -> Iterator[Connection]:
    with parted.connect(Role.REPLAY) as connection:
        yield connection


@pytest.fixture(autouse=True)
def nothing_came_of_it(parted: Parted) -> Iterator[None]:
    yield
    with parted.superuser() as asking:
        for table in ("publication_ledger", "publication_payload", "publication_log",
                      "publisher_history", "certificates", "foreign_writes"):  # fmt: skip
            assert asking.execute(f"SELECT count(*) AS n FROM {table}").fetchone() == {"n": 0}
        control = asking.execute("SELECT active, epoch FROM publisher_control").fetchone()
        assert control == {"active": "none", "epoch": 0}
        assert asking.execute("SELECT state FROM swarm_jobs").fetchone() == {"state": "queued"}


TRICKS = {
    "the row itself": _LEDGER,
    "an update": "UPDATE publication_ledger SET state = 'READY'",
    "a lock on it": "SELECT * FROM publication_ledger FOR UPDATE",
    "a table lock": "DO $$ BEGIN LOCK TABLE publication_ledger IN EXCLUSIVE MODE; END $$",
    "the payload": "INSERT INTO publication_payload (work_order_key) VALUES ('x')",
    "to read the payloads": "SELECT * FROM publication_payload",
    "the publisher": "UPDATE publisher_control SET active = 'swarm'",
    "the history": "INSERT INTO publisher_history VALUES (1, 'swarm', 'x', 'x')",
    "a lease": "INSERT INTO publisher_lease (holder, epoch, lease_until) VALUES ('x', 0, now())",
    "the queue": "UPDATE swarm_jobs SET state = 'done'",
    "the queue, by a merge": "MERGE INTO swarm_jobs j USING (SELECT 1) s ON true"
    " WHEN MATCHED THEN UPDATE SET state = 'done'",
    "the queue, by a CTE": "WITH gone AS (DELETE FROM swarm_jobs RETURNING 1) SELECT * FROM gone",
    "the worker's role": "SET ROLE swarm_worker",
    "the owner's role": "SET ROLE swarm_owner",
    "the superuser's role": "SET ROLE postgres",
    "the superuser's session": "SET SESSION AUTHORIZATION postgres",
    "the worker's session": "SET SESSION AUTHORIZATION 'swarm_worker'",
    "membership": "GRANT swarm_worker TO swarm_replay",
    "rights": "GRANT INSERT ON publication_ledger TO swarm_replay",
    "ownership": "ALTER TABLE publication_ledger OWNER TO swarm_replay",
    "to alter itself": "ALTER ROLE swarm_replay SUPERUSER",
    "another's password": "ALTER ROLE swarm_worker PASSWORD 'x'",
    "a new role": "CREATE ROLE helper LOGIN SUPERUSER",
    "to read passwords": "SELECT rolpassword FROM pg_authid",
    "triggers asleep": "SET session_replication_role = replica",
    "a trigger switched off": "ALTER TABLE comparisons DISABLE TRIGGER ALL",
    "a trigger of its own": "CREATE TRIGGER mine BEFORE INSERT ON comparisons FOR EACH ROW"
    " EXECUTE FUNCTION note_foreign_write()",
    "a rule": "CREATE RULE mine AS ON INSERT TO comparisons DO ALSO " + _LEDGER,
    "a DO block": f"DO $$ BEGIN EXECUTE $x${_LEDGER}$x$; END $$",
    "a function in public": "CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql"
    " SECURITY DEFINER AS 'SELECT clock_timestamp()'",
    "a function in ours": "CREATE FUNCTION swarm.helper() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "a table in public": "CREATE TABLE public.publication_ledger (x int)",
    "a table for a moment": "CREATE TEMPORARY TABLE publication_ledger (x int)",
    "a view": "CREATE VIEW public.mine AS SELECT 1",
    "a schema": "CREATE SCHEMA mine",
    "an extension": "CREATE EXTENSION dblink",
    "another language": "CREATE LANGUAGE plpython3u",
    "a foreign server": "CREATE SERVER mine FOREIGN DATA WRAPPER postgres_fdw",
    "a subscription": "CREATE SUBSCRIPTION mine CONNECTION 'dbname=swarm' PUBLICATION x",
    "an event trigger": "CREATE EVENT TRIGGER mine ON ddl_command_end"
    " EXECUTE FUNCTION stamp_writer()",
    "COPY into the table": "COPY publication_ledger FROM '/etc/passwd'",
    "COPY by a program": "COPY comparisons FROM PROGRAM 'id'",
    "COPY out": "COPY publication_payload TO STDOUT",
    "a file of the server": "SELECT pg_read_file('postgresql.conf')",
    "the rules of access": "SELECT pg_read_file('pg_hba.conf')",
    "a folder of the server": "SELECT pg_ls_dir('.')",
    "the server's settings": "ALTER SYSTEM SET session_preload_libraries = 'x'",
    "a library": "LOAD 'dblink'",
    "a reload": "SELECT pg_reload_conf()",
    "a large object": "SELECT lo_from_bytea(0, 'x')",
    "a large object of a file": "SELECT lo_import('/etc/passwd')",
    "a certificate, by the function of the owner": "SELECT issue_certificate(1)",
    "an end to certificates": "SELECT void_certificates('x', 'y')",
    "the notes of strangers": "DELETE FROM foreign_writes",
    "to become a service": "INSERT INTO service_writers (writer) VALUES ('me')",
    "a report": "INSERT INTO readiness_reports (engine) VALUES ('x')",
    "a gate": "INSERT INTO gate_results VALUES (1, 'safety', 'PASS', '{}')",
    "Dagster's runs": "DELETE FROM public.runs",
    "the graphs": "DELETE FROM langgraph.checkpoints",
}  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS.keys())
def test_it_is_refused(replay: Connection, trick: str) -> None:
    with pytest.raises((*_REFUSED, psycopg.errors.UndefinedTable)) as refused:
        replay.execute(trick)
    if isinstance(refused.value, psycopg.errors.UndefinedTable):
        assert "public.runs" in str(refused.value)  # Dagster was never here


def test_other_paths_lead_to_the_same_tables(replay: Connection) -> None:
    """What a path finds first is decided before rights are asked; rights are asked all the same."""
    for path in ("public", "pg_temp, swarm", "mine, swarm"):
        replay.execute("SELECT set_config('search_path', %s, false)", (path,))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            replay.execute(_LEDGER)


def test_an_upsert_into_its_own_table_reaches_no_other(replay: Connection) -> None:
    statement = (
        "WITH mine AS (INSERT INTO comparisons (work_order_key, engine, origin, body)"
        f" VALUES ('{KEY}', 'x', 'live', '{{}}') RETURNING work_order_key)"
        " INSERT INTO publication_log (work_order_key, fence, event)"
        " SELECT work_order_key, 1, 'sent' FROM mine"
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        replay.execute(statement)
    assert replay.execute("SELECT count(*) AS n FROM comparisons").fetchone() == {"n": 0}


@pytest.mark.parametrize("role", [*(r.value for r in Role if r is not Role.REPLAY), "postgres"])
@pytest.mark.parametrize("password", ["", "postgres", "own"])
def test_nobody_else_is_let_in_over_the_socket(parted: Parted, role: str, password: str) -> None:
    """Neither without a password nor with the replay's own; the system's user proves nothing."""
    own = conninfo_to_dict(parted.logins.url(Role.REPLAY))["password"]
    url = url_as(parted.owner_url, role, str(own) if password == "own" else password)
    with pytest.raises(psycopg.OperationalError):
        connected(url).close()


def test_no_other_database_of_the_server_lets_it_in(parted: Parted) -> None:
    for database in ("postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match=r"pg_hba|permission"):
            psycopg.connect(parted.logins.url(Role.REPLAY), dbname=database).close()


def test_it_does_what_is_its_work(replay: Connection) -> None:
    assert replay.execute("SELECT key FROM work_orders").fetchone() == {"key": KEY}
    with replay.transaction(force_rollback=True):
        replay.execute(
            "INSERT INTO replays (work_order_key, engine, body, writer)"
            " VALUES (%s, 'e', '{}', 'swarm_worker')"
            " ON CONFLICT (work_order_key, engine, pass) DO UPDATE SET body = excluded.body",
            (KEY,),
        )
        written = replay.execute("SELECT writer FROM replays").fetchone()
        assert written == {"writer": "swarm_replay"}


def test_passwords_that_were_lost_are_made_anew_and_the_data_stays(tmp_path: Path) -> None:
    with parted_server() as server:
        with server.connect(Role.WORKER) as worker:
            worker.execute("INSERT INTO alerts (kind, subject, detail) VALUES ('a', 'b', 'c')")
        before = passwords(server.file)
        embedded.stop(server.data)
        url = embedded.start(server.data, logins=passwords(tmp_path / "new.json"))
        again = Parted(server.data, tmp_path / "new.json", url)
        with again.connect(Role.READER) as reader:
            assert reader.execute("SELECT count(*) AS n FROM alerts").fetchone() == {"n": 1}
        for role in (Role.OWNER, Role.WORKER):
            with pytest.raises(psycopg.OperationalError):
                connected(url_as(url, role, before[role])).close()
        with pytest.raises(psycopg.OperationalError):
            connected(url_as(url, embedded.SUPERUSER, "")).close()
