"""kill -9 loses nothing that was accepted: the same program that ``swarm up`` starts."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from swarm.sandbox import MAILBOX, environment
from swarm.sandbox.remote import SandboxControl

pytestmark = pytest.mark.integration


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def program(state: Path, port: int, settle: str) -> Iterator[SandboxControl]:
    command = [sys.executable, "-m", "swarm.sandbox", "--state", str(state), "--port", str(port)]
    process = subprocess.Popen([*command, "--settle", settle])
    control = SandboxControl(f"http://127.0.0.1:{port}")
    try:
        deadline = time.monotonic() + 20
        while not control.healthy() and time.monotonic() < deadline:
            time.sleep(0.02)
        yield control
    finally:
        control.close()
        process.kill()
        process.wait()


def test_what_was_accepted_before_a_kill_is_drafted_once_after_the_restart(tmp_path: Path) -> None:
    port = free_port()
    with program(tmp_path, port, settle="0.5") as sandbox:
        mail = sandbox.seed_mail("ben.ortiz@example.com", subject="Hi", body_text="Hi")
        payload = {"mailbox": MAILBOX, "message_id": mail["id"], "body_html": "<p>x</p>"}
        httpx.post(environment(port)["ZAPIER_HOOK_URL"], json=payload)
    with program(tmp_path, port, settle="0.05") as sandbox:
        (draft,) = sandbox.wait_for_drafts(1)
        assert draft["conversationId"] == mail["conversationId"]
        assert [delivery["state"] for delivery in sandbox.deliveries()] == ["drafted"]
        assert sandbox.load_samples() == 0
    with program(tmp_path, port, settle="0.05") as sandbox:
        assert len(sandbox.drafts()) == 1
