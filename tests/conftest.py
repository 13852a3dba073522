"""What every level shares: one embedded Postgres for the session, a fresh database per test."""

import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from fault_marks import FaultResults

from swarm.store import embedded
from swarm.store.database import Database
from swarm.store.migrate import migrate

# Long by nature: thousands of answers, whole installations, full disks, leases that must run out.
# ``make long`` runs them.
LONG = frozenset(
    {
        "test_a_dead_daemon_wakes_somebody.py",
        "test_a_home_stays_in_its_world.py",
        "test_a_huge_stream.py",
        "test_a_stormy_installation.py",
        "test_backfilling_history.py",
        "test_the_rehearsal.py",
        "test_a_run_that_holds_the_interpreter.py",
        "test_an_odd_shell.py",
        "test_dagster_daemon.py",
        "test_killed_daemons.py",
        "test_erasing_one_customer_among_twenty.py",
        "test_every_button_of_the_ui.py",
        "test_every_program_has_its_own_login.py",
        "test_full_disks.py",
        "test_fuzzed_hook.py",
        "test_fuzzed_mailbox.py",
        "test_fuzzed_monday.py",
        "test_hostile_mail_among_normal_ones.py",
        "test_kill_everything.py",
        "test_killed_watchman.py",
        "test_killed_erasures.py",
        "test_killed_prefetchers.py",
        "test_many_in_hand.py",
        "test_no_sensor_starves.py",
        "test_killed_stages.py",
        "test_nothing_a_mail_contains_takes_a_worker.py",
        "test_patterns_take_linear_time.py",
        "test_planted_breaches.py",
        "test_postgres_restarts.py",
        "test_real_outage.py",
        "test_slots_of_killed_workers.py",
        "test_stopped_pools.py",
        "test_stopped_workers.py",
        "test_trouble_with_postgres.py",
        "test_lone_workers.py",
        "test_redis_as_broker.py",
        "test_a_lost_host.py",
        "test_the_front_door.py",
        "test_no_secret_and_no_mail_where_they_do_not_belong.py",
        "test_told_to_end.py",
        "test_weather.py",
        "test_wrong_clocks.py",
    }
)

os.environ["LANGSMITH_TRACING"] = "false"
os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where ``make faults`` keeps what its run came to."""
    parser.addoption("--fault-results", type=Path, help="write results by number here, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Count by the numbers of docs/faults.md; and be no background job, which ignores SIGINT:
    Dagster, in some of the tests, lets SIGTERM do whatever SIGINT does.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(FaultResults(config.getoption("--fault-results")))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is long, before pytest chooses by marks."""
    for item in items:
        if item.path.name in LONG:
            item.add_marker("long")


@pytest.fixture(autouse=True)
def signals_as_they_were() -> Iterator[None]:
    """A test that leaves SIGTERM ignored or blocked is named here: every process that a later test
    starts would inherit it, and not end when it is asked to.
    """
    yield
    assert signal.getsignal(signal.SIGTERM) is not signal.SIG_IGN, "SIGTERM was left ignored"
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert signal.SIGTERM not in blocked, "SIGTERM was left blocked"


@pytest.fixture(scope="session")
def postgres_directory() -> Iterator[Path]:
    """Data directory of the session's server; removed at the end."""
    data = Path(tempfile.mkdtemp(prefix="swarm-pg-"))
    yield data
    shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(postgres_directory: Path) -> Iterator[str]:
    """URL of a real server, started once; holds a migrated database named ``template_swarm``."""
    url = embedded.start(postgres_directory)
    _trade_durability_for_speed(url)
    template = embedded.create_database(url, "template_swarm")
    migrate(template)
    yield url
    embedded.stop(postgres_directory)


def _trade_durability_for_speed(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            connection.execute(f"ALTER SYSTEM SET {setting}".encode())
        connection.execute("SELECT pg_reload_conf()")


@pytest.fixture
def database_url(postgres_server: str) -> Iterator[str]:
    """URL of a fresh, migrated database of this test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield embedded.create_database(postgres_server, name, template="template_swarm")
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Our pool on the test's own database."""
    database = Database(database_url)
    yield database
    database.close()
