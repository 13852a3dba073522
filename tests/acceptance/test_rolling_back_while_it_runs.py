"""Both paths run, the swarm publishes; one command later today's path does, without a gap.

The whole installation as processes. Before the switch the swarm drafts, after it legacy does, each
mail once; the audit is clean and legacy proves that it is fit.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from installation import Running, running_up

from swarm.installation.environment import SANDBOX_URL
from swarm.sandbox.remote import SandboxControl
from swarm.up.programs import any_free_port

pytestmark = pytest.mark.acceptance

LEGACYS_WORDS = "A colleague is looking into it"


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    folder = Path(tempfile.mkdtemp(prefix="swarm-rollback-"))
    home, port = folder / "home", any_free_port()
    options = ("--with-legacy", "--no-samples", "--port", str(port))
    with running_up(home, folder / "up.log", *options):
        yield Running(home, port)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def control(running: Running) -> Iterator[SandboxControl]:
    with closing(SandboxControl(running.settings[SANDBOX_URL])) as control:
        yield control


def submit(running: Running, folder: Path, number: int) -> None:
    """Hand in the question of a customer of its own: a second mail of one goes to a human."""
    sender = f"anna.keller{number}@example.org"
    with closing(SandboxControl(running.settings[SANDBOX_URL])) as control:
        contact = control.add_contact("Anna Keller", sender)
        control.add_deal("Order 10482", contact, status="Shipped", delivery_date="2026-11-27")
    mail = folder / f"{number}.eml"
    mail.write_text(
        f"From: Anna Keller <{sender}>\nTo: service@example.com\n"
        f"Subject: Order 10482 ({number})\nMessage-ID: <rollback-{number}@example.org>\n\n"
        "Hello,\n\nwhat is the status of my order 10482?\n\nAnna\n"
    )
    assert running.swarm("submit", str(mail)).returncode == 0


def posted(control: SandboxControl) -> list[dict[str, str]]:
    return [delivery["payload"] for delivery in control.deliveries()]  # type: ignore[misc]


def wait_for(condition: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.1)


def states(running: Running) -> dict[str, int]:
    status = running.json("status")
    assert isinstance(status, dict)
    return {name: n for name, n in status["states"].items() if n}


def test_a_rollback_while_everything_runs_lets_legacy_draft_the_next_mail(
    running: Running, control: SandboxControl, tmp_path: Path
) -> None:
    submit(running, tmp_path, 1)
    wait_for(lambda: len(posted(control)) == 1, "the swarm's draft")
    assert LEGACYS_WORDS not in posted(control)[0]["body_text"]

    rolled_back = running.swarm("publisher", "rollback", "--reason", "acceptance drill")
    assert rolled_back.returncode == 0, rolled_back.stderr
    assert "went from swarm to legacy" in rolled_back.stdout

    submit(running, tmp_path, 2)
    wait_for(lambda: len(posted(control)) == 2, "legacy's draft")
    drafted = posted(control)[1]
    assert LEGACYS_WORDS in drafted["body_text"]
    assert drafted["epoch"] == "2"
    wait_for(lambda: states(running) == {"published": 2}, "both to be confirmed in the mailbox")

    programs = running.json("status")["legacy"]["programs"]  # type: ignore[index]
    assert [(each["stale"], each["lag_bytes"]) for each in programs] == [(False, 0)] * 2
    proof = running.swarm("legacy", "proof")
    assert proof.returncode == 0, proof.stdout
    audit = running.swarm("audit")
    assert audit.returncode == 0, audit.stdout + audit.stderr
    assert len(posted(control)) == 2
