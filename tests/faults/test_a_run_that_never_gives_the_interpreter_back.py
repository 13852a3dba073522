"""A run whose only thread holds the interpreter's lock for good: no heartbeat, no way to ask it.

Put in by replacing one function in the workers' interpreters (``sitecustomize``): a mail with a
certain subject meets a pattern that never ends. No pattern of ours does; the next bug may.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest
from installation import Running, running_up

from swarm.up.programs import any_free_port

pytestmark = pytest.mark.faults

HOLDS_ON = """
import sys
if "celery" in " ".join(getattr(sys, "orig_argv", [])):
    import re
    from swarm.intake.mail import clean
    honest = clean._visible
    def holding(order):
        if "holds on" in order.subject:
            re.match("(a+)+b", "a" * 60)
        return honest(order)
    clean._visible = holding
"""


def mail(subject: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "Ada <ada@example.org>", "service@example.com"
    message["Subject"], message["Message-ID"] = subject, f"<{abs(hash(subject))}@example.org>"
    message.set_content("Where is my order 10482?")
    return message.as_bytes()


@contextmanager
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **queue: str) -> Iterator[Running]:
    (tmp_path / "sitecustomize.py").write_text(HOLDS_ON)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for name, value in queue.items():
        monkeypatch.setenv(name, value)
    home, port = tmp_path / "home", any_free_port()
    options = ("--no-samples", "--port", str(port), "--workers", "1")
    with running_up(home, tmp_path / "up.log", *options):
        yield Running(home, port)


def submit(running: Running, tmp_path: Path, subject: str) -> None:
    file = tmp_path / f"{subject.replace(' ', '-')}.eml"
    file.write_bytes(mail(subject))
    assert running.swarm("submit", str(file)).returncode == 0


def wait_for(what: Callable[[], object], seconds: float = 240) -> object:
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(1)
    return found


def states(running: Running) -> dict[str, int]:
    status = running.json("status")
    assert isinstance(status, dict)
    return {name: n for name, n in status["states"].items() if n}


def test_its_worker_is_replaced_the_queue_learns_why_and_it_ends_as_a_dead_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {
        "QUEUE_RUN_SECONDS": "6",
        "QUEUE_LEASE_SECONDS": "300",  # so that it is the limit that ends it, not the lease
        "QUEUE_MAX_FAILURES": "2",
        "QUEUE_BACKOFF_BASE_SECONDS": "0.1",
    }
    with house(tmp_path, monkeypatch, **limits) as running:
        submit(running, tmp_path, "holds on")
        wait_for(lambda: states(running).get("dead"))
        submit(running, tmp_path, "an honest question")
        wait_for(lambda: sum(states(running).values()) == 2 and not states(running).get("running"))
        wait_for(lambda: states(running).get("accepted", 0) == 0)
        assert states(running)["dead"] == 1
        (letter,) = json.loads(running.swarm("dead", "list", "--json").stdout)
        assert "held a worker for more than 6 s" in json.dumps(letter)
        status = running.json("status")
        assert isinstance(status, dict)
        assert "dead" in json.dumps(status["alerts"])


def test_a_worker_that_no_longer_beats_is_ended_with_its_lease(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {
        "QUEUE_RUN_SECONDS": "3000",  # so that it is the lease that ends it, not the limit
        "QUEUE_LEASE_SECONDS": "5",
        "QUEUE_HEARTBEAT_SECONDS": "1",
        "QUEUE_MAX_FAILURES": "1",
    }
    with house(tmp_path, monkeypatch, **limits) as running:
        submit(running, tmp_path, "holds on")
        wait_for(lambda: states(running).get("dead"))
        submit(running, tmp_path, "an honest question")  # the only worker was taken
        wait_for(lambda: sum(n for s, n in states(running).items() if s != "dead") == 1)
        wait_for(lambda: not {"accepted", "running"} & set(states(running)))
