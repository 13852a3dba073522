"""A log never grows for ever, and whoever writes it notices nothing."""

import sys
from pathlib import Path

import pytest

from swarm.installation.home import Home
from swarm.up import logs
from swarm.up.processes import Program, spawn


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


def test_a_program_that_talks_for_ever_keeps_two_halves_at_most(home: Home) -> None:
    log = home.logs / "talker.log"
    talk = "for n in range(3000): print(f'line {n}', flush=True)"
    process = spawn(
        Program("talker", (sys.executable, "-c", talk), {}), log, home.run / "talker.pid"
    )
    turned = 0
    while process.poll() is None:
        turned += len(logs.keep_bounded(home, most_bytes=2000))
    assert process.returncode == 0
    turned += len(logs.keep_bounded(home, most_bytes=2000))
    assert turned
    older = home.logs / "talker.log.1"
    assert "\0" not in log.read_text(), "the writer went on at the new end"
    assert log.stat().st_size <= 2000
    assert older.stat().st_mode & 0o077 == 0
    assert "line " in older.read_text()


def test_a_small_log_is_left_alone(home: Home) -> None:
    log = home.logs / "quiet.log"
    log.write_text("one line\n")
    assert logs.keep_bounded(home) == ()
    assert log.read_text() == "one line\n"
    assert not (home.logs / "quiet.log.1").exists()


def test_the_server_s_own_log_is_bounded_as_well(home: Home) -> None:
    home.postgres.mkdir()
    (home.postgres / "log").write_text("x" * 100)
    assert logs.keep_bounded(home, most_bytes=50) == ("log",)
    assert (home.postgres / "log").read_text() == ""


def test_on_a_full_disk_the_bound_stays_and_the_older_half_goes(home: Home) -> None:
    log = home.logs / "talker.log"
    log.write_text("x" * 100)
    (home.logs / "talker.log.1").mkdir()  # what cannot be written, like a file on a full disk
    assert logs.keep_bounded(home, most_bytes=50) == ("talker.log",)
    assert log.read_text() == ""
