"""SIGTERM to every program, one after another, in the middle of work: nothing is lost or doubled.

As an operator, a service manager or a deployment ends programs. Each is started again by ``swarm
up``; the work orders go on meanwhile.
"""

import json
import os
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from installation import Running, pid_of, running_up

from swarm.sandbox.remote import SandboxControl
from swarm.up.programs import any_free_port

pytestmark = pytest.mark.faults

PROGRAMS = (
    "workers", "publisher", "code-server", "dagster-daemon", "intake_stream_processor",
    "email_work_order_service", "shadow", "webserver", "watchman", "desk", "pipeline_daemon",
    "publish_sender", "workers",
)  # fmt: skip
ORDERS = 2 * len(PROGRAMS)
SECONDS = 1200.0  # a busy machine
# A short lease, so that what a program leaves is noticed within seconds; all else as shipped.
PACE = {
    "QUEUE_LEASE_SECONDS": "8",
    "QUEUE_HEARTBEAT_SECONDS": "2",
    "QUEUE_BACKOFF_BASE_SECONDS": "1",
}
FINAL = "SELECT count(*) FROM swarm.work_orders WHERE final_at IS NOT NULL"


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.1)


@pytest.fixture
def running() -> Iterator[Running]:
    folder, port = Path(tempfile.mkdtemp(prefix="swarm-term-")), any_free_port()
    options = ("--no-samples", "--with-legacy", "--port", str(port))
    with running_up(folder / "home", folder / "up.log", *options, shell=PACE):
        yield Running(folder / "home", port)
    shutil.rmtree(folder, ignore_errors=True)


def pid_now(running: Running, program: str) -> int:
    try:
        return pid_of(running.home, program)
    except (OSError, IndexError):
        return 0


def final(running: Running) -> int:
    with closing(psycopg.connect(running.settings["DATABASE_URL"])) as connection:
        row = connection.execute(FINAL).fetchone()
        return int(row[0]) if row else 0


def mail(control: SandboxControl, number: int) -> None:
    """Through the mailbox, as every mail comes; of a customer of its own."""
    sender = f"anna.keller{number}@example.org"
    control.add_contact("Anna Keller", sender)
    body = f"Hello,\n\nwhat is the status of my order 10482? ({number})\n\nAnna Keller"
    control.seed_mail(sender, subject=f"Order 10482 ({number})", body_text=body)


@pytest.mark.fault("T62")
def test_whatever_is_told_to_end_every_work_order_ends_once(running: Running) -> None:
    root = f"http://127.0.0.1:{(running.home / 'sandbox' / 'port').read_text()}"
    with closing(SandboxControl(root)) as control:
        sent = 0
        for number, program in enumerate(PROGRAMS):
            for _ in range(2):
                mail(control, sent)
                sent += 1
            wait_for(lambda n=number: final(running) >= n, "work before")
            before = pid_now(running, program)
            os.kill(before, signal.SIGTERM)
            wait_for(
                lambda p=program, b=before: pid_now(running, p) not in (0, b), f"{program} again"
            )
        wait_for(lambda: final(running) == ORDERS, "all work orders to end")
        audit = running.swarm("audit")
        assert audit.returncode == 0, audit.stdout + audit.stderr
        keys = Counter(json.dumps(_key(each)) for each in control.deliveries())
    assert len(keys) >= ORDERS // 2, "most are harmless and published"
    assert max(keys.values()) == 1, "one POST a work order"
    ends = (running.home.parent / "up.log").read_text()
    assert ends.count("starting it again") >= len(PROGRAMS)


def _key(delivery: dict[str, object]) -> object:
    payload = delivery["payload"]
    assert isinstance(payload, dict)
    return payload["idempotency_key"]
