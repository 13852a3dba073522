"""Every trouble the watchman looks for is found when it is made, told once, and ends by itself."""

import json
import socket
import threading
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from told import Chat, Make, Told

from swarm.installation.program_deaths import ProgramDeaths, deaths_file, write_deaths
from swarm.observe.dagster_names import SCHEDULES, SENSORS
from swarm.sandbox import environment as sandbox_environment
from swarm.settings import AlertSettings, Settings, load_settings
from swarm.store import alerts
from swarm.store.database import Database
from swarm.watchman.watches import Watches

pytestmark = pytest.mark.integration

# What Dagster keeps, as far as it is looked at; `tests/acceptance` asks the real one.
_DAGSTERS_TABLES = """
CREATE TABLE public.daemon_heartbeats (daemon_type text UNIQUE, timestamp timestamp NOT NULL);
CREATE TABLE public.instigators (selector_id text UNIQUE, status text, instigator_type text,
                                 instigator_body text);
CREATE TABLE public.job_ticks (selector_id text, status text, timestamp timestamp);
"""


@dataclass
class Watchman:
    """Watches with a clock of the test's, and the alerts they lead to at a real webhook."""

    told: Told
    watches: Watches
    home: Path
    slack: Chat
    settings: Settings

    @property
    def database(self) -> Database:
        return self.told.database

    def look(self, **later: float) -> list[str]:
        """Let time pass with a look every few seconds; returns what was told by its end."""
        until = self.told.now + timedelta(**later)
        while True:
            self.watches.turn()
            if self.told.now >= until:
                break
            self.told.now = min(self.told.now + timedelta(seconds=20), until)
        self.told.deliver()
        return self.slack.said

    def sql(self, statement: str, *values: object) -> None:
        with self.database.transaction() as connection:
            connection.execute(statement.encode(), values)


@pytest.fixture
def man(
    make: Make, database: Database, slack: Chat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Watchman:
    for name, value in sandbox_environment(9).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SWARM_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database.url)
    monkeypatch.setenv("SWARM_KEY_SECRET", "a secret of tests")
    monkeypatch.setenv("UI_URL", "https://ui.test")  # behind somebody's proxy: not ours to ask
    for folder in ("run", "intake", "dagster", "legacy"):
        (tmp_path / folder).mkdir()
    told = make(database, AlertSettings(slack_url=slack.url))
    settings = load_settings()
    watches = Watches(database, settings, ["slack"], clock=lambda: told.now)
    return Watchman(told, watches, tmp_path, slack, settings)


def dagster(man: Watchman) -> None:
    """Let Dagster have worked until this moment."""
    man.sql(_DAGSTERS_TABLES)
    for loop in ("SENSOR", "SCHEDULER", "QUEUED_RUN_COORDINATOR"):
        man.sql("INSERT INTO public.daemon_heartbeats VALUES (%s, now() AT TIME ZONE 'UTC')", loop)
    for name in (*SENSORS, *SCHEDULES):
        body = json.dumps({"origin": {"instigator_name": name}})
        man.sql(
            "INSERT INTO public.instigators VALUES (%s, 'DECLARED_IN_CODE', 'SENSOR', %s)",
            name, body,
        )  # fmt: skip
        tick(man, name, "SKIPPED")


def tick(man: Watchman, name: str, status: str, seconds_ago: float = 0) -> None:
    man.sql(
        "INSERT INTO public.job_ticks VALUES (%s, %s, (now() - make_interval(secs => %s))"
        " AT TIME ZONE 'UTC')",
        name, status, seconds_ago,
    )  # fmt: skip


def ago(man: Watchman, table: str, seconds: float, where: str = "true") -> None:
    man.sql(
        f"UPDATE public.{table} SET timestamp = timestamp - make_interval(secs => %s)"
        f" WHERE {where}",
        seconds,
    )


SILENT = "Dagster's daemon is silent: dagster-daemon"


