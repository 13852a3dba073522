"""Real processes: forked from one that has the code, and no different from executed ones."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from process_memory import knows

from swarm.errors import TransientError
from swarm.up.kinship import adopt_orphans, bury_orphans
from swarm.up.processes import Program, python, started_at
from swarm.up.supervisor import Supervisor

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux")

WAIT = 20.0
_SUBREAPER = 36
TELLS = """
import json, os, sys
from pathlib import Path
print(json.dumps({
    "arguments": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd(),
    "parent": os.getppid(), "leader": os.getsid(0) == os.getpid(), "nice": os.nice(0),
    "loaded": "shelve" in sys.modules, "title": Path("/proc/self/cmdline").read_text(),
}), flush=True)
import time
time.sleep(60)
"""


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


@dataclass
class House:
    """A folder with a supervisor, a fork server that has loaded ``shelve``, and modules to run."""

    folder: Path
    supervisor: Supervisor

    @property
    def socket(self) -> Path:
        return self.folder / "fork.sock"

    def module(self, name: str, code: str) -> None:
        (self.folder / f"{name}.py").write_text(code)

    def server(self) -> Program:
        return Program(
            "fork-server",
            python("swarm.up.fork_server", str(self.socket), "loads:all_of_it"),
            {"PATH": os.environ["PATH"], "PYTHONPATH": str(self.folder)},
            ready=self.socket.exists,
            foundation=True,
        )

    def program(self, name: str, *arguments: str, **environment: str) -> Program:
        given = {"PATH": os.environ["PATH"], **environment}
        return Program(name, python(name, *arguments), given, fork_from=self.socket, niceness=3)

    def pid(self, name: str) -> int:
        return int((self.folder / f"{name}.pid").read_text().split()[0])

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path, Supervisor(tmp_path, tmp_path))
    house.module("loads", "def all_of_it():\n    import shelve")
    house.module("tells", TELLS)
    house.module("sleeps", "import time; time.sleep(60)")
    adopt_orphans()
    house.supervisor.start(house.server())
    house.supervisor.wait_ready("fork-server", WAIT, lambda: None)
    yield house
    house.supervisor.stop_all()
    ctypes.CDLL(None).prctl(_SUBREAPER, 0, 0, 0, 0)


def test_it_is_what_executing_it_would_have_made_with_the_code_already_there(house: House) -> None:
    house.supervisor.start(house.program("tells", "one", "two words", A="b"))
    until(lambda: house.said("tells"))
    told = json.loads(house.said("tells"))
    assert told["arguments"] == ["one", "two words"]
    assert told["environment"] == {"PATH": os.environ["PATH"], "A": "b"}
    assert told["folder"] == str(house.folder / "work")
    assert told["parent"] == os.getpid()
    assert told["leader"]
    assert told["nice"] == os.nice(0) + 3
    assert told["loaded"]
    assert told["title"].startswith("tells one two words")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise SystemExit(3)", "exited with code 3"),
        ("raise ValueError('what it was')", "exited with code 1"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "was killed by SIGKILL"),
    ],
)
def test_its_end_is_noticed_and_told_like_any_other(house: House, code: str, words: str) -> None:
    house.module("ends", code)
    house.supervisor.start(house.program("ends"))
    deaths: list[str] = []
    until(lambda: deaths.extend(d.how for d in house.supervisor.poll()) or deaths)
    assert deaths[0] == words
    if "ValueError" in code:
        assert "what it was" in house.said("ends")


def test_what_ends_in_order_has_run_what_it_wanted_to_run_at_its_end(house: House) -> None:
    house.module("leaves", "import atexit; atexit.register(print, 'last words'); print('first')")
    house.supervisor.start(house.program("leaves"))
    until(house.supervisor.poll)
    assert house.said("leaves").split("\n")[:2] == ["first", "last words"]


def test_no_program_inherits_what_another_was_told(house: House) -> None:
    secret = {"login": "a-login-of-its-own-" * 3}
    house.supervisor.start(house.program("tells", PASSWORD=secret["login"]))
    until(lambda: house.said("tells"))
    house.supervisor.start(house.program("sleeps"))
    for name in ("sleeps", "fork-server"):
        assert knows(house.pid(name), secret) == set(), name
    assert knows(house.pid("tells"), secret) == {"login"}, "it can be found"


def test_a_server_that_is_killed_takes_no_program_along_and_starts_the_next_when_it_is_back(
    house: House,
) -> None:
    house.supervisor.start(house.program("sleeps"))
    first = house.pid("sleeps")
    os.kill(house.pid("fork-server"), signal.SIGKILL)
    house.supervisor.start(house.program("tells"))  # before the server is back: asked again
    until(lambda: [d.name for d in house.supervisor.poll()] == ["fork-server"])
    assert started_at(first) is not None
    until(lambda: house.supervisor.poll() == () and (house.folder / "tells.pid").exists())
    assert house.pid("sleeps") == first
    assert {child.deaths for child in house.supervisor.children if child.program.fork_from} == {0}


def test_one_that_runs_once_is_waited_for_while_others_are_looked_after(house: House) -> None:
    house.module("ends", "raise SystemExit(7)")
    house.supervisor.start(house.program("sleeps"))
    os.kill(house.pid("fork-server"), signal.SIGKILL)
    deaths: list[str] = []

    def look() -> None:
        deaths.extend(death.name for death in house.supervisor.poll())

    assert house.supervisor.run(house.program("ends"), WAIT, look) == 7
    assert deaths == ["fork-server"]
    assert not (house.folder / "ends.pid").exists()


def children() -> set[int]:
    """The numbers of this process's children; other tests may have left it some."""
    mine = str(os.getpid())
    stats = {int(p.name): p / "stat" for p in Path("/proc").iterdir() if p.name.isdigit()}
    return {pid for pid, stat in stats.items() if parent_in(stat) == mine}


