"""Real small child processes: restarted when they die, stopped in order, never left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from swarm.errors import TransientError
from swarm.installation.program_deaths import deaths_file, read_deaths
from swarm.process_identity import is_stopped
from swarm.up.processes import Program, started_at, sweep
from swarm.up.supervisor import Supervisor, describe_exit

SLEEPER = "import time; time.sleep(60)"
WAIT = 10.0


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def program(name: str, code: str = SLEEPER, **settings: object) -> Program:
    return Program(name, (sys.executable, "-c", code), dict(os.environ), **settings)  # type: ignore[arg-type]


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path, tmp_path)
    yield supervisor
    supervisor.stop_all()


def pid_of(supervisor: Supervisor, name: str) -> int:
    process = next(c.process for c in supervisor.children if c.program.name == name)
    assert process is not None
    return process.pid


def test_a_killed_child_is_reported_and_started_again(supervisor: Supervisor) -> None:
    supervisor.start(program("a"))
    first = pid_of(supervisor, "a")
    os.kill(first, signal.SIGKILL)
    deaths: list[str] = []
    until(lambda: deaths.extend(map(str, supervisor.poll())) or deaths)
    assert deaths == ["a was killed by SIGKILL; starting it again in 0.5 s"]
    until(lambda: supervisor.poll() or supervisor.children[0].running)
    assert pid_of(supervisor, "a") != first
    assert supervisor.children[0].deaths == 1


def test_deaths_in_a_row_are_left_in_a_file_for_whoever_tells_of_them(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    supervisor.start(program("dies", "raise SystemExit(3)"))
    supervisor.start(program("lives"))
    until(lambda: supervisor.poll() and supervisor.children[0].deaths == 2)
    assert list(read_deaths(deaths_file(tmp_path))) == ["dies"]
    died = read_deaths(deaths_file(tmp_path))["dies"]
    assert (died.deaths, died.last) == (2, "exited with code 3")


def test_a_child_that_stands_still_is_killed_with_its_own_and_started_again(
    tmp_path: Path,
) -> None:
    now = [0.0]
    supervisor = Supervisor(tmp_path, tmp_path, clock=lambda: now[0])
    supervisor.start(program("a"))
    first = pid_of(supervisor, "a")
    os.kill(first, signal.SIGSTOP)
    until(lambda: is_stopped(first))
    assert supervisor.poll() == ()
    now[0] = 9.0
    assert supervisor.poll() == ()
    now[0] = 11.0
    deaths: list[str] = []
    until(lambda: deaths.extend(map(str, supervisor.poll())) or deaths)
    assert deaths == ["a was stopped for more than 10 s and killed; starting it again in 0.5 s"]
    now[0] = 12.0
    supervisor.poll()
    assert pid_of(supervisor, "a") != first
    supervisor.stop_all()


def test_a_child_that_went_on_in_time_is_left_alone(tmp_path: Path) -> None:
    now = [0.0]
    supervisor = Supervisor(tmp_path, tmp_path, clock=lambda: now[0])
    supervisor.start(program("a"))
    first = pid_of(supervisor, "a")
    for turn in range(3):
        now[0] = 9.0 * turn
        os.kill(first, signal.SIGSTOP)
        until(lambda: is_stopped(first))
        assert supervisor.poll() == ()
        os.kill(first, signal.SIGCONT)
        until(lambda: not is_stopped(first))
        assert supervisor.poll() == ()
    assert pid_of(supervisor, "a") == first
    supervisor.stop_all()


def test_a_child_that_keeps_dying_waits_longer_each_time(tmp_path: Path) -> None:
    now = [0.0]
    supervisor = Supervisor(tmp_path, tmp_path, clock=lambda: now[0])
    supervisor.start(program("a", "raise SystemExit(3)"))
    delays = []
    for _ in range(4):
        deaths: list[float] = []
        until(lambda seen=deaths: seen.extend(d.delay for d in supervisor.poll()) or seen)
        delays += deaths
        now[0] += deaths[0]
    assert delays == [0.5, 1.0, 2.0, 4.0]
    supervisor.stop_all()


def test_what_a_dead_child_had_started_does_not_go_on_alone(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    note = tmp_path / "grandchild"
    code = (
        "import subprocess, sys, time, pathlib;"
        f"p = subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]);"
        f"pathlib.Path({str(note)!r}).write_text(str(p.pid)); time.sleep(60)"
    )
    supervisor.start(program("a", code))
    until(lambda: note.exists() and note.read_text())
    grandchild = int(note.read_text())
    os.kill(pid_of(supervisor, "a"), signal.SIGKILL)
    until(supervisor.poll)
    until(lambda: started_at(grandchild) is None)


def test_foundations_are_stopped_after_those_that_lean_on_them(tmp_path: Path) -> None:
    ended = tmp_path / "ended"

    def noting(name: str) -> str:
        return (
            "import signal, sys, time\n"
            "def stop(*_):\n"
            f"    open({str(ended)!r}, 'a').write('{name} ')\n"
            "    sys.exit(0)\n"
            "signal.signal(signal.SIGTERM, stop)\n"
            f"open({str(tmp_path / name)!r}, 'w').close()\n"
            "time.sleep(60)"
        )

    supervisor = Supervisor(tmp_path, tmp_path)
    supervisor.start(program("base", noting("base"), foundation=True))
    supervisor.start(program("leaning", noting("leaning")))
    until(lambda: (tmp_path / "base").exists() and (tmp_path / "leaning").exists())
    supervisor.stop_all()
    assert ended.read_text().split() == ["leaning", "base"]
    assert not list(tmp_path.glob("*.pid"))


def test_a_child_that_ignores_the_request_is_killed_after_its_grace(tmp_path: Path) -> None:
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"open({str(tmp_path / 'up')!r}, 'w').close(); time.sleep(60)"
    )
    supervisor = Supervisor(tmp_path, tmp_path)
    supervisor.start(program("a", stubborn, stop_seconds=0.2))
    until((tmp_path / "up").exists)
    pid = pid_of(supervisor, "a")
    supervisor.stop_all()
    assert started_at(pid) is None


def test_not_ready_in_time_names_the_program_and_its_log(supervisor: Supervisor) -> None:
    supervisor.start(program("a", ready=lambda: False))
    with pytest.raises(TransientError, match=r"a was not ready after 0.1 s.*a\.log"):
        supervisor.wait_ready("a", 0.1, lambda: None)


def test_no_orphan_is_left_when_the_supervisor_itself_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, sys, time; from pathlib import Path;"
        "from swarm.up.supervisor import Supervisor; from swarm.up.processes import Program;"
        f"s = Supervisor(Path({str(tmp_path)!r}), Path({str(tmp_path)!r}));"
        f"s.start(Program('a', (sys.executable, '-c', {SLEEPER!r}), dict(os.environ)));"
        "time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    pid_file = tmp_path / "a.pid"
    until(lambda: pid_file.exists() and len(pid_file.read_text().split()) == 2)
    child = int(pid_file.read_text().split()[0])
    until(lambda: b"leash" not in Path(f"/proc/{child}/cmdline").read_bytes())
    parent.kill()
    parent.wait()
    until(lambda: started_at(child) is None)


def test_a_child_of_a_background_job_is_asked_to_end_like_any_other(tmp_path: Path) -> None:
    """A script's shell lets its background jobs ignore SIGINT; Dagster then ignores SIGTERM too."""
    note = tmp_path / "note"
    told = (
        "import signal, sys; from pathlib import Path; usual = (signal.default_int_handler,"
        " signal.SIG_DFL) == tuple(map(signal.getsignal, (signal.SIGINT, signal.SIGTERM)));"
        " Path(sys.argv[1]).write_text(f'{usual} {signal.pthread_sigmask(0, ())}')"
    )
    code = (
        "import os, signal, sys; from pathlib import Path;"
        "from swarm.up.supervisor import Supervisor; from swarm.up.processes import Program;"
        "signal.signal(signal.SIGINT, signal.SIG_IGN);"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]);"
        f"s = Supervisor(Path({str(tmp_path)!r}), Path({str(tmp_path)!r}));"
        f"s.start(Program('a', (sys.executable, '-c', {told!r}, {str(note)!r}), dict(os.environ)));"
        "s.children[0].process.wait()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert note.read_text() == "True set()"


