"""One ``swarm up`` while it runs: what was asked for, where it lives, its children, its screen."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from swarm.installation.environment import (
    DOUBLES_URL,
    PREFIXES,
    SANDBOX_URL,
    Addresses,
    children_environment,
    sandbox_part,
)
from swarm.installation.home import Home
from swarm.installation.logins import Logins
from swarm.sandbox import environment as sandbox_environment
from swarm.sandbox.addresses import base_url
from swarm.settings import Settings, load_settings
from swarm.store.roles import Role
from swarm.up.kinship import bury_orphans
from swarm.up.processes import Program
from swarm.up.supervisor import Supervisor
from swarm.up.view import Screen

_POLL_SECONDS = 0.2
_NOT_FOR_THE_DESK = (*PREFIXES.values(), "MODEL_", "DAGSTER_", "CELERY_")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line of ``swarm up`` asks for."""

    until_idle: bool = False
    samples: bool = True
    port: int = 3000
    desk_port: int | None = None
    metrics_port: int | None = None
    look_port: int | None = None
    with_legacy: bool = False
    workers: int = 2
    workers_elsewhere: int = 0
    timeout: float = 600.0
    adopt: bool = False

    @property
    def all_workers(self) -> int:
        """How many processes take work orders, here and on other hosts."""
        return self.workers + self.workers_elsewhere


@dataclass(slots=True)
class Session:
    """The state of one ``swarm up``. ``user`` is the environment as the user had it."""

    options: Options
    user: Mapping[str, str]
    home: Home
    screen: Screen
    supervisor: Supervisor
    doubles: frozenset[str]
    sandbox_port: int
    desk_port: int
    metrics_port: int
    environment: dict[str, str] = field(default_factory=dict)
    sockets: Path = Path()
    logins: Logins = field(default_factory=lambda: Logins({}))
    thinks_ahead: bool = False

    def settle_logins(self, logins: Logins) -> Settings:
        """Hand the services their login; this process keeps the others to itself."""
        self.logins = logins
        return self.settle_environment(logins.url(Role.WORKER))

    @property
    def shadow_environment(self) -> dict[str, str]:
        """What the worker of the lane ``shadow`` is given: the logins of its child processes too.

        No other program has them.
        """
        return {**self.environment, **self.logins.variables(Role.REPLAY, Role.GATES)}

    @property
    def desk_environment(self) -> dict[str, str]:
        """What the desk is given: a login that reads and may acknowledge; no other, and no key of
        any service.
        """
        kept = {n: v for n, v in self.environment.items() if not n.startswith(_NOT_FOR_THE_DESK)}
        return {**kept, "DATABASE_URL": self.logins.url(Role.DESK)}

    @property
    def commands_environment(self) -> dict[str, str]:
        """What commands may find: beside the services' what an audit, an erasure or a look at the
        gates needs. Not the replay's login, nor the owner's.
        """
        return {**self.environment, **self.logins.variables(Role.KEEPER, Role.GATES)}

    @property
    def sandbox_url(self) -> str | None:
        """Where the doubles are steered; None where Graph, whose inbox takes mails, is real."""
        return base_url(self.sandbox_port) if "graph" in self.doubles else None

    def settle_environment(self, database_url: str) -> Settings:
        """Work out the children's environment, make it this process's own, and prove it complete.

        Raises ``ConfigurationError`` that names every missing or bad variable.
        """
        used = sandbox_part(sandbox_environment(self.sandbox_port), self.doubles)
        addresses = Addresses(database_url, self.options.port, self.desk_port, self.metrics_port)
        secret = self.user.get("SWARM_KEY_SECRET") or self.home.key_secret()
        used[DOUBLES_URL] = base_url(self.sandbox_port) if self.doubles else ""
        if self.sandbox_url:
            used[SANDBOX_URL] = self.sandbox_url
        self.environment = children_environment(self.user, self.home, addresses, secret, used)
        os.environ.update(self.environment)
        settings = load_settings()
        self.thinks_ahead = settings.model.configured and settings.model.prefetch > 0
        return settings

    @property
    def code_socket(self) -> Path:
        """Where the code server answers."""
        return self.sockets / "code.sock"

    @property
    def fork_socket(self) -> Path:
        """Where the fork server answers."""
        return self.sockets / "fork.sock"

    def forked(self, program: Program) -> Program:
        """Return the program as one that is forked from the fork server."""
        return replace(program, fork_from=self.fork_socket)

    def poll(self) -> None:
        """Restart what died, and say so; a dead orphan of theirs is nobody else's to collect."""
        for death in self.supervisor.poll():
            self.screen.say(f"{death} (log {self.home.logs / death.name}.log)")
        bury_orphans(self.supervisor.pids)

    def wait_ready(self, name: str, seconds: float) -> None:
        """Wait until a program is ready; raises ``TransientError`` when it is not in time."""
        self.supervisor.wait_ready(name, seconds, self.poll)

    def sleep(self, seconds: float) -> None:
        """Let time pass with an eye on the children."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(_POLL_SECONDS)
            self.poll()
