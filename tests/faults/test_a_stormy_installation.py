"""One whole installation: its programs die one by one and all at once, its sensors are turned off.

A restart of the machine is the last thing that happens to it. Mail goes on coming, each is drafted
once, and the audit is clean. What lives elsewhere: faults mixed at random (``tests/weather``).
"""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from correspondent import write_to_us
from dagster_ui import REPOSITORY, DagsterUI
from installation import SWARM, Running, environment, pid_of

from swarm.sandbox.remote import SandboxControl
from swarm.up.processes import started_at
from swarm.up.programs import any_free_port

pytestmark = pytest.mark.faults

PATIENCE = 300.0
_CURSOR = """
mutation SetCursor($sensorSelector: SensorSelector!, $cursor: String) {
  setSensorCursor(sensorSelector: $sensorSelector, cursor: $cursor) { __typename }
}"""
_DRAFTED = "SELECT count(*) FROM swarm.work_orders WHERE state = 'published'"
_ORDERS = "SELECT count(*) FROM swarm.work_orders"


class Storm:
    """The installation, and the mails that were written to it so far."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home, self.log = folder, folder / "home", folder / "up.log"
        self.port, self.written, self.ups = any_free_port(), 0, 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.ups += 1
        options = ["--no-samples", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*SWARM, "up", *options], env=environment(self.home), stdout=log, stderr=log
            )
        wait(lambda: self.log.read_text().count("up after") >= self.ups, "swarm up", self)
        self.running = Running(self.home, self.port)

    def stop(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(90)

    def control(self) -> SandboxControl:
        port = (self.home / "sandbox" / "port").read_text("ascii").strip()
        return SandboxControl(f"http://127.0.0.1:{port}")

    def pid(self, name: str) -> int:
        return pid_of(self.home, name)

    def pids(self) -> dict[str, int]:
        return {each.stem: self.pid(each.stem) for each in (self.home / "run").glob("*.pid")}

    def write(self, mails: int = 1) -> None:
        with closing(self.control()) as control:
            write_to_us(control, range(self.written, self.written + mails))
        self.written += mails

    def all_drafted(self) -> bool:
        return self.running.count(_DRAFTED) == self.written


def wait(condition: Callable[[], object], what: str, storm: Storm | None = None) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        said = storm.log.read_text()[-2000:] if storm and storm.log.exists() else ""
        assert time.monotonic() < deadline, f"waited too long for {what}\n{said}"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def storm() -> Iterator[Storm]:
    folder = Path(tempfile.mkdtemp(prefix="swarm-storm-"))
    storm = Storm(folder)
    storm.start()
    yield storm
    storm.stop()
    shutil.rmtree(folder, ignore_errors=True)


def _same(before: dict[str, int], after: dict[str, int]) -> set[str]:
    return {name for name in before if name != "postgres" and after.get(name) == before[name]}


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.fault("T16")
def test_without_a_webserver_mails_are_drafted(storm: Storm) -> None:
    """Killed whenever it is back, for as long as it takes."""
    done = threading.Event()

    def keep_killing() -> None:
        while not done.is_set():
            with suppress(OSError, ValueError, IndexError):
                kill(storm.pid("webserver"))
            done.wait(0.2)

    killer = threading.Thread(target=keep_killing)
    killer.start()
    try:
        storm.write(2)
        wait(storm.all_drafted, "the drafts", storm)
    finally:
        done.set()
        killer.join()


@pytest.mark.fault("T17")
def test_a_daemon_that_stands_still_is_replaced_and_told(storm: Storm) -> None:
    stopped = storm.pid("dagster-daemon")
    os.kill(stopped, signal.SIGSTOP)
    storm.write()
    wait(storm.all_drafted, "the draft", storm)
    assert storm.pid("dagster-daemon") != stopped
    assert not started_at(stopped)
    assert "dagster-daemon was stopped for more than" in storm.log.read_text()


@pytest.mark.fault("T55")
def test_a_sensor_switched_off_and_on_and_a_cursor_reset_neither_double_nor_lose(
    storm: Storm,
) -> None:
    """Toggled in the middle of whatever it submits; its cursor is for people to look at."""
    wait(lambda: ui_answers(storm), "the UI", storm)
    with closing(DagsterUI(storm.port)) as ui:
        for turn in range(4):
            storm.write()
            time.sleep(0.5 * turn)
            ui.sensor_off("intake")
            selector = {**REPOSITORY, "sensorName": "intake"}
            cursor = (None, "0", "nonsense", None)[turn]
            ui._ask(_CURSOR, {"sensorSelector": selector, "cursor": cursor})
            ui.sensor_on("intake")
    wait(storm.all_drafted, "the drafts", storm)
    assert storm.running.count(_ORDERS) == storm.written


def ui_answers(storm: Storm) -> bool:
    with suppress(Exception), closing(DagsterUI(storm.port)) as ui:
        return bool(ui._ask("query { version }", {}))
    return False


@pytest.mark.fault("T14")
def test_all_programs_killed_together_come_back_and_nothing_is_lost(storm: Storm) -> None:
    storm.write(6)
    wait(lambda: storm.running.count(_ORDERS) >= storm.written - 4, "the first work orders", storm)
    before = storm.pids()
    for name, pid in before.items():
        if name != "postgres":
            kill(pid)
    wait(storm.all_drafted, "the drafts", storm)
    # Who dies again and again is started later each time, and the drafts need not all of them.
    wait(lambda: not _same(before, storm.pids()), "every program again", storm)


@pytest.mark.fault("T15")
def test_a_restart_of_the_machine_in_the_middle_of_it_loses_and_doubles_nothing(
    storm: Storm, record_property: Callable[[str, object], None]
) -> None:
    """Everything dies at once, Postgres and the supervisor too; then `swarm up` starts again."""
    storm.write(6)
    wait(lambda: storm.running.count(_ORDERS) >= storm.written - 4, "the first work orders", storm)
    postmaster = (storm.home / "postgres" / "postmaster.pid").read_text().splitlines()[0]
    assert storm.process is not None
    for pid in (storm.process.pid, int(postmaster), *storm.pids().values()):
        kill(pid)
    storm.process.wait()
    began = time.monotonic()
    storm.start()
    wait(storm.all_drafted, "the drafts", storm)
    record_property("seconds until all was drafted", round(time.monotonic() - began))


@pytest.mark.fault("T14", "T15", "T16", "T17", "T55")
def test_after_all_of_it_each_mail_was_posted_once_and_the_audit_is_clean(storm: Storm) -> None:
    with closing(storm.control()) as control:
        posts = Counter(str(each["payload"]["idempotency_key"]) for each in control.deliveries())  # type: ignore[index]
    assert len(posts) == storm.written
    assert max(posts.values()) == 1
    audit = storm.running.swarm("audit", "--full")
    assert audit.returncode == 0, audit.stdout + audit.stderr
