"""``swarm database``: what an administrator runs, and whether it came true."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from parted_roles import Parted, connected, parted_server
from typer.testing import CliRunner, Result

from swarm.cli.app import app
from swarm.errors import ConfigurationError
from swarm.store import embedded
from swarm.store.roles import Role

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def parted() -> Iterator[Parted]:
    with parted_server() as server:
        yield server


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARM_HOME", str(tmp_path))
    for name in ("DATABASE_URL", "OWNER_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)


def swarm(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["database", *arguments], env={"COLUMNS": "200"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_the_roles_are_told_without_a_database() -> None:
    said = swarm("roles").stdout
    assert all(role.value in said for role in Role)
    assert json.loads(swarm("roles", "--json").stdout)["problems"] is None


def test_what_needs_a_database_says_so() -> None:
    for command in (["roles", "--check"], ["migrate"], ["url"]):
        with pytest.raises(ConfigurationError, match="no installation runs"):
            swarm(*command)


def test_with_one_login_the_check_says_what_is_not_proven(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    answer = swarm("roles", "--check", "--json")
    assert answer.exit_code == 1
    (problem,) = json.loads(answer.stdout)["problems"]
    assert "one login does everything" in problem


def test_an_administrators_script_parts_a_database_that_has_lived_by_one_login(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a database of one's own: rows are in it, the roles come later, by the printed SQL."""
    with parted_server() as server:
        admin = server.superuser_url.replace("/swarm?", "/postgres?", 1)
        theirs = embedded.create_database(admin, "theirs")
        monkeypatch.setenv("DATABASE_URL", theirs)
        assert "0055_writers.sql" in swarm("migrate").stdout
        with connected(theirs) as connection:
            connection.execute("INSERT INTO alerts (kind, subject, detail) VALUES ('a', 'b', 'c')")
            for _ in range(2):  # again changes nothing
                connection.execute(swarm("roles", "--sql").stdout)
        assert "up to date" in swarm("migrate").stdout
        answer = swarm("roles", "--check")
        assert (answer.exit_code, answer.stdout.strip()) == (
            1, "this program logs in as postgres, which is none of the roles",
        )  # fmt: skip
        # This server lets the roles into its own database alone: sessions begin as the superuser.
        with connected(theirs) as connection:
            connection.execute("SET ROLE swarm_replay")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT * FROM alerts")
            connection.execute("SET ROLE swarm_worker")
            assert connection.execute("SELECT count(*) AS n FROM alerts").fetchone() == {"n": 1}


def test_every_role_checks_out_by_its_own_login(
    parted: Parted, monkeypatch: pytest.MonkeyPatch
) -> None:
    for role in Role:
        monkeypatch.setenv("DATABASE_URL", parted.logins.url(role))
        assert swarm("roles", "--check").exit_code == 0


def test_a_url_is_printed_where_the_passwords_are_kept(
    parted: Parted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", parted.logins.url(Role.WORKER))
    with pytest.raises(ConfigurationError, match="not kept here"):
        swarm("url")
    (tmp_path / "database_logins.json").write_bytes(parted.file.read_bytes())
    for arguments, login in (((), "swarm_reader"), (("--role", "swarm_owner"), "swarm_owner")):
        with psycopg.connect(swarm("url", *arguments).stdout.strip()) as connection:
            assert connection.execute("SELECT session_user").fetchone() == (login,)