def parent_in(stat: Path) -> str | None:
    with suppress(OSError):
        return stat.read_text().rpartition(")")[2].split()[1]
    return None


def test_one_that_runs_once_and_does_not_end_is_ended(house: House) -> None:
    others = children() - {house.pid("fork-server")}
    with pytest.raises(TransientError, match=r"sleeps has not ended after 0.5 s.*sleeps\.log"):
        house.supervisor.run(house.program("sleeps"), 0.5, lambda: None)
    assert not (house.folder / "sleeps.pid").exists()
    assert children() - others == {house.pid("fork-server")}
    house.supervisor.stop_all()
    assert children() == others


def test_whoever_collected_its_end_it_has_ended(house: House) -> None:
    house.module("ends", "pass")
    house.supervisor.start(house.program("ends"))
    os.waitpid(house.pid("ends"), 0)
    assert [d.name for d in house.supervisor.poll()] == ["ends"]


@pytest.mark.parametrize("said", [b"", b"{", b"null\n", b'{"module": 1}\n'])
def test_a_request_that_is_none_ends_alone(house: House, said: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as stranger, Path(os.devnull).open("rb") as log:
        stranger.connect(str(house.socket))
        if said:
            socket.send_fds(stranger, [said], [log.fileno()])
            stranger.shutdown(socket.SHUT_WR)
    house.supervisor.start(house.program("tells"))
    until(lambda: house.said("tells"))


def test_a_program_nobody_waited_for_does_not_run(house: House, tmp_path: Path) -> None:
    house.module("marks", f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    request = (
        b'{"module": "marks", "arguments": [], "environment": {}, "niceness": 0, "folder": "'
        + str(tmp_path).encode()
        + b'"}\n'
    )
    with socket.socket(socket.AF_UNIX) as hasty, Path(os.devnull).open("wb") as log:
        hasty.connect(str(house.socket))
        socket.send_fds(hasty, [request], [log.fileno()])
        pid = int(hasty.recv(20))
    until(lambda: started_at(pid) is None)
    bury_orphans()
    assert not (tmp_path / "ran").exists()


def test_orphans_are_collected_but_for_those_somebody_waits_for(house: House) -> None:
    until(lambda: not house.supervisor.poll())
    known = subprocess.Popen([sys.executable, "-c", "pass"])
    os.waitid(os.P_PID, known.pid, os.WEXITED | os.WNOWAIT)
    bury_orphans(frozenset([known.pid]))
    assert known.wait() == 0
    bury_orphans(house.supervisor.pids)
    assert house.supervisor.poll() == ()


def test_no_forked_program_outlives_its_supervisor(tmp_path: Path) -> None:
    (tmp_path / "loads.py").write_text("def all_of_it(): pass")
    (tmp_path / "sleeps.py").write_text("import time; time.sleep(60)")
    code = f"""
import os, time
from pathlib import Path
from swarm.up.kinship import adopt_orphans
from swarm.up.processes import Program, python
from swarm.up.supervisor import Supervisor
folder = Path({str(tmp_path)!r})
adopt_orphans()
supervisor = Supervisor(folder, folder)
server = python("swarm.up.fork_server", str(folder / "fork.sock"), "loads:all_of_it")
given = {{"PATH": os.environ["PATH"], "PYTHONPATH": str(folder)}}
supervisor.start(Program("fork-server", server, given, ready=(folder / "fork.sock").exists))
supervisor.wait_ready("fork-server", 20, lambda: None)
supervisor.start(Program("sleeps", python("sleeps"), given, fork_from=folder / "fork.sock"))
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", code])
    pid_file = tmp_path / "sleeps.pid"
    until(lambda: pid_file.exists() and len(pid_file.read_text().split()) == 2)
    pids = [int((tmp_path / f"{n}.pid").read_text().split()[0]) for n in ("sleeps", "fork-server")]
    parent.kill()
    parent.wait()
    until(lambda: not any(started_at(pid) for pid in pids))
