"""Today's sender goes on, whatever Postgres answers: under its lease, and nothing drafted twice."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from legacy_production import Production, state
from publishing_world import World
from troubled_database import PERMANENT, TRANSIENT, TroubledDatabase

from swarm.publishing.dispatch.round import run_round
from swarm.store.alerts import open_alerts

pytestmark = pytest.mark.integration


@pytest.fixture
def production(world: World, tmp_path: Path) -> Iterator[Production]:
    world.appoint("legacy")
    production = Production(world, tmp_path, database=TroubledDatabase(world.database.url))
    yield production
    production.stop()
    production.database.close()


def trouble(production: Production, state_: str | None, *, at: int | None = None) -> None:
    """From now on every transaction (or the one numbered ``at``) is answered with ``state_``."""
    database = production.database
    assert isinstance(database, TroubledDatabase)
    database.transactions = 0
    database.sqlstate_of = lambda n: state_ if at in {None, n} else None


def test_whatever_postgres_answers_production_goes_on_under_its_lease(
    world: World, production: Production
) -> None:
    for number, sqlstate in enumerate(TRANSIENT + PERMANENT):
        trouble(production, None)
        production.turn()
        trouble(production, sqlstate)
        key = production.decide(number)
        assert production.turn() == 1, sqlstate
        assert len(world.postbox.posts_of(key)) == 1, sqlstate
        trouble(production, None)
        production.turn()
        run_round(world.publisher("swarm"))
        assert state(world, key) == ("legacy", "CONFIRMED"), sqlstate
    assert len(world.postbox.posts) == len(TRANSIENT + PERMANENT)


@pytest.mark.parametrize("sqlstate", ["57014", "42P01"])
@pytest.mark.parametrize("number", range(1, 8))
def test_trouble_at_any_step_of_a_turn_neither_loses_nor_doubles_a_line(
    world: World, production: Production, sqlstate: str, number: int
) -> None:
    production.turn()
    trouble(production, sqlstate, at=number)
    keys = [production.decide(1), production.decide(2)]
    for _ in range(4):
        production.turn()
    for key in keys:
        world.age(key, 400)
    production.turn()
    run_round(world.publisher("swarm"))
    assert [state(world, key) for key in keys] == [("legacy", "CONFIRMED")] * 2
    assert [len(world.postbox.posts_of(key)) for key in keys] == [1, 1]
    assert production.journal.entries() == ()


def test_a_table_that_is_missing_does_not_end_production(
    world: World, production: Production
) -> None:
    """A real 42P01: somebody restores a dump half way."""
    production.turn()
    rename = "ALTER TABLE {} RENAME TO {}"
    world.write(rename.format("publisher_lease", "elsewhere"))
    try:
        key = production.decide(1)
        assert production.turn() == 1
        assert len(world.postbox.posts_of(key)) == 1
    finally:
        world.write(rename.format("elsewhere", "publisher_lease"))
    production.turn()
    assert state(world, key) == ("legacy", "ACCEPTED")


def test_a_right_taken_from_one_table_keeps_one_line_waiting_and_not_those_behind_it(
    world: World, production: Production
) -> None:
    """A real refusal in the middle of a hand-over: the lease goes on, the line waits for it."""
    production.turn()
    world.write(
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE insufficient_privilege; END $$"
    )
    world.write(
        "CREATE TRIGGER no BEFORE INSERT ON publication_payload FOR EACH ROW EXECUTE FUNCTION no()"
    )
    try:
        first, second = production.decide(1), production.decide(2)
        assert production.turn() == 2
        third = production.decide(3)
        assert production.turn() == 1
        assert [len(world.postbox.posts_of(key)) for key in (first, second, third)] == [0, 0, 1]
    finally:
        world.write("DROP FUNCTION no() CASCADE")
    production.turn()
    assert {state(world, key) for key in (first, second, third)} == {("legacy", "ACCEPTED")}
    assert len(world.postbox.posts) == 3


@pytest.mark.parametrize("field", ["schema_version", "reasons"])
def test_a_line_no_column_takes_is_alerted_and_the_next_one_goes_on(
    world: World, production: Production, field: str
) -> None:
    bad = production.decide(1, "I will see my lawyer." if field == "reasons" else "When?")
    if field == "reasons":
        world.write(
            "INSERT INTO publication_ledger (work_order_key, publisher, state, epoch)"
            " VALUES (%s, 'legacy', 'PENDING_PAYLOAD', 2)",
            bad,
        )
    line = json.loads(production.files.outbox.read_bytes())
    line[field] = "1\x00" if field == "schema_version" else ["a\x00b"]
    production.files.outbox.write_text(json.dumps(line) + "\n", "utf-8")
    good = production.decide(2)
    assert production.turn() == 2
    assert world.alerts(bad) == ["publication.stuck"]
    assert state(world, good) == ("legacy", "ACCEPTED")
    with production.files.outbox.open("a", encoding="utf-8") as outbox:
        outbox.write(json.dumps(line) + "\n")
    assert production.turn() == 1
    with world.database.transaction() as connection:
        assert [alert.count for alert in open_alerts(connection)] == [2], "each line is told"
