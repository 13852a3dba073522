"""The watchman killed, its sinks and database away: told twice at most, nothing lost (T58)."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from scripted_server import Answer, Asked
from told import DOWN, OK, Chat, chat
from watchman_process import WatchmanProcess, until

from swarm.errors import SwarmError
from swarm.store import alerts, embedded
from swarm.store.database import Database
from swarm.store.migrate import migrate

pytestmark = pytest.mark.faults

DEAD = "A work order gave up: wo_a"


@pytest.fixture
def slack() -> Iterator[Chat]:
    with chat() as running:
        yield running


@pytest.fixture
def pager() -> Iterator[Chat]:
    with chat() as running:
        yield running


@contextmanager
def watchman(home: Path, url: str, slack: Chat, **more: str) -> Iterator[WatchmanProcess]:
    secret = {"ALERT_SLACK_URL": slack.url.get_secret_value(), **more}
    running = WatchmanProcess(home, url, secret)
    running.start()
    try:
        yield running
    finally:
        if running.process is not None and running.process.poll() is None:
            running.kill()


def fire(database: Database, subject: str = "wo_a") -> None:
    with database.transaction() as connection:
        alerts.raise_alert(connection, "work_order.dead", subject, "d")


def end(database: Database, subject: str = "wo_a") -> None:
    with database.transaction() as connection:
        alerts.resolve(connection, "work_order.dead", subject)


def told(database: Database) -> dict[str, int]:
    with database.transaction() as connection:
        rows = connection.execute("SELECT sink, told FROM alert_deliveries").fetchall()
    return {row["sink"]: row["told"] for row in rows}


def told_of(database: Database) -> list[str]:
    with database.transaction() as connection:
        rows = connection.execute(
            "SELECT a.subject FROM alert_deliveries d JOIN alerts a ON a.id = d.alert_id"
            " WHERE d.told > 0 ORDER BY 1"
        ).fetchall()
    return [row["subject"] for row in rows]


def test_killed_between_the_post_and_its_mark_it_tells_twice_and_the_pager_knows_one_incident(
    database: Database, tmp_path: Path, slack: Chat, pager: Chat
) -> None:
    events = {"ALERT_EVENTS_URL": pager.url.get_secret_value(), "ALERT_EVENTS_KEY": "routing-key"}
    with watchman(tmp_path, database.url, slack, **events) as running:

        def die(_asked: Asked) -> Answer:
            """It has come, and nobody lives to note it."""
            assert running.process is not None
            os.kill(running.process.pid, signal.SIGKILL)
            running.process.wait(10)
            return OK

        pager.server.script = die
        fire(database)
        until(lambda: running.process and running.process.poll() is not None, "killed")
        assert told(database).get("events", 0) == 0
        pager.server.script = pager.respond
        running.start()
        until(lambda: told(database) == {"slack": 1, "events": 1}, "told again")
        end(database)
        until(lambda: len(pager.bodies) == 3, "its end told")
    assert [body["event_action"] for body in pager.bodies] == ["trigger", "trigger", "resolve"]
    assert len({body["dedup_key"] for body in pager.bodies}) == 1
    assert 1 <= slack.said.count(DEAD) <= 2


def test_an_outage_of_a_sink_is_outlived_by_every_alert_and_by_a_restart(
    database: Database, tmp_path: Path, slack: Chat
) -> None:
    slack.answer = DOWN
    with watchman(tmp_path, database.url, slack) as running:
        fire(database, "wo_a")
        until(lambda: slack.bodies, "tried")
        fire(database, "wo_b")
        assert running.stop() == 0
        running.start()
        fire(database, "wo_c")
        until(lambda: len(slack.bodies) >= 2, "tried again")
        slack.answer, tried = OK, len(slack.bodies)
        until(lambda: told_of(database) == ["wo_a", "wo_b", "wo_c"], "all told")
        said = [text for text in slack.said[tried:] if text.startswith("A work order")]
    assert sorted(said) == [f"A work order gave up: wo_{letter}" for letter in "abc"]
    assert "hush" not in running.log.read_text()


def test_a_sink_is_let_go_when_the_watchman_is_told_to_stop(
    database: Database, tmp_path: Path, slack: Chat
) -> None:
    with watchman(tmp_path, database.url, slack) as running:
        fire(database)
        until(lambda: slack.said == [DEAD], "told")
        assert running.stop() == 0
    with database.transaction() as connection:
        row = connection.execute("SELECT holder FROM alert_sinks WHERE sink = 'slack'").fetchone()
    assert row == {"holder": None}


@pytest.fixture
def own_server() -> Iterator[tuple[Path, str]]:
    """A Postgres of this test's own, to be stopped."""
    data = Path(tempfile.mkdtemp(prefix="swarm-pg-"))
    url = embedded.create_database(embedded.start(data), "own")
    migrate(url)
    yield data, url
    with suppress(SwarmError):  # it may be stopped already
        embedded.stop(data)
    shutil.rmtree(data, ignore_errors=True)


def test_the_database_away_is_told_from_memory_once_and_its_return_aloud(
    own_server: tuple[Path, str], tmp_path: Path, slack: Chat
) -> None:
    """Killed meanwhile as well: a file remembers who knows of the outage."""
    data, url = own_server
    home = tmp_path / "home"
    with watchman(home, url, slack) as running, closing(Database(url)) as database:
        fire(database)
        until(lambda: slack.said == [DEAD], "told")
        database.close()
        embedded.stop(data)
        remembered = home / "run" / "outage.json"
        until(lambda: remembered.exists() and "slack" in remembered.read_text(), "the outage told")
        assert len(slack.said) == 2
        running.kill()
        running.start()
        with pytest.raises(AssertionError):
            until(lambda: len(slack.said) > 2, "told twice", seconds=20)
        embedded.start(data)
        until(lambda: len(slack.said) == 3, "its end told")
    away = slack.said[1]
    assert away.startswith("The database is away: ")
    assert slack.said[2] == f"Over: {away}"
    until(lambda: not remembered.exists(), "forgotten")


def test_the_heartbeat_stops_when_the_way_out_is_broken_and_comes_back(
    database: Database, tmp_path: Path, slack: Chat, pager: Chat
) -> None:
    """``pager`` plays the outside that misses the heartbeat."""
    beats = pager.server.asked
    beat = {"ALERT_HEARTBEAT_URL": pager.url.get_secret_value(), "ALERT_HEARTBEAT_SECONDS": "1"}
    with watchman(tmp_path, database.url, slack, **beat):
        until(lambda: len(beats) >= 2, "beats")
        slack.answer = Answer(status=404, body=b"no_service")
        fire(database)
        until(lambda: slack.bodies, "tried")
        with database.transaction() as connection:
            connection.execute("UPDATE alert_sinks SET failing_since = now() - interval '5 min'")
        before = len(beats)
        with pytest.raises(AssertionError):
            until(lambda: len(beats) > before + 1, "no beat", seconds=6)
        slack.answer = OK
        until(lambda: len(beats) > before + 1, "beats again")
    assert {asked.method for asked in beats} == {"GET"}
