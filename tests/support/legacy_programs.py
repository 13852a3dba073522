"""Today's programs as processes of their own, on a home of the test's, in front of a postbox."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from postbox import Postbox

from swarm.legacy.home import IntakeFiles, LegacyFiles
from swarm.legacy.submit import submit
from swarm.sandbox import environment as sandbox_environment

SECRET = "a secret of tests"
MAILBOX = "service@example.com"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
READERS = ("intake_stream_processor", "pipeline_daemon")
SENDER = "publish_sender"
_NO_PORT = 9  # discard: nothing listens; none of these programs asks Graph or monday


def mail(number: int, subject: str, body: str, headers: str = "") -> bytes:
    """An invented mail."""
    return (
        f"From: Ada Lindt <ada{number}@example.org>\nTo: {MAILBOX}\nSubject: {subject}\n"
        f"Message-ID: <golden-{number}@example.org>\n"
        f"Date: Sat, 28 Feb 2026 10:{number:02d}:00 +0000\n"
        f"Content-Type: text/plain; charset=utf-8\n{headers}\n{body}\n"
    ).encode()


class LegacyHome:
    """Where today's programs run: a home, a hook, and a database that may be away."""

    def __init__(self, home: Path, box: Postbox, database_url: str, **settings: str) -> None:
        self.home, self.box, self.database_url, self.settings = home, box, database_url, settings
        self.files = LegacyFiles(home)

    @property
    def stream(self) -> Path:
        return IntakeFiles(self.home).work_orders

    def hand_in(self, *mails: bytes) -> None:
        """Let the mails arrive, as if the mailbox service had seen them."""
        done = submit([("a.eml", each) for each in mails], self.home, MAILBOX, now=NOON)
        assert done.problems == ()

    @contextmanager
    def running(self, *names: str) -> Iterator[dict[str, "subprocess.Popen[bytes]"]]:
        """Run these programs; they are killed on leaving, which is how production ends too."""
        started = {name: self._start(name) for name in names}
        try:
            yield started
        finally:
            for process in started.values():
                process.kill()
            for process in started.values():
                process.wait()

    def beat(self) -> dict[str, object]:
        """What the sender last said about itself."""
        try:
            beat: dict[str, object] = json.loads(self.files.sender_heartbeat.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        return beat

    def outbox(self) -> bytes:
        return self.files.outbox.read_bytes() if self.files.outbox.exists() else b""

    def _start(self, name: str) -> "subprocess.Popen[bytes]":
        environment = {
            "PATH": os.environ["PATH"],
            **sandbox_environment(_NO_PORT),
            "ZAPIER_HOOK_URL": self.box.hook_url,
            "SWARM_HOME": str(self.home),
            "DATABASE_URL": self.database_url,
            "SWARM_KEY_SECRET": SECRET,
            **self.settings,
        }
        with (self.home / f"{name}.log").open("ab") as log:
            command = [sys.executable, "-m", f"swarm.legacy.{name}", "--interval", "0.1"]
            return subprocess.Popen(command, env=environment, stdout=log, stderr=log)