def test_where_all_is_well_nothing_is_told(man: Watchman) -> None:
    dagster(man)
    assert man.look(minutes=5) == []


def test_a_dead_daemon_is_told_once_and_not_its_sensors_as_well(man: Watchman) -> None:
    dagster(man)
    ago(man, "daemon_heartbeats", 76)
    ago(man, "job_ticks", 300)
    assert man.look(seconds=40) == [], "a restart is no trouble"
    assert man.look(seconds=40) == [SILENT]
    assert man.look(minutes=5) == [SILENT]
    man.sql("UPDATE public.daemon_heartbeats SET timestamp = now() AT TIME ZONE 'UTC'")
    man.sql("UPDATE public.job_ticks SET timestamp = now() AT TIME ZONE 'UTC'")
    assert man.look(seconds=5) == [SILENT, f"Over: {SILENT}"]


def test_one_loop_of_the_daemon_that_hangs_is_told(man: Watchman) -> None:
    dagster(man)
    ago(man, "daemon_heartbeats", 100, "daemon_type = 'SENSOR'")
    assert man.look(seconds=80) == [SILENT]
    assert "sensor: last beat" in str(man.slack.bodies[0])


@pytest.mark.parametrize("name", ["intake", "reaper", "cutover_watch"])
def test_a_sensor_that_was_switched_off_is_told_and_ends_when_it_is_on(
    man: Watchman, name: str
) -> None:
    dagster(man)
    man.sql("UPDATE public.instigators SET status = 'STOPPED' WHERE selector_id = %s", name)
    off = f"A sensor or schedule was switched off: {name}"
    assert man.look(seconds=30) == [off]
    man.sql("UPDATE public.instigators SET status = 'RUNNING'")
    assert man.look(seconds=5) == [off, f"Over: {off}"]


def test_a_sensor_nobody_asks_is_told(man: Watchman) -> None:
    dagster(man)
    ago(man, "job_ticks", 100, "selector_id = 'intake'")
    assert man.look(seconds=80) == ["A sensor is not asked any more: intake"]


def test_a_sensor_that_only_fails_is_told_until_it_succeeds(man: Watchman) -> None:
    dagster(man)
    for seconds in (3, 2, 1):
        tick(man, "reaper", "FAILURE", -seconds)
    failing = "A sensor fails every time: reaper"
    assert man.look(seconds=80) == [failing]
    tick(man, "reaper", "SKIPPED", -9)
    assert man.look(seconds=5) == [failing, f"Over: {failing}"]


@pytest.fixture
def code_socket(man: Watchman) -> Path:
    path = man.home / "c.sock"
    lines = f"load_from:\n  - grpc_server:\n      socket: {json.dumps(str(path))}\n"
    (man.home / "dagster" / "workspace.yaml").write_text(lines)
    return path


def test_a_code_server_that_is_away_or_only_accepts_is_told(
    man: Watchman, code_socket: Path
) -> None:
    """A stopped process accepts connections for as long as the kernel has room."""
    dagster(man)
    gone = "The code server does not answer: code-server"
    assert man.look(seconds=80) == [gone]
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(code_socket))
        server.listen()

        def answer() -> None:
            connection, _ = server.accept()
            with closing(connection):
                connection.recv(64)
                connection.sendall(bytes(9))

        answering = threading.Thread(target=answer)
        answering.start()
        assert man.look(seconds=0) == [gone, f"Over: {gone}"]
        answering.join(5)


def test_a_program_that_dies_again_and_again_is_told_until_it_lives(man: Watchman) -> None:
    died = ProgramDeaths(
        name="publisher", deaths=4, last="exited with code 1", died_at=man.told.now
    )
    write_deaths(deaths_file(man.home / "run"), [died])
    assert man.look() == []
    more = died.model_copy(update={"deaths": 5})
    write_deaths(deaths_file(man.home / "run"), [more])
    dies = "A program dies again and again: publisher"
    assert man.look() == [dies]
    assert "exited with code 1, 5 times in a row" in str(man.slack.bodies[0])
    assert man.look(seconds=120) == [dies, f"Over: {dies}"]


