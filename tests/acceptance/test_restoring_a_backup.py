"""The restore drill: work, a backup, more work, and an empty home that becomes the installation.

The mailbox is outside, as it is in production: it goes on knowing what the backup does not.
"""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from installation import SWARM, environment, running_up

from swarm.sandbox.server import RunningSandbox
from swarm.up.programs import any_free_port

pytestmark = [pytest.mark.acceptance, pytest.mark.long]  # whole servers and homes


class House:
    """One home after the other in front of one mailbox, as a shell sees it."""

    def __init__(self, home: Path, mailbox: RunningSandbox) -> None:
        self.home, self.mailbox = home, mailbox
        self.said = ""
        self.shell = {**environment(home), **mailbox.environment, "SWARM_DOUBLES_URL": ""}

    def swarm(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [*SWARM, *arguments], env=self.shell, capture_output=True, text=True, timeout=300,
            check=False,
        )  # fmt: skip
        assert done.returncode == code, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def told(self, *arguments: str) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.swarm(*arguments, "--json"))
        return found

    @contextmanager
    def running(self, log: Path) -> Iterator[None]:
        options = ("--with-legacy", "--no-samples", "--workers", "1")
        with running_up(self.home, log, *options, "--port", str(any_free_port()), shell=self.shell):
            yield

    def mail(self, name: str, text: str) -> str:
        subject = f"Where is order 10482, {name}?"
        sender = f"{name}@example.org"
        self.mailbox.seed_mail(
            sender, subject=subject, body_text=text,
            received_at=datetime.now(UTC).replace(microsecond=0),
        )  # fmt: skip
        return subject

    def drafts_about(self, subject: str) -> int:
        return sum(subject in str(draft["subject"]) for draft in self.mailbox.drafts())

    def settled(self, count: int) -> bool:
        """Whether so many work orders are there and none is being judged any more."""
        states = self.told("status")["states"]
        assert isinstance(states, dict)
        return not states["accepted"] and not states["running"] and sum(states.values()) == count


def until(
    condition: Callable[[], object], what: str, house: House | None = None, seconds: float = 180.0
) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        why = house.said if house else ""
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}: {why}"
        time.sleep(0.5)


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    with RunningSandbox(tmp_path / "mailbox") as sandbox:
        yield sandbox


ASKS = "Hello,\n\ncould you tell me the status of my order 10482?\n\nKind regards\nAnna Keller"


def test_what_was_drafted_after_the_backup_is_not_drafted_again(
    mailbox: RunningSandbox, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)  # the embedded server runs as a user of its own when we are root
    old, saved = House(tmp_path / "old", mailbox), tmp_path / "backup"
    with old.running(tmp_path / "old.log"):
        before = old.mail("before", ASKS)
        until(lambda: old.drafts_about(before), "the draft before the backup")
        until(lambda: old.settled(1), "the first mail to be judged")
        old.swarm("backup", str(saved))
        after = old.mail("after", ASKS)
        gone = old.mail("gone", ASKS)
        until(lambda: old.drafts_about(after) and old.drafts_about(gone), "the drafts after it")
    away = next(d for d in mailbox.drafts() if gone in str(d["subject"]))
    mailbox.human("purge", str(away["id"]))  # somebody has seen to it: no trace is left

    new = House(tmp_path / "new", mailbox)
    assert "Nobody publishes now" in new.swarm("restore", str(saved))
    assert "not empty" in new.swarm("restore", str(saved), code=2)
    with new.running(tmp_path / "new.log"):
        refused = new.swarm("publisher", "rollback", "--reason", "too early", code=2)
        assert "swarm reconcile" in refused
        until(lambda: new.settled(3), "every mail to be read and judged again")
        until(lambda: "reconciled" in reconciled(new), "the mailbox to be read to the end")
        audit = new.told("audit", "--full")
        assert audit["breaches"] == [], audit
        new.swarm("publisher", "rollback", "--reason", "the restore drill")
        later = new.mail("later", ASKS)
        until(lambda: new.drafts_about(later), "the draft of a mail after the restore")
        counts = [new.drafts_about(each) for each in (before, after, gone, later)]
        assert counts == [1, 1, 0, 1]
        assert "nothing to reconcile" in new.swarm("reconcile", code=2)
        audit = new.told("audit")
        assert audit["breaches"] == [], audit


def reconciled(house: House) -> str:
    """Try once; before everything was read again it is refused, with the reason."""
    done = subprocess.run(
        [*SWARM, "reconcile"], env=house.shell, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode in (0, 2), done.stderr
    house.said = done.stderr
    return done.stdout
