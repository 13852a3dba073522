"""A `swarm up` of a test's own, as a user starts it, and how to talk to it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from swarm.installation.environment import PREFIXES

SWARM = (sys.executable, "-m", "swarm.cli")
_LONGEST_START = 600.0  # a busy machine; ten seconds on an idle one
FOREIGN = (*PREFIXES.values(), "MODEL_", "SHADOW_", "SWARM_", "DAGSTER_", "DATABASE_", "CELERY_")


@dataclass(frozen=True)
class Running:
    """A running installation."""

    home: Path
    port: int
    pids: dict[str, int] = field(default_factory=dict)

    def swarm(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*SWARM, *arguments],
            env=environment(self.home),
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )

    def json(self, *arguments: str) -> object:
        answer = self.swarm(*arguments, "--json")
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    @property
    def settings(self) -> dict[str, str]:
        described: dict[str, str] = json.loads(
            (self.home / "run" / "environment.json").read_text("utf-8")
        )
        return described

    def count(self, query: str) -> int:
        """The number a query gives; -1 while nobody answers."""
        with (
            suppress(psycopg.Error),
            psycopg.connect(self.settings["DATABASE_URL"], connect_timeout=2) as asked,
        ):
            row = asked.execute(query.encode()).fetchone()
            return int(row[0]) if row else 0
        return -1


def environment(home: Path) -> dict[str, str]:
    """The environment of a user who has set nothing but the home."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
    return {**own, "SWARM_HOME": str(home), "COLUMNS": "200"}


def pid_of(home: Path, program: str) -> int:
    """The process of a program of `swarm up` now; an ``OSError`` or ``IndexError`` between two."""
    return int((home / "run" / f"{program}.pid").read_text("ascii").split()[0])


@contextmanager
def running_up(
    home: Path, log: Path, *options: str, shell: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `swarm up` until the end of the block, from when it says that it is up."""
    seen = {**environment(home), **(shell or {})}
    with log.open("wb") as output:
        command = [*SWARM, "up", *options]
        process = subprocess.Popen(command, env=seen, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + _LONGEST_START
        while "up after" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(90)
