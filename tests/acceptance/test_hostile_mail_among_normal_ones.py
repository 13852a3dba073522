"""Mails of 400 kB made to take a worker, among forty customers': everybody is served.

All ten shapes at once, by the way every mail comes: handed in, through the mailbox and the intake.
How long the customers wait is measured by ``bench/hostile_mail.py``, not here.
"""

import mailbox
import shutil
import tempfile
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import psycopg
import pytest
from hostile_mails import PAGES, SIZE, TEN_SHAPES, TEXTS, page, plain
from installation import Running, running_up

from swarm.up.programs import any_free_port

pytestmark = pytest.mark.acceptance

NORMAL = 40
SECONDS = 900

STATES = "SELECT body->>'subject', state FROM swarm.work_orders WHERE final_at IS NOT NULL"
REAPED = "SELECT count(*) FROM swarm.workflow_events WHERE kind = 'run.reaped'"
FAILED = "SELECT count(*) FROM swarm.swarm_jobs WHERE failures > 0"


@pytest.fixture
def running() -> Iterator[Running]:
    folder, port = Path(tempfile.mkdtemp(prefix="swarm-acceptance-")), any_free_port()
    with running_up(folder / "home", folder / "up.log", "--no-samples", "--port", str(port)):
        yield Running(folder / "home", port)
    shutil.rmtree(folder, ignore_errors=True)


def customers_mail(number: int) -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = f"C <c{number}@example.org>", "service@example.com"
    message["Subject"], message["Message-ID"] = f"Customer {number}", f"<c{number}@example.org>"
    message.set_content("Hello,\n\nwhat is the status of my order 10482?\n\nThank you\n")
    return message.as_bytes()


def hostile_mail(number: int) -> bytes:
    kind, shape = TEN_SHAPES[number]
    body = (TEXTS if kind == "text" else PAGES)[shape](SIZE)
    mail = plain(body) if kind == "text" else page(body)
    name = f"Hostile {number}".encode()
    return mail.replace(b"Order 10482", name, 1).replace(b"<hostile@", b"<h%d@" % number, 1)


def box(folder: Path, mails: list[bytes]) -> Path:
    path = folder / "all.mbox"
    with_all = mailbox.mbox(path)
    for mail in mails:
        with_all.add(mail)
    with_all.close()
    return path


def test_forty_customers_and_ten_hostile_mails_all_end_and_no_run_is_lost(
    running: Running, tmp_path: Path
) -> None:
    hostile = [hostile_mail(number) for number in range(len(TEN_SHAPES))]
    customers = [customers_mail(number) for number in range(NORMAL)]
    handed_in = running.swarm("submit", str(box(tmp_path, [*hostile, *customers])))
    assert handed_in.returncode == 0, handed_in.stderr
    deadline = time.monotonic() + SECONDS
    with psycopg.connect(running.settings["DATABASE_URL"], autocommit=True) as connection:
        while len(ended := dict(connection.execute(STATES).fetchall())) < NORMAL + len(hostile):
            assert time.monotonic() < deadline, ended
            time.sleep(1)
        assert {state for name, state in ended.items() if name.startswith("Hostile")} <= {
            "escalated", "declined", "published",
        }  # fmt: skip
        assert {state for name, state in ended.items() if name.startswith("Customer")} <= {
            "escalated", "published",
        }  # fmt: skip
        assert connection.execute(REAPED).fetchone() == (0,)
        assert connection.execute(FAILED).fetchone() == (0,)