def test_a_stream_nobody_reads_on_is_told_and_one_that_is_read_is_not(man: Watchman) -> None:
    stream = man.home / "intake" / "work_orders.jsonl"
    stream.write_bytes(b"{}\n" * 10)
    lag = "New mail is not taken in: work_orders"
    assert man.look(seconds=100) == []
    man.sql(
        "INSERT INTO intake_offset (stream, generation, byte_offset, marker_sha256, prefix_length,"
        " prefix_sha256, lines, size_seen, device, inode) VALUES ('work_orders', 1, 3, '', 0, '',"
        " 1, 3, 0, 0)"
    )
    assert man.look(seconds=100) == [], "somebody read on, if slowly"
    assert man.look(seconds=40) == [lag]
    man.sql("UPDATE intake_offset SET byte_offset = 30")
    assert man.look() == [lag, f"Over: {lag}"]
    with stream.open("ab") as file:
        file.write(b"half a line")
    assert man.look(seconds=200) == [lag, f"Over: {lag}"], "the intake itself tells of that"


def runs(man: Watchman, outcome: str, number: int) -> None:
    for _ in range(number):
        man.sql(
            "INSERT INTO workflow_runs (run_id, work_order_key, attempt, token, finished_at,"
            " outcome) SELECT gen_random_uuid()::text, 'wo_x', 1, coalesce(max(token), 0) + 1,"
            " now(), %s FROM workflow_runs",
            outcome,
        )


def test_many_failed_runs_are_told_until_most_succeed(man: Watchman) -> None:
    with man.database.transaction() as connection:
        connection.execute("SET session_replication_role = replica")
        drop = "ALTER TABLE workflow_runs DROP CONSTRAINT workflow_runs_work_order_key_fkey"
        connection.execute(drop)
    runs(man, "failed", 4)
    assert man.look() == []
    runs(man, "failed", 1)
    many = "Many runs fail: runs"
    assert man.look() == [many]
    assert "5 of 5 runs" in str(man.slack.bodies[0])
    runs(man, "published", 6)
    assert man.look() == [many, f"Over: {many}"]


def test_a_sink_that_fails_for_long_is_told_by_the_others(
    man: Watchman, make: Make, slack: Chat
) -> None:
    man.told.fire("work_order.held", "wo_a")
    man.told.deliver()
    man.sql(
        "UPDATE alert_sinks SET failing_since = %s, last_error = 'telling slack: HTTP 404'",
        man.told.now - timedelta(minutes=6),
    )
    man.watches.turn()
    with man.database.transaction() as connection:
        [_, failing] = alerts.open_alerts(connection)
    assert (failing.kind, failing.subject) == ("alerts.sink_failing", "slack")


def test_a_failed_look_ends_no_alert(man: Watchman) -> None:
    dagster(man)
    ago(man, "daemon_heartbeats", 76)
    assert man.look(seconds=80) == [SILENT]
    man.sql("ALTER TABLE public.instigators RENAME TO elsewhere")
    assert man.look(seconds=40) == [SILENT]


@pytest.mark.parametrize("kind", ["work_order.held", "legacy.outcome_revised", "publication.held"])
def test_an_alert_about_a_mail_ends_when_a_person_has_answered(man: Watchman, kind: str) -> None:
    man.told.fire(kind, "wo_aaaaaaaaaaaaaaaaaaaaaaaa")
    assert len(man.look()) == 1
    man.sql(
        "INSERT INTO reply_outcomes (work_order_key, origin, act, look_at, changed_at)"
        " VALUES ('wo_aaaaaaaaaaaaaaaaaaaaaaaa', 'live', 'answered_otherwise', now(), now())"
    )
    [_, over] = man.look(seconds=5)
    assert over.startswith("Over: ")
    assert "an answer in the mailbox" in str(man.slack.bodies[-1])
