"""A pace that all processes of all hosts share, and a wait that a provider asked for."""

import time
from pathlib import Path

import pytest
from chat_model_server import Reply, serving
from psycopg.types.json import Jsonb
from pydantic import SecretStr
from replying import KEY, order, received

from swarm.host_slots import HostSlots
from swarm.settings import ModelSettings
from swarm.specialists.llm import LlmSpecialist
from swarm.specialists.turns import (
    LONGEST_WAIT,
    PATIENCE_OF_A_RUN,
    NoTurnError,
    SharedTurns,
)
from swarm.store.database import Database
from swarm.store.postgres import PostgresStore

pytestmark = pytest.mark.integration

NAME = "openai/m"


def turns(database: Database, folder: Path, per_minute: float | None, most: int = 8) -> SharedTurns:
    return SharedTurns(database, HostSlots(folder, "model", most), per_minute)


@pytest.fixture
def accepted(database: Database) -> None:
    """The mail that is asked about."""
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO work_orders (key, original_id, body) VALUES (%s, %s, %s)",
            (KEY, "line-1", Jsonb(order().model_dump(mode="json"))),
        )


def next_in(database: Database) -> float:
    with database.transaction() as connection:
        row = connection.execute(
            "SELECT extract(epoch FROM next_at - clock_timestamp())::float AS s FROM model_paces"
        ).fetchone()
    return float(row["s"])


def test_two_processes_share_one_pace(database: Database, tmp_path: Path) -> None:
    one, other = turns(database, tmp_path, 120), turns(database, tmp_path, 120)
    began = time.monotonic()
    for each in (one, other, one, other):
        with each.turn(NAME):
            pass
    assert time.monotonic() - began >= 1.5, "four calls at two a second: three waits"


def test_without_a_pace_nobody_waits(database: Database, tmp_path: Path) -> None:
    for _ in range(5):
        with turns(database, tmp_path, None).turn(NAME):
            pass
    assert next_in(database) <= 0


def test_a_turn_further_away_than_anybody_waits_is_taken_from_nobody(
    database: Database, tmp_path: Path
) -> None:
    mine = turns(database, tmp_path, None)
    mine.hold(NAME, LONGEST_WAIT)
    with database.transaction() as connection:
        connection.execute("UPDATE model_paces SET next_at = next_at + interval '5 seconds'")
    before = next_in(database)
    with pytest.raises(NoTurnError), mine.turn(NAME):
        pass
    assert next_in(database) <= before


def test_a_run_gives_its_worker_back_where_a_prefetcher_waits(
    database: Database, tmp_path: Path
) -> None:
    ahead = turns(database, tmp_path, None)
    slots = HostSlots(tmp_path, "model", 8)
    of_a_run = SharedTurns(database, slots, None, patience=PATIENCE_OF_A_RUN)
    ahead.hold(NAME, PATIENCE_OF_A_RUN + 5)
    with pytest.raises(NoTurnError), of_a_run.turn(NAME):
        pass
    ahead.hold(NAME, 0)
    with database.transaction() as connection:
        connection.execute("UPDATE model_paces SET next_at = clock_timestamp() + interval '1 s'")
    with ahead.turn(NAME), of_a_run.turn(NAME):
        pass


@pytest.mark.usefixtures("accepted")
def test_how_long_a_model_took_leaves_the_wait_for_its_turn_out(
    database: Database, tmp_path: Path
) -> None:
    with serving() as model:
        settings = ModelSettings(base_url=model.url, name="m", api_key=SecretStr("x"))
        mine = turns(database, tmp_path, None)
        who = LlmSpecialist(settings, PostgresStore(database), turns=mine)
        mine.hold(f"openai/m at {model.url.split('/')[2]}", 2.0)
        began = time.monotonic()
        who.classify(received())
        assert time.monotonic() - began >= 1.8
        with database.transaction() as connection:
            (row,) = connection.execute("SELECT latency_ms FROM model_calls").fetchall()
    assert row["latency_ms"] < 1500


@pytest.mark.usefixtures("accepted")
def test_a_429_holds_everybody_for_as_long_as_it_asks(database: Database, tmp_path: Path) -> None:
    with serving() as model:
        model.replies.append(Reply(status=429, headers={"Retry-After": "2"}, raw=b"{}"))
        settings = ModelSettings(base_url=model.url, name="m", api_key=SecretStr("x"))
        held: list[float] = []
        who = LlmSpecialist(
            settings, PostgresStore(database), sleep=lambda _: held.append(next_in(database)),
            turns=turns(database, tmp_path, None),
        )  # fmt: skip
        began = time.monotonic()
        who.classify(received())
    assert held
    assert held[0] > 1.5
    assert time.monotonic() - began >= 1.8, "its own second call waited as well"


@pytest.mark.usefixtures("accepted")
def test_waiting_in_vain_says_nothing_against_the_model(database: Database, tmp_path: Path) -> None:
    with serving() as model:
        settings = ModelSettings(base_url=model.url, name="m", api_key=SecretStr("x"))
        mine = turns(database, tmp_path, None)
        store = PostgresStore(database)
        who = LlmSpecialist(settings, store, turns=mine)
        name = f"openai/m at {model.url.split('/')[2]}"
        mine.hold(name, LONGEST_WAIT)
        with database.transaction() as connection:
            connection.execute("UPDATE model_paces SET next_at = next_at + interval '5 seconds'")
        with pytest.raises(NoTurnError):
            who.classify(received())
        assert model.requests == []
        assert store.model_endpoint(name).troubles == 0
