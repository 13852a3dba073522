"""``swarm up`` from start to stop: prepare, start everything in order, watch, stop everything.

The order of starting is readable in :func:`_start`. Each part lives in a module of its own.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

import psycopg

from swarm.errors import DatabaseUnavailableError, RefusedError, TransientError
from swarm.publishing import control
from swarm.sandbox import environment as sandbox_environment
from swarm.settings import load_settings
from swarm.store.database import Database
from swarm.store.migrate import migrate
from swarm.up import programs
from swarm.up.environment import (
    Addresses,
    children_environment,
    described,
    doubles,
    home_of,
    sandbox_part,
)
from swarm.up.feeding import feed_samples
from swarm.up.home import Home, write_private
from swarm.up.idle import Idle
from swarm.up.processes import Program, python, sweep
from swarm.up.progress import Picture, look
from swarm.up.supervisor import Supervisor
from swarm.up.view import Screen

_LOOK_SECONDS = 1.0
_POLL_SECONDS = 0.2
_PLACEHOLDER_URL = "postgresql:///swarm"  # for checking the settings before Postgres runs


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line of ``swarm up`` asks for."""

    until_idle: bool = False
    samples: bool = True
    port: int = 3000
    with_legacy: bool = False
    workers: int = 2
    timeout: float = 600.0


@dataclass(slots=True)
class Installation:
    """One ``swarm up`` while it runs."""

    options: Options
    user: Mapping[str, str]
    home: Home
    screen: Screen
    supervisor: Supervisor
    doubles: frozenset[str]
    sandbox_port: int
    environment: dict[str, str] = field(default_factory=dict)

    def compute_environment(self, database_url: str) -> None:
        """Work out the children's environment and prove it complete; raises ``ConfigurationError``."""
        used = sandbox_part(sandbox_environment(self.sandbox_port), self.doubles)
        addresses = Addresses(database_url, self.options.port)
        secret = self.user.get("SWARM_KEY_SECRET") or self.home.key_secret()
        self.environment = children_environment(self.user, self.home, addresses, secret, used)
        os.environ.update(self.environment)
        load_settings()


def up(options: Options, screen: Screen) -> int:
    """Run the installation until Ctrl-C, SIGTERM or (``until_idle``) until all is done.

    Returns the exit code: 0 stopped or all work orders final, 1 time ran out with some unfinished.
    Raises ``RefusedError`` when the port or the home is taken, ``ConfigurationError`` for settings.
    """
    user = dict(os.environ)
    home = home_of(user)
    _check_port(options.port)
    home.prepare()
    with home.locked(), _signals_as_interrupt():
        for name in sweep(home.run):
            screen.say(f"ended {name}, left over from a supervisor that was killed")
        installation = Installation(
            options, user, home, screen, Supervisor(home.logs, home.run), doubles(user), _port(home)
        )
        try:
            return _run(installation)
        except KeyboardInterrupt:
            return 0
        finally:
            _stop(installation)


def _run(this: Installation) -> int:
    this.compute_environment(this.user.get("DATABASE_URL") or _PLACEHOLDER_URL)
    _start(this)
    database = Database(this.environment["DATABASE_URL"], max_connections=2, timeout=2.0)
    try:
        return _watch(this, database)
    finally:
        database.close()


def _start(this: Installation) -> None:
    """Start everything; each line leans on the ones above."""
    home, started = this.home, time.monotonic()
    if this.doubles:
        this.supervisor.start(programs.sandbox(home, this.environment, this.sandbox_port))
    this.compute_environment(_database_url(this))
    _prepare_database(this)
    code_socket = home.code_socket()
    code_socket.unlink(missing_ok=True)
    programs.write_dagster_home(home, code_socket)
    home.describe(described(this.environment, this.user))
    if this.doubles:
        _wait(this, "sandbox", 30)
    for program in programs.intake(this.environment):
        this.supervisor.start(program)
    this.supervisor.start(programs.code_server(this.environment, code_socket))
    _prepare_dagster(this)
    for program in _after_code_server(this):
        this.supervisor.start(program)
    _feed(this)
    _wait(this, "code-server", 120)
    _wait(this, "webserver", 120)
    this.screen.say(
        f"up after {time.monotonic() - started:.0f} s: http://127.0.0.1:{this.options.port}"
        f" (home {home.root}, logs {home.logs})"
    )


