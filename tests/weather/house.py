"""The installation under the weather: how it is started, reached, damaged and started again."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import psycopg
from dagster_ui import DagsterUI
from installation import SWARM, environment, pid_of
from psycopg.rows import dict_row

from swarm.errors import SwarmError
from swarm.installation.feeding import lay_samples
from swarm.sandbox import model_environment
from swarm.sandbox.remote import SandboxControl
from swarm.store.roles import Role, url_as
from swarm.up.programs import any_free_port

START_SECONDS = 300.0
# Lost drafts are held after a minute instead of half an hour; everything else as shipped.
PACE = {"PUBLISH_SETTLE_SECONDS": "60", "PUBLISH_UNCONFIRMED_ALERT_SECONDS": "45"}


class NotNow(Exception):  # noqa: N818 - no error: the victim is not there at this moment
    """The fault cannot be injected at this moment: another one took its victim away."""


@dataclass
class House:
    """One `swarm up --with-legacy` in a folder of its own; survives being killed whole."""

    folder: Path
    thinker: str
    port: int = field(default_factory=any_free_port)
    sandbox_port: int = field(default_factory=any_free_port)
    process: "subprocess.Popen[bytes] | None" = None
    starts: int = 0
    _settings: Mapping[str, str] = field(default_factory=dict)
    _starting: Lock = field(default_factory=Lock)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def up_log(self) -> Path:
        return self.folder / "up.log"

    @property
    def shell(self) -> dict[str, str]:
        """The environment of `swarm up` and of every command."""
        thinking = model_environment(self.sandbox_port) if self.thinker == "model" else {}
        return {**environment(self.home), **PACE, **thinking}

    # --- its life --------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Lay what it finds at its first start."""
        (self.home / "sandbox").mkdir(parents=True)
        (self.home / "sandbox" / "port").write_text(str(self.sandbox_port), "ascii")
        lay_samples(self.home / "knowledge")

    def start(self) -> None:
        """Start it and wait until it says that it is up."""
        with self._starting:
            before = self._ups()
            options = ["--with-legacy", "--no-samples", "--port", str(self.port)]
            with self.up_log.open("ab") as log:
                self.process = subprocess.Popen(
                    [*SWARM, "up", *options],
                    env=self.shell,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            deadline = time.monotonic() + START_SECONDS
            while self._ups() == before:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"swarm up did not start:\n{self.said()}")
                time.sleep(0.2)
            described = self.home / "run" / "environment.json"
            self._settings = json.loads(described.read_text("utf-8"))
            self.starts += 1

    def stop(self) -> None:
        """Stop it as Ctrl-C does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(90)
            except subprocess.TimeoutExpired:
                self.process.kill()

    def said(self, characters: int = 3000) -> str:
        """The end of what `swarm up` wrote."""
        return self.up_log.read_text("utf-8", "replace")[-characters:]

    def _ups(self) -> int:
        return (
            self.up_log.read_text("utf-8", "replace").count("up after")
            if (self.up_log.exists())
            else 0
        )

    # --- its processes ---------------------------------------------------------------------------

    def pid(self, name: str) -> int:
        """The process of a program now; raises ``NotNow`` when it has none."""
        try:
            pid = pid_of(self.home, name)
            os.kill(pid, 0)
        except (OSError, ValueError, IndexError) as error:
            raise NotNow(f"{name} is not running") from error
        return pid

    def children(self, name: str) -> Sequence[int]:
        """The processes of a pool of workers."""
        parent = self.pid(name)
        with suppress(OSError):
            said = Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii")
            if found := [int(each) for each in said.split()]:
                return found
        raise NotNow(f"{name} has no process")

    def postmaster(self) -> int:
        """The process of the database server."""
        try:
            lines = (self.home / "postgres" / "postmaster.pid").read_text("ascii").splitlines()
            os.kill(pid := int(lines[0]), 0)
        except (OSError, ValueError, IndexError) as error:
            raise NotNow("Postgres is not running") from error
        return pid

    def programs(self) -> Sequence[str]:
        """The names of all programs of the supervisor."""
        return sorted(each.stem for each in (self.home / "run").glob("*.pid"))

    def environment_of_programs(self) -> dict[str, str]:
        """What a program is given here, for another one like it."""
        return {**os.environ, **self._settings}

    # --- its services ----------------------------------------------------------------------------

    @contextmanager
    def sandbox(self) -> Iterator[SandboxControl]:
        """The doubles' control."""
        with closing(SandboxControl(f"http://127.0.0.1:{self.sandbox_port}")) as control:
            yield control

    @contextmanager
    def ui(self) -> Iterator[DagsterUI]:
        """The buttons of the Dagster UI."""
        with closing(DagsterUI(self.port)) as ui:
            yield ui

    def url(self, role: str) -> str:
        """The database as this login."""
        known = json.loads((self.home / "database_logins.json").read_text("utf-8"))
        return url_as(self._settings["DATABASE_URL"], role, known[role])

    @contextmanager
    def database(self, role: str = Role.READER) -> Iterator["psycopg.Connection[dict[str, Any]]"]:
        """A connection as a person who reads, or as another login."""
        with psycopg.connect(
            self.url(role), connect_timeout=5, autocommit=True, row_factory=dict_row
        ) as connection:
            yield connection

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """What a question of a person gives."""
        with self.database() as connection:
            connection.execute("SET search_path = swarm, public")
            return connection.execute(sql.encode(), values).fetchall()

    def swarm(self, *arguments: str, seconds: float = 600) -> "subprocess.CompletedProcess[str]":
        """Run a command as a person does."""
        return subprocess.run(
            [*SWARM, *arguments],
            env=self.shell,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )


def wait_until(condition: Callable[[], object], seconds: float, step: float = 0.5) -> bool:
    """Whether it became true in time; trouble of asking counts as not yet."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(psycopg.Error, SwarmError, OSError, NotNow, subprocess.TimeoutExpired):
            if condition():
                return True
        time.sleep(step)
    return False
