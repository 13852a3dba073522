"""The installation that is rehearsed on: ``swarm up`` as a process, and the public commands.

A home of its own, doubles alone: no real service of the shell is known to it. What lives elsewhere:
what is done with it (``journey``).
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from swarm.errors import SwarmError
from swarm.installation.environment import PREFIXES, SANDBOX_URL
from swarm.installation.feeding import lay_samples
from swarm.installation.home import Home
from swarm.sandbox.remote import SandboxControl
from swarm.settings import is_setting
from swarm.up.processes import python
from swarm.up.programs import answers

_START_SECONDS = 180.0
_STOP_SECONDS = 60.0
_POLL_SECONDS = 0.25
_COMMAND_SECONDS = 300.0

FoundT = TypeVar("FoundT")


class NotShownError(SwarmError):
    """A step of the rehearsal did not come out as it must; says what was seen instead."""


@dataclass(frozen=True, slots=True)
class Installation:
    """A running installation: its home, the port of its UI, and the environment of commands."""

    home: Home
    port: int
    environment: Mapping[str, str]

    def swarm(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        """Run a command; returns its output. Raises ``NotShownError`` for another exit code."""
        done = subprocess.run(  # noqa: S603 - argv is ours
            _swarm(*arguments),
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        if done.returncode not in codes:
            said = (done.stderr or done.stdout).strip()[-600:]
            raise NotShownError(
                f"`swarm {' '.join(arguments)}` ended with {done.returncode}: {said}"
            )
        return done.stdout

    def json(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> object:
        """Run a command with ``--json``; returns what it printed."""
        return json.loads(self.swarm(*arguments, "--json", codes=codes))

    def sandbox(self) -> SandboxControl:
        """Return the doubles' control."""
        described = json.loads(self.home.description.read_text("utf-8"))
        return SandboxControl(str(described[SANDBOX_URL]))


def wait_for(look: Callable[[], FoundT], what: str, seconds: float) -> FoundT:
    """Return what ``look`` finds as soon as it is true; raises ``NotShownError`` after a time."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() >= deadline:
            raise NotShownError(f"waited {seconds:.0f} s for {what}")
        time.sleep(_POLL_SECONDS)
    return found


@contextmanager
def running(root: Path, port: int, settings: Mapping[str, str]) -> Iterator[Installation]:
    """Start an installation with today's path beside it, yield it when it is up, and stop it."""
    environment = {
        **{name: value for name, value in os.environ.items() if not _real(name)},
        **settings,
        "SWARM_HOME": str(root),
    }
    root.mkdir(parents=True, exist_ok=True)
    home = Home(root)
    lay_samples(home.knowledge)  # without the sample mails nothing else does
    # A rehearsal that is killed takes its installation along.
    argv = (
        *python("swarm.up.die_with_parent", str(os.getpid())),
        *_swarm("up", "--with-legacy", "--no-samples", "--port", str(port)),
    )
    with (root / "up.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - argv is ours
            argv, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        wait_for(lambda: _up(process, home, port), "the installation to start", _START_SECONDS)
        yield Installation(home, port, environment)
    finally:
        _end(process)


def _up(process: subprocess.Popen[bytes], home: Home, port: int) -> bool:
    if process.poll() is not None:
        raise NotShownError(f"`swarm up` ended; see {home.root / 'up.log'}")
    return home.description.exists() and answers(port)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _real(name: str) -> bool:
    """Whether a variable would connect something real, or change what is rehearsed."""
    return is_setting(name) or name.startswith(tuple(PREFIXES.values()))


def _swarm(*arguments: str) -> tuple[str, ...]:
    return python("swarm.cli", *arguments)
