"""The embedded Postgres under its keeper: real server, real kills."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from swarm.store.postmaster import server_of
from swarm.up.processes import started_at

pytestmark = pytest.mark.integration


def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="swarm-keeper-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def command_of(folder: Path) -> list[str]:
    named = (str(folder / name) for name in ("data", "url", "logins"))
    return [sys.executable, "-m", "swarm.up.postgres_keeper", *named]


def started(folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command_of(folder), env={**os.environ}, stderr=log)


@pytest.fixture
def keeper(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = started(folder)
    until((folder / "url").exists)
    yield process
    process.terminate()
    process.wait(30)


def server_pid(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def answers(folder: Path) -> bool:
    try:
        url = (folder / "url").read_text()
        with psycopg.connect(url, connect_timeout=2) as connection:
            return connection.execute("SELECT 1").fetchone() is not None
    except (OSError, psycopg.OperationalError):
        return False


def test_a_killed_server_is_back_with_its_data(
    folder: Path, keeper: subprocess.Popen[bytes]
) -> None:
    url = (folder / "url").read_text()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    first = server_pid(folder)
    os.kill(first, signal.SIGKILL)
    until(lambda: keeper.poll() is not None or (answers(folder) and server_pid(folder) != first))
    assert keeper.poll() is None
    assert (folder / "url").read_text() == url
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_the_server_ends_with_its_keeper(folder: Path, keeper: subprocess.Popen[bytes]) -> None:
    server = server_pid(folder)
    keeper.terminate()
    assert keeper.wait(30) == 0
    assert started_at(server) is None
    assert not (folder / "url").exists()


@pytest.mark.parametrize("after", [0.3, 0.8, 1.5])
def test_told_to_end_while_the_server_starts_nothing_is_left(folder: Path, after: float) -> None:
    keeper = started(folder)
    time.sleep(after)
    keeper.terminate()
    assert keeper.wait(30) in (0, -signal.SIGTERM)
    try:
        assert started_at(server_pid(folder)) is None
    except FileNotFoundError:
        return  # it had not begun, or is down again


def test_a_server_that_cannot_start_ends_its_keeper_with_the_reason(folder: Path) -> None:
    (folder / "data").write_text("no folder")
    assert started(folder).wait(30) not in (0, None)
    assert "FileExistsError" in (folder / "log").read_text()


def test_a_home_of_any_name_keeps_its_server_and_ends_with_it(folder: Path) -> None:
    home = folder / "Müller & Söhne"
    home.mkdir()
    keeper = started(home)
    until((home / "url").exists)
    time.sleep(1.5)
    assert "the server died" not in (home / "log").read_text()
    server = server_pid(home)
    keeper.terminate()
    assert keeper.wait(30) == 0
    assert started_at(server) is None


def test_a_number_that_is_a_strangers_by_now_is_no_server(folder: Path) -> None:
    keeper = started(folder)
    until((folder / "url").exists)
    keeper.kill()
    keeper.wait()
    os.kill(server_pid(folder), signal.SIGKILL)
    until(lambda: server_of(folder / "data") is None)
    file = folder / "data" / "postmaster.pid"
    file.write_bytes(b"%d\n" % os.getpid() + file.read_bytes().split(b"\n", 1)[1])
    (folder / "url").unlink()
    keeper = started(folder)
    until(lambda: answers(folder))
    keeper.terminate()
    assert keeper.wait(30) == 0
    assert "trust" not in (folder / "data" / "pg_hba.conf").read_text()


@pytest.mark.parametrize("after", [0.3, 0.5, 0.7])
def test_killed_while_the_folder_is_made_the_next_start_makes_it_anew(
    folder: Path, after: float
) -> None:
    keeper = subprocess.Popen(command_of(folder), start_new_session=True)
    time.sleep(after)
    os.killpg(keeper.pid, signal.SIGKILL)
    keeper.wait()
    again = started(folder)
    until(lambda: again.poll() is not None or answers(folder))
    again.terminate()
    assert again.wait(30) == 0
    assert not [*folder.glob("data.unfinished-*")]


def test_told_to_end_right_after_the_server_died_the_keeper_ends_at_once(folder: Path) -> None:
    keeper = started(folder)
    until((folder / "url").exists)
    began = time.monotonic()
    os.kill(server_pid(folder), signal.SIGKILL)
    keeper.terminate()
    assert keeper.wait(30) == 0
    assert time.monotonic() - began < 10
    assert server_of(folder / "data") is None


def test_a_start_whose_keeper_was_killed_leaves_no_server(folder: Path) -> None:
    keeper = started(folder)
    until((folder / "data" / "log").exists)  # the server is being started
    keeper.kill()
    keeper.wait()
    time.sleep(4)
    assert server_of(folder / "data") is None
