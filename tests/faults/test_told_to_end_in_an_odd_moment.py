"""`swarm up` told to end when it is hard to: its signals blocked by whoever started it, its home of
a name that is not ASCII, the keeper of its Postgres dead and unable to start; a worker hung up on.
"""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from installation import pid_of, running_up

from swarm.store.postmaster import server_of
from swarm.up.programs import any_free_port

pytestmark = pytest.mark.faults


@contextmanager
def blocked(*numbers: signal.Signals) -> Iterator[None]:
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)


@contextmanager
def up() -> Iterator[tuple[Path, "subprocess.Popen[bytes]"]]:
    folder = Path(tempfile.mkdtemp(prefix="swarm-odd-end-"))
    options = ("--no-samples", "--port", str(any_free_port()))
    with running_up(folder / "Ärger & Söhne", folder / "up.log", *options) as process:
        yield folder / "Ärger & Söhne", process
    shutil.rmtree(folder, ignore_errors=True)


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def ends(process: "subprocess.Popen[bytes]", home: Path) -> bool:
    """Whether it ends as asked and leaves no server."""
    process.terminate()
    return process.wait(60) == 0 and server_of(home / "postgres") is None


def is_another(home: Path, program: str, before: int) -> bool:
    with suppress(OSError, IndexError):  # between the two
        return pid_of(home, program) != before
    return False


@pytest.mark.fault("T62")
def test_whoever_started_it_may_block_its_signals() -> None:
    with blocked(signal.SIGTERM, signal.SIGINT), up() as (home, process):
        assert "the server died" not in (home / "logs" / "postgres.log").read_text("utf-8")
        assert ends(process, home)


@pytest.mark.fault("T62")
def test_no_server_is_left_when_its_keeper_cannot_start() -> None:
    with up() as (home, process):
        (home / "database_logins.json").write_text("{")
        keeper = pid_of(home, "postgres")
        subprocess.run(["kill", "-9", str(keeper)], check=True)
        log = home / "logs" / "postgres.log"
        wait_for(lambda: "database_logins.json" in log.read_text("utf-8"))
        assert ends(process, home)


@pytest.mark.fault("T62")
def test_a_worker_hung_up_on_is_another_a_moment_later() -> None:
    with up() as (home, process):
        before = pid_of(home, "workers")
        subprocess.run(["kill", "-HUP", str(before)], check=True)
        wait_for(lambda: is_another(home, "workers", before))
        assert process.poll() is None
        assert "can't open file" not in (home / "logs" / "workers.log").read_text("utf-8")
