"""`swarm alerts`: what is wrong, who was told, silence, and the way out tried at a real webhook."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from scripted_server import Answer
from told import Chat, chat
from typer.testing import CliRunner, Result

from swarm.cli.app import app
from swarm.errors import MalformedInputError, RefusedError
from swarm.sandbox import environment as sandbox_environment
from swarm.settings import AlertSettings
from swarm.store import alerts
from swarm.store.alert_kinds import KINDS
from swarm.store.database import Database

pytestmark = pytest.mark.integration

KEY = "wo_rdxnoakeq5clgpjedgqnlplx"


@pytest.fixture
def slack() -> Iterator[Chat]:
    with chat() as running:
        yield running


@pytest.fixture(autouse=True)
def house(tmp_path: Path, database_url: str, slack: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation described by the environment alone."""
    for name, value in sandbox_environment(9).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SWARM_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SWARM_KEY_SECRET", "a secret of tests")
    monkeypatch.setenv("ALERT_SLACK_URL", slack.url.get_secret_value())
    monkeypatch.delenv("SWARM_SANDBOX_URL", raising=False)


def swarm(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["alerts", *arguments], env={"COLUMNS": "80"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def fire(database: Database, kind: str, subject: str = KEY) -> int:
    with database.transaction() as connection:
        alerts.raise_alert(connection, kind, subject, "a sentence of ours " * 9)
        return alerts.open_alerts(connection)[-1].id


def test_a_list_fits_eighty_columns_and_cuts_no_key_and_no_kind(database: Database) -> None:
    for kind in KINDS:
        fire(database, kind)
    said = swarm("list").stdout
    assert max(map(len, said.splitlines())) <= 80
    assert all(kind in said for kind in KINDS)
    assert said.count(KEY) == len(KINDS)
    assert max(map(len, swarm("list", "--kinds").stdout.splitlines())) <= 80


def test_what_is_over_is_listed_only_when_asked_for(database: Database) -> None:
    fire(database, "work_order.dead")
    with database.transaction() as connection:
        alerts.resolve(connection, "work_order.dead", KEY)
    assert "no open alerts" in swarm("list").stdout
    [over] = json.loads(swarm("list", "--all", "--json").stdout)
    assert (over["kind"], over["severity"]) == ("work_order.dead", "page")
    assert over["resolved_at"] is not None


def test_one_alert_is_shown_with_what_it_means_and_what_ends_it(database: Database) -> None:
    number = fire(database, "dagster.sensor_off", "intake")
    said = swarm("show", str(number)).stdout
    assert "What it does for the installation does not happen." in said
    assert "when it is switched on" in said
    assert "docs/alerts.md#dagster.sensor_off" in said
    assert max(map(len, said.splitlines())) <= 80
    with pytest.raises(MalformedInputError):
        swarm("show", "4711")


def test_a_silenced_kind_is_listed_as_silenced_with_who_and_why(database: Database) -> None:
    fire(database, "work_order.held")
    until = swarm(
        "silence", "work_order.held", "--until", "3d", "--reason", "move", "--actor", "jo"
    )
    assert until.exit_code == 0
    assert "silenced" in swarm("list").stdout
    assert "(jo: move)" in swarm("list").stdout
    swarm("silence", "work_order.held", "--until", "0m", "--reason", "done", "--actor", "jo")
    assert "silenced" not in swarm("list").stdout


def test_what_pages_is_silenced_for_a_day_at_most() -> None:
    with pytest.raises(RefusedError, match="24 hours at most"):
        swarm("silence", "work_order.dead", "--until", "25h", "--reason", "x")
    assert swarm("silence", "work_order.dead", "--until", "24h", "--reason", "x").exit_code == 0
    for bad in (["nothing.such", "--until", "1h"], ["queue.backlog", "--until", "soon"]):
        with pytest.raises((RefusedError, MalformedInputError)):
            swarm("silence", *bad, "--reason", "x")
    with pytest.raises(RefusedError, match="needs a reason"):
        swarm("silence", "queue.backlog", "--until", "1h", "--reason", " ")


def test_a_person_ends_only_what_nobody_else_can_see_the_end_of(database: Database) -> None:
    gap, dead = fire(database, "intake.gap", "work_orders:1"), fire(database, "work_order.dead")
    assert swarm("seen", str(gap), "--actor", "ada").exit_code == 0
    assert swarm("seen", str(gap)).exit_code == 1
    with pytest.raises(RefusedError, match="ends by itself, when it is replayed"):
        swarm("seen", str(dead))
    [_, ended] = json.loads(swarm("list", "--all", "--json").stdout)
    assert ended["resolved_by"] == "ada"


def test_a_test_reaches_the_sink_and_a_sink_that_fails_is_said(slack: Chat) -> None:
    assert swarm("test").stdout.strip() == "slack: taken"
    assert slack.said[0].startswith("This is a test of ")
    slack.answer = Answer(status=404, body=b"no_service")
    failed = swarm("test", "--sink", "slack")
    assert failed.exit_code == 2
    assert "telling slack: HTTP 404" in failed.stderr
    assert "hush" not in failed.stderr
    with pytest.raises(RefusedError, match="no sink 'teams'"):
        swarm("test", "--sink", "teams")


def test_times_are_read_as_utc_and_settings_never_show_a_secret(slack: Chat) -> None:
    assert "hush" not in repr(AlertSettings(slack_url=slack.url))
    later = f"{datetime.now(UTC).year + 1}-01-01T09:00"
    said = swarm("silence", "queue.backlog", "--until", later, "--reason", "x").stdout
    assert f"{later[:10]} 09:00 UTC" in said