def _after_code_server(this: Installation) -> Iterator[Program]:
    yield programs.workers(this.environment, this.options.workers)
    yield programs.daemon(this.home, this.environment)
    yield programs.webserver(this.home, this.environment, this.options.port)
    if this.options.with_legacy:
        yield from programs.legacy_publishing(this.environment)


def _database_url(this: Installation) -> str:
    if url := this.user.get("DATABASE_URL"):
        return url
    program = programs.postgres(this.home, this.environment)
    (this.home.run / "postgres.url").unlink(missing_ok=True)
    this.supervisor.start(program)
    _wait(this, program.name, 60)
    return (this.home.run / "postgres.url").read_text("utf-8")


def _prepare_database(this: Installation) -> None:
    url = this.environment["DATABASE_URL"]
    try:
        applied = migrate(url)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailableError(
            "Postgres cannot be reached", hint="check DATABASE_URL and that the server is up"
        ) from error
    if applied:
        this.screen.say(f"database brought up to date: {', '.join(applied)}")
    _appoint(this, url)


def _appoint(this: Installation, url: str) -> None:
    """Decide who publishes in a fresh database: with a real hook, today's path keeps the right."""
    publisher = "swarm" if "zapier" in this.doubles else "legacy"
    reason = "sandbox" if publisher == "swarm" else "a real hook: cutover needs a certificate"
    database = Database(url, max_connections=1)
    try:
        if control.appoint_initial(database, publisher, reason=reason):
            this.screen.say(f"publisher appointed: {publisher} ({reason})")
    finally:
        database.close()


def _prepare_dagster(this: Installation) -> None:
    """Create or migrate Dagster's tables once, before several processes would race to do it."""
    log = this.home.logs / "dagster-migrate.log"
    with log.open("ab") as output:
        done = subprocess.run(  # noqa: S603 - argv is ours
            python("dagster", "instance", "migrate"),
            env=this.environment, stdout=output, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    if done.returncode:
        raise TransientError("Dagster's tables could not be prepared", hint=f"see {log}")


def _feed(this: Installation) -> None:
    marker = this.home.sandbox / "samples-fed"
    if not this.options.samples or marker.exists():
        return
    fed = feed_samples(this.environment)
    write_private(marker, str(fed))
    this.screen.say(f"{fed} sample mails fed to the intake")


def _watch(this: Installation, database: Database) -> int:
    deadline = time.monotonic() + this.options.timeout
    idle = Idle(this.home, database)
    while True:
        _poll(this)
        picture = _picture(this, database)
        if this.options.until_idle:
            if picture is not None and idle.reached(picture):
                return 0
            if time.monotonic() >= deadline:
                this.screen.say(f"not idle after {this.options.timeout:g} s: {idle.waiting_for}")
                return 1
        _sleep(this, _LOOK_SECONDS)


def _picture(this: Installation, database: Database) -> Picture | None:
    try:
        picture = look(database)
    except DatabaseUnavailableError:
        return None  # the supervisor is bringing it back; the table stays as it was
    this.screen.show(picture)
    return picture


def _sleep(this: Installation, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(_POLL_SECONDS)
        _poll(this)


def _poll(this: Installation) -> None:
    for death in this.supervisor.poll():
        this.screen.say(f"{death} (log {this.home.logs / death.name}.log)")


def _wait(this: Installation, name: str, seconds: float) -> None:
    this.supervisor.wait_ready(name, seconds, lambda: _poll(this))


def _stop(this: Installation) -> None:
    """Stop everything; a second Ctrl-C must not leave half of it running."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    this.screen.say("stopping")
    this.supervisor.stop_all()
    this.home.description.unlink(missing_ok=True)


def _check_port(port: int) -> None:
    if not programs.port_free(port):
        raise RefusedError(
            f"port {port} of 127.0.0.1 is taken", hint="choose another: `swarm up --port N`"
        )


def _port(home: Home) -> int:
    """Return the sandbox's port: the one of last time when it is still free."""
    remembered = home.sandbox / "port"
    if remembered.exists() and programs.port_free(port := int(remembered.read_text("ascii"))):
        return port
    port = programs.any_free_port()
    remembered.write_text(str(port), "ascii")
    return port


@contextmanager
def _signals_as_interrupt() -> Iterator[None]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does; put the handlers back afterwards."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
