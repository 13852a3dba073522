"""Postgres crashes while a publication is claimed, posted, recorded, switched, and again and again.

The publisher is a process that stops itself (SIGSTOP) at the point, so that the server is down and
up again exactly there. Each ends with one draft or held, told; never with two.
"""

import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from postbox import Postbox
from publisher_process import DURING_FLIP, POINTS, start
from publishing_world import World
from waiting import wait_for

from swarm.publishing.dispatch.round import run_round
from swarm.store import embedded
from swarm.store.database import Database
from swarm.store.migrate import migrate

pytestmark = [pytest.mark.faults, pytest.mark.integration]

PATIENCE = 180.0
ORDERS = 40
MONKEY_SECONDS = 40.0


class Server:
    """An embedded Postgres of this file's own, durable as shipped, which may crash."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.url = embedded.create_database(embedded.start(data), "restarts")
        migrate(self.url)

    def crash(self) -> None:
        embedded.stop(self._data, immediate=True)

    def start(self) -> None:
        """Recovery may take longer on a busy machine than the wheel waits for it."""
        wait_for(self._up, "the server to recover", PATIENCE)

    def _up(self) -> bool:
        with suppress(subprocess.TimeoutExpired):
            return bool(embedded.start(self._data))
        return False

    def restart(self) -> None:
        """As `pg_ctl -m immediate restart` does."""
        self.crash()
        self.start()


@pytest.fixture
def server() -> Iterator[Server]:
    data = Path(tempfile.mkdtemp(prefix="swarm-restarts-"))
    server = Server(data)
    yield server
    server.crash()
    shutil.rmtree(data, ignore_errors=True)


@pytest.fixture
def restarting(server: Server, postbox: Postbox) -> Iterator[World]:
    database = Database(server.url, timeout=5.0)
    world = World(database, postbox)
    world.appoint("swarm")
    yield world
    database.close()


def until_it_answers(world: World) -> None:
    """The pool throws broken connections away as it meets them."""

    def answers() -> bool:
        try:
            with world.database.transaction() as connection:
                connection.execute("SELECT 1")
        except Exception:  # noqa: BLE001 - whatever a server that starts says
            return False
        return True

    wait_for(answers, "the server to answer", PATIENCE)


@pytest.mark.fault("T22")
@pytest.mark.parametrize("point", POINTS)
def test_a_crash_at_any_step_of_a_publication_ends_as_one_draft_or_held(
    server: Server, restarting: World, point: str
) -> None:
    world, key = restarting, restarting.ready()
    world.enqueue(key, "legacy")
    process = start(
        server.url, world.postbox.url, "swarm", "--at", point, "--signal", str(int(signal.SIGSTOP))
    )
    wait_for(lambda: _stopped(process.pid), f"the publisher to stop {point}", PATIENCE)
    server.restart()
    until_it_answers(world)
    process.send_signal(signal.SIGCONT)
    process.wait(PATIENCE)  # it ends by itself, well or with an error
    if point == DURING_FLIP:
        assert world.row(key)["publisher"] == "swarm"  # the switch was rolled back as a whole
    for seconds in (0, 600, 60, 1801, 60):
        world.age(key, seconds)
        run_round(world.publisher("swarm"))
    row, drafts = world.row(key), world.postbox.drafts_of(key)
    assert len(drafts) <= 1
    assert len(world.postbox.posts_of(key)) <= 1
    assert (row["state"] == "CONFIRMED") == (len(drafts) == 1)
    assert row["state"] in {"CONFIRMED", "HELD"}
    assert world.alerts(key) == ([] if drafts else ["work_order.held"])


@pytest.mark.fault("T24")
@pytest.mark.parametrize("seed", [5])
def test_a_server_that_crashes_every_few_seconds_under_load_gives_exact_results(
    server: Server, restarting: World, seed: int
) -> None:
    """Forty seconds instead of thirty minutes, a crash each one to four instead of five to 40."""
    world, chance = restarting, random.Random(seed)
    keys = [world.ready(number) for number in range(ORDERS)]
    processes = [start(server.url, world.postbox.url, "swarm", "--interval", "0.2") for _ in "ab"]
    world.postbox.before_answer = lambda: threading.Event().wait(0.5)
    try:
        began, crashes = time.monotonic(), 0
        while time.monotonic() < began + MONKEY_SECONDS:
            time.sleep(chance.uniform(1, 4))
            server.crash()
            time.sleep(chance.uniform(0, 2))
            server.start()
            crashes += 1
        assert crashes >= 5
        until_it_answers(world)
        assert [process.poll() for process in processes] == [None, None]
        wait_for(lambda: _ended(world, keys), "all to end", PATIENCE)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    for key in keys:
        drafts = world.postbox.drafts_of(key)
        assert len(world.postbox.posts_of(key)) == len(drafts) <= 1
        assert world.row(key)["state"] == ("CONFIRMED" if drafts else "HELD")
        assert world.alerts(key) == ([] if drafts else ["work_order.held"])


def _ended(world: World, keys: list[str]) -> bool:
    """Time goes by faster for what waits."""
    try:
        world.age_all(30)
        return {world.row(key)["state"] for key in keys} <= {"CONFIRMED", "HELD"}
    except (psycopg.Error, OSError):
        return False


def _stopped(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
