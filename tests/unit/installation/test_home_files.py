"""The folder of an installation: private files, one holder at a time."""

import stat
from pathlib import Path

import pytest

from swarm.errors import RefusedError
from swarm.installation.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


def test_the_key_secret_is_made_once_and_only_its_owner_reads_it(home: Home) -> None:
    secret = home.key_secret()
    assert len(secret) == 64
    assert home.key_secret() == secret
    assert stat.S_IMODE((home.root / "key_secret").stat().st_mode) == 0o600


def test_a_second_supervisor_is_refused_and_told_who_holds_the_home(home: Home) -> None:
    message = r"another `swarm up` \(pid \d+\)"
    with home.locked(), pytest.raises(RefusedError, match=message), home.locked():
        pass


def test_the_lock_is_free_again_afterwards(home: Home) -> None:
    with home.locked():
        pass
    with home.locked():
        pass


def test_the_folder_of_the_sockets_is_closed_to_others(home: Home) -> None:
    assert stat.S_IMODE(home.run.stat().st_mode) == 0o700


def test_a_long_home_gets_a_short_socket_path(tmp_path: Path) -> None:
    deep = Home(tmp_path / ("d" * 60) / ("e" * 60))
    deep.prepare()
    sockets = deep.sockets()
    assert len(str(sockets / "code.sock")) < 100
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    sockets.rmdir()


def test_the_description_is_private(home: Home) -> None:
    home.describe({"SWARM_KEY_SECRET": "x"})
    assert stat.S_IMODE(home.description.stat().st_mode) == 0o600
