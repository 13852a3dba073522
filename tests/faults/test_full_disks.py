"""A disk is full for a while as thirty mails come in: all end, none is lost, none drafted twice.

Each of the three places that a work order passes lies on a small file system of its own, in a real
installation as a user starts it: the database, the intake's files, the broker's folder.
"""

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from installation import Running, running_up
from small_disk import SmallDisk, small_disk

from swarm.sandbox.remote import SandboxControl
from swarm.up.programs import any_free_port

pytestmark = pytest.mark.faults

MAILS = 30
BEFORE, DURING = 5, 20
PLACES = {"postgres": 320, "intake": 4, "broker": 4}  # MiB
FULL_SECONDS = 15.0  # several turns of every program meet the full disk
LONGEST_RECOVERY = 900.0

_ORDERS = "SELECT count(*) FROM swarm.work_orders"
_FINAL = "SELECT count(*) FROM swarm.work_orders WHERE final_at IS NOT NULL"


@contextmanager
def installation(place: str) -> Iterator[tuple[Running, SmallDisk]]:
    """An installation with one of its folders on a small disk."""
    folder = Path(tempfile.mkdtemp(prefix="swarm-full-"))
    home, port = folder / "home", any_free_port()
    try:
        with (
            small_disk(home / place, PLACES[place]) as disk,
            running_up(home, folder / "up.log", "--no-samples", "--port", str(port)),
        ):
            yield Running(home, port), disk
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sandbox_of(running: Running) -> str:
    port = (running.home / "sandbox" / "port").read_text("ascii").strip()
    return f"http://127.0.0.1:{port}"


def wait(running: Running, condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + LONGEST_RECOVERY
    while not condition():
        if time.monotonic() > deadline:
            status = running.swarm("status").stdout
            up = (running.home.parent / "up.log").read_text("utf-8")
            pytest.fail(f"waited too long for {what}\n{status}\n{up[-4000:]}")
        time.sleep(1)


def counted(running: Running, query: str) -> int:
    try:
        with closing(psycopg.connect(running.settings["DATABASE_URL"], connect_timeout=2)) as asked:
            row = asked.execute(query.encode()).fetchone()
    except psycopg.Error:
        return -1
    return int(row[0]) if row else 0


def write_to_us(control: SandboxControl, numbers: range) -> None:
    for number in numbers:
        control.seed_mail(
            f"customer{number}@example.org",
            subject=f"Order {10_000 + number}",
            body_text=f"Hello,\n\nwhat is the status of my order {10_000 + number}?\n",
        )


@pytest.mark.fault("T26")
@pytest.mark.parametrize("place", PLACES)
def test_a_disk_that_was_full_for_a_while_loses_and_doubles_nothing(place: str) -> None:
    with (
        installation(place) as (running, disk),
        closing(SandboxControl(sandbox_of(running))) as control,
    ):
        write_to_us(control, range(BEFORE))
        wait(running, lambda: counted(running, _ORDERS) >= 1, "the first work order")
        disk.fill()
        write_to_us(control, range(BEFORE, BEFORE + DURING))
        time.sleep(FULL_SECONDS)
        disk.free()
        write_to_us(control, range(BEFORE + DURING, MAILS))

        wait(
            running, lambda: counted(running, _ORDERS) >= MAILS, "every mail to become a work order"
        )
        wait(running, lambda: counted(running, _FINAL) >= MAILS, "every work order to end")
        assert counted(running, _ORDERS) == MAILS
        audit = running.swarm("audit")
        assert audit.returncode == 0, audit.stdout + audit.stderr
        posts = Counter(str(each["payload"]["idempotency_key"]) for each in control.deliveries())
        assert max(posts.values()) == 1, "one POST a work order"
        assert len(posts) >= MAILS // 2, "most are harmless and published"
