"""A real watchman process on a test's own database and home."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from swarm.sandbox import environment as sandbox_environment

PATIENCE = 120.0  # seconds; a busy machine


@dataclass
class WatchmanProcess:
    """Started, killed and started again; its log is kept."""

    home: Path
    url: str
    alerts: Mapping[str, str]
    process: "subprocess.Popen[bytes] | None" = None
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        (self.home / "run").mkdir(parents=True, exist_ok=True)
        self.log = self.home / "watchman.log"

    def start(self) -> None:
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        environment = {
            **os.environ,
            **sandbox_environment(9),
            "SWARM_HOME": str(self.home),
            "DATABASE_URL": self.url,
            "SWARM_KEY_SECRET": "a secret of tests",
            "UI_URL": "https://ui.test",
            **self.alerts,
        }
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "swarm.watchman", "--port", str(port)],
                env=environment, stdout=output, stderr=output,
            )  # fmt: skip

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def until(true: Callable[[], object], why: str, seconds: float = PATIENCE) -> None:
    """Wait until it is true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not in time: {why}"
        time.sleep(0.1)
