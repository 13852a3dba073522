"""Fixtures of the publication tests: one database for the session, emptied before every test.

A database of its own costs each test a second on a busy machine; emptying these tables costs a
fiftieth of that.
"""

from collections.abc import Iterator

import psycopg
import pytest
from postbox import Postbox
from publishing_world import World

from swarm.store import embedded
from swarm.store.database import Database

_EMPTY = """
TRUNCATE publication_ledger, publication_payload, publication_log, publisher_history,
         publisher_lease, switch_wish, legacy_proof, legacy_decommission, alerts, escalations,
         reply_outcomes, legacy_outcomes, intake_line, intake_offset, quarantine,
         work_orders CASCADE;
TRUNCATE history_orders, history_imports, danger_labels, replays, replay_plan, replay_model_calls,
         comparisons, tombstone, erasure CASCADE;
TRUNCATE verdicts, installation_places;
TRUNCATE engine_heartbeats, looks, readiness_reports, gate_results, certificates,
         certificate_voids, cutover_watch, rollback_drills CASCADE;
UPDATE publisher_control SET active = 'none', epoch = 0, reason = 'test', actor = 'test';
"""


@pytest.fixture(scope="session")
def ledger_url(postgres_server: str) -> Iterator[str]:
    """URL of the one migrated database of these tests."""
    yield embedded.create_database(postgres_server, "publications", template="template_swarm")
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute('DROP DATABASE IF EXISTS "publications" WITH (FORCE)')


@pytest.fixture
def database(ledger_url: str) -> Iterator[Database]:
    """Our pool on an empty ledger with nobody appointed."""
    database = Database(ledger_url)
    with database.transaction() as connection:
        connection.execute(_EMPTY)
    yield database
    database.close()


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    """A Catch Hook and its mailbox."""
    with Postbox() as box:
        yield box


@pytest.fixture
def world(database: Database, postbox: Postbox) -> World:
    """A ledger in which the swarm may publish."""
    world = World(database, postbox)
    world.appoint("swarm")
    return world