def test_a_sweep_ends_what_was_left_and_spares_a_stranger_with_a_reused_pid(
    tmp_path: Path,
) -> None:
    # Not before it runs, and with signals of its own: what this process ignores or blocks is
    # inherited, and a sweep cannot tell.
    own = (
        "import signal; signal.pthread_sigmask(signal.SIG_SETMASK, ());"
        " signal.signal(signal.SIGTERM, signal.SIG_DFL); print('up', flush=True);"
    )
    left = subprocess.Popen(
        [sys.executable, "-c", f"{own} {SLEEPER}"],
        start_new_session=True,
        stdout=subprocess.PIPE,
    )
    assert left.stdout is not None
    with left.stdout:
        assert left.stdout.readline()
    stranger = subprocess.Popen([sys.executable, "-c", SLEEPER], start_new_session=True)
    (tmp_path / "left.pid").write_text(f"{left.pid} {started_at(left.pid)}")
    (tmp_path / "stranger.pid").write_text(f"{stranger.pid} 12345")
    # A generous grace: the claim is how it ends, and a loaded machine may let 5 s pass.
    assert sweep(tmp_path, grace=60) == ("left",)
    assert left.wait(WAIT) == -signal.SIGTERM
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
    assert not list(tmp_path.glob("*.pid"))


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "exited with code 0"), (-9, "was killed by SIGKILL"), (-99, "was killed by signal 99")],
)
def test_an_exit_is_told_in_words(code: int, words: str) -> None:
    assert describe_exit(code) == words
