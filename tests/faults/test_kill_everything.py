"""kill -9 of a worker, the daemon, the code server and Postgres in the middle of forty work orders.

Everything must end in a final state with a clean audit, no draft made twice, no finished model call
paid for again.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from installation import pid_of

from swarm.installation.environment import PREFIXES
from swarm.sandbox import model_environment
from swarm.sandbox.remote import SandboxControl
from swarm.up.programs import any_free_port

pytestmark = pytest.mark.faults

SWARM = (sys.executable, "-m", "swarm.cli")
FOREIGN = (*PREFIXES.values(), "MODEL_", "SWARM_", "DAGSTER_", "DATABASE_", "CELERY_")
ORDERS = 40
# A worker killed in a publishing round holds the next one up until its death is noticed.
LONGEST_STALL = 240.0
# Short leases, so that a killed worker is noticed within seconds; everything else as shipped.
PACE = {
    "QUEUE_LEASE_SECONDS": "8",
    "QUEUE_HEARTBEAT_SECONDS": "2",
    "QUEUE_BACKOFF_BASE_SECONDS": "1",
    "QUEUE_REQUEST_TIMEOUT_SECONDS": "20",
    "QUEUE_MAX_FAILURES": "8",
}
FINAL = "SELECT count(*) FROM swarm.work_orders WHERE final_at IS NOT NULL"


@dataclass(frozen=True)
class Running:
    """A `swarm up` under test."""

    home: Path
    log: Path
    environment: dict[str, str]
    url: str
    control: SandboxControl

    def pid(self, name: str) -> int:
        return pid_of(self.home, name)

    def final(self) -> int:
        try:
            with closing(psycopg.connect(self.url, connect_timeout=2)) as connection:
                row = connection.execute(FINAL).fetchone()
                return int(row[0]) if row else 0
        except psycopg.OperationalError:
            return -1


def wait(condition: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.1)


@pytest.fixture
def running() -> Iterator[Running]:
    folder = Path(tempfile.mkdtemp(prefix="swarm-kill-"))
    home, log, port = folder / "home", folder / "up.log", any_free_port()
    (home / "sandbox").mkdir(parents=True)
    (home / "sandbox" / "port").write_text(str(port))
    own = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
    environment = {**own, **PACE, **model_environment(port), "SWARM_HOME": str(home)}
    command = [*SWARM, "up", "--no-samples", "--port", str(any_free_port())]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        wait(lambda: "up after" in log.read_text() or process.poll() is not None, 120, "start")
        described = json.loads((home / "run" / "environment.json").read_text())
        with closing(SandboxControl(f"http://127.0.0.1:{port}")) as control:
            yield Running(home, log, environment, described["DATABASE_URL"], control)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(90)
        shutil.rmtree(folder, ignore_errors=True)


def line(number: int, control: SandboxControl) -> str:
    """A work order whose mail stands in the mailbox, outside the inbox that intake polls.

    Of a customer of its own: one who writes twice without a reply goes to a human (ES-04).
    """
    sender, body = (
        f"anna.keller{number}@example.org",
        f"What is the status of my order 10482? ({number})",
    )
    control.add_contact("Anna Keller", sender)
    mail = control.seed_mail(sender, subject="Order 10482", body_text=body, folder="archive")
    return json.dumps(
        {
            "schema_version": "1",
            "id": f"kill-{number}",
            "mailbox": "service@example.com",
            "message_id": mail["id"],
            "internet_message_id": mail["internetMessageId"],
            "conversation_id": mail["conversationId"],
            "sender": {"address": sender, "name": "Anna Keller"},
            "to": [{"address": "service@example.com", "name": "Customer Service"}],
            "subject": "Order 10482",
            "body_text": body,
            "received_at": mail["receivedDateTime"],
            "source": "test",
        }
    )


def teach(control: SandboxControl) -> None:
    """Let the model's double propose a harmless reply and accept it, so that it is published."""
    control.answer_model({"acceptable": True, "findings": []}, contains="acceptable")
    reply = "We have received your question about your order."
    control.answer_model(
        {"body": reply, "claims": [], "answered": [1], "decline": None}, contains="decline"
    )


def a_worker(running: Running) -> int:
    """A process of the worker pool: the one that has work orders in hand."""
    parent = running.pid("workers")
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return int(children[0])


def the_database(running: Running) -> int:
    return int((running.home / "postgres" / "postmaster.pid").read_text().splitlines()[0])


@pytest.mark.fault("T09", "T10", "T15")
def test_whatever_is_killed_every_work_order_ends_once(running: Running) -> None:
    teach(running.control)
    stream = running.home / "intake" / "work_orders.jsonl"
    lines = [line(n, running.control) for n in range(ORDERS)]
    with stream.open("a") as file:
        file.write("".join(f"{each}\n" for each in lines))
    victims: list[Callable[[], int]] = [
        lambda: a_worker(running),
        lambda: running.pid("dagster-daemon"),
        lambda: running.pid("code-server"),
        lambda: the_database(running),
    ]
    for number, victim in enumerate(victims, start=1):
        wait(lambda n=number: running.final() >= 3 * n, LONGEST_STALL, f"kill {number}")
        os.kill(victim(), signal.SIGKILL)
    wait(lambda: running.final() == ORDERS, LONGEST_STALL, "all work orders to end")

    audit = subprocess.run(
        [*SWARM, "audit"], env=running.environment, capture_output=True, text=True, check=False
    )
    assert audit.returncode == 0, audit.stdout + audit.stderr
    deliveries = Counter(delivery_key(each) for each in running.control.deliveries())
    assert len(deliveries) >= ORDERS // 2, "most are harmless and published"
    assert max(deliveries.values()) == 1, "one POST a work order"
    asked = Counter(json.dumps(c["request"], sort_keys=True) for c in running.control.model_calls())
    assert len(asked) >= ORDERS, "a model did the thinking"
    repeated = sum(times - 1 for times in asked.values())
    assert repeated <= len(victims), "only a call whose answer a kill cut off is asked again"


def delivery_key(delivery: dict[str, object]) -> str:
    payload = delivery["payload"]
    assert isinstance(payload, dict)
    return str(payload["idempotency_key"])
