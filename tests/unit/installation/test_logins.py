"""Passwords are made once and kept closed; each role's URL is the same database."""

import json
import stat
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from swarm.errors import ConfigurationError
from swarm.installation import logins
from swarm.store.roles import Role, url_as


def test_passwords_are_made_once_and_one_for_each(tmp_path: Path) -> None:
    file = tmp_path / "logins.json"
    made = logins.passwords(file)
    assert set(made) == {"postgres", *(role.value for role in Role)}
    assert len(set(made.values())) == len(made)
    assert min(map(len, made.values())) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert logins.passwords(file) == made


def test_a_role_that_came_later_gets_a_password_and_the_others_keep_theirs(tmp_path: Path) -> None:
    file = tmp_path / "logins.json"
    file.write_text(json.dumps({"swarm_worker": "kept"}))
    assert logins.passwords(file)["swarm_worker"] == "kept"
    assert len(logins.passwords(file)) == len(Role) + 1


def test_a_file_that_cannot_be_read_is_named_and_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "logins.json"
    file.write_text("{ half")
    with pytest.raises(ConfigurationError, match=r"logins\.json cannot be read"):
        logins.passwords(file)
    assert file.read_text() == "{ half"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://postgres@/swarm?host=/tmp/a%20b",
        "postgresql://app:p%40ss@db:5432/swarm?sslmode=require",
        "postgresql:///swarm",
        "postgresql://app@[::1]:5432/swarm",
    ],
)
def test_another_login_reaches_the_same_place(url: str) -> None:
    seen = urlsplit(url_as(url, "swarm_replay", "p@s/s:w?#"))
    assert (seen.username, unquote(seen.password or "")) == ("swarm_replay", "p@s/s:w?#")
    before = urlsplit(url)
    assert seen.path == before.path
    assert (seen.query, seen.hostname) == (before.query, before.hostname)


def test_of_the_users_environment_what_is_not_named_is_the_one_login() -> None:
    one = logins.of_user({"DATABASE_URL": "postgres://app:p@db/swarm"})
    assert {one.url(role) for role in Role} == {"postgresql://app:p@db/swarm"}
    assert one.variables(Role.REPLAY, Role.GATES) == {}
    two = logins.of_user(
        {"DATABASE_URL": "postgres://w:p@db/s", "REPLAY_DATABASE_URL": "postgres://r:p@db/s"}
    )
    assert two.url(Role.REPLAY) == "postgresql://r:p@db/s"
    assert two.variables(Role.REPLAY, Role.GATES) == {
        "REPLAY_DATABASE_URL": "postgresql://r:p@db/s"
    }
    assert two.url(Role.OWNER) == "postgresql://w:p@db/s"
