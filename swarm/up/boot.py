"""``swarm up`` from start to stop: prepare, start everything in order, watch, stop everything.

The order of starting is readable in :func:`_start`. Each part lives in a module of its own.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from swarm.errors import RefusedError
from swarm.installation.environment import described, doubles, home_of
from swarm.installation.feeding import feed_samples, lay_samples
from swarm.installation.home import Home, write_private
from swarm.installation.logins import Logins, of_embedded, of_user
from swarm.installation.membership import require_home
from swarm.settings import load_settings
from swarm.sockets import remove_short
from swarm.up import programs
from swarm.up.connections import embedded_limit
from swarm.up.kinship import adopt_orphans
from swarm.up.postgres_keeper import stop_if_it_runs
from swarm.up.prepare import (
    appoint_publisher,
    bring_up_to_date,
    prepare_dagster,
    require_one_world,
    settle_world,
)
from swarm.up.processes import Program, sweep
from swarm.up.session import Options, Session
from swarm.up.supervisor import Supervisor
from swarm.up.view import Screen
from swarm.up.watch import conclude, watch

_PORTS = 65536
_PLACEHOLDER_URL = "postgresql:///swarm"  # to prove the settings before Postgres runs


def run(options: Options, screen: Screen) -> int:
    """Run the installation until Ctrl-C, SIGTERM or (``until_idle``) until all is done.

    Returns the exit code: 0 stopped, or all final and the audit clean; 1 not in time, or a breach.
    Raises ``RefusedError`` when the port or the home is taken, ``ConfigurationError`` for settings,
    ``TransientError`` for a process that does not come up.
    """
    user = dict(os.environ)
    home = home_of(user)
    _require_free(options.port, "--port")
    if options.look_port is not None:
        _require_free(options.look_port, "--look-port")
    os.umask(0o077)  # mails, secrets and sockets are the user's alone, whatever the shell's mask
    home.prepare()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, no child's end could be asked for
    with home.locked(), _signals_as_interrupt():
        for name in sweep(home.run):
            screen.say(f"ended {name}, left over from a supervisor that was killed")
        supervisor = Supervisor(home.logs, home.run)
        session = Session(
            options,
            user,
            home,
            screen,
            supervisor,
            doubles(user),
            _sandbox_port(home),
            *_side_ports(options),
        )
        try:
            return _run(session)
        except KeyboardInterrupt:
            return 0
        finally:
            _stop(session)


def _run(session: Session) -> int:
    settings = session.settle_environment(session.user.get("DATABASE_URL") or _PLACEHOLDER_URL)
    if not session.options.adopt:
        require_home(session.home, settings)
    fed = _start(session)
    done = watch(session, fed)
    return conclude(session, all_final=done)


def _start(session: Session) -> int:
    """Start everything; each line leans on the ones above. Returns how many samples were fed."""
    began, home, supervisor = time.monotonic(), session.home, session.supervisor
    _start_loading(session)
    settings = session.settle_logins(_logins(session))
    require_one_world(session, settings)
    bring_up_to_date(session)
    settle_world(session, settings)
    if session.doubles:  # not before: an adoption puts its files aside
        supervisor.start(programs.sandbox(home, session.environment, session.sandbox_port))
    appoint_publisher(session)
    programs.write_dagster_home(home, session.code_socket, session.options.all_workers)
    home.describe(described(session.commands_environment, session.user))
    if session.doubles:
        session.wait_ready("sandbox", 30)
    fed = _feed(session)
    for program in programs.intake(session.environment):
        supervisor.start(program)
    session.wait_ready("fork-server", 120)
    prepare_dagster(session)
    for program in _on_dagsters_tables(session):
        supervisor.start(session.forked(program))
    if session.options.with_legacy:
        for program in programs.legacy_publishing(session.environment):
            supervisor.start(program)
    session.wait_ready("code-server", 120)
    session.wait_ready("webserver", 120)
    session.screen.say(
        f"up after {time.monotonic() - began:.0f} s: http://127.0.0.1:{session.options.port}"
        f"  (home {home.root})"
    )
    return fed


def _start_loading(session: Session) -> None:
    """Let the code be loaded while the database starts: it is the longest part of a start."""
    session.sockets = session.home.sockets()
    for left in (session.code_socket, session.fork_socket):
        left.unlink(missing_ok=True)
    adopt_orphans()  # a forked program is one until it is ours
    session.supervisor.start(programs.fork_server(session.environment, session.fork_socket))


def _on_dagsters_tables(session: Session) -> Iterator[Program]:
    yield programs.code_server(session.environment, session.code_socket)
    yield programs.webserver(session.home, session.environment, session.options.port)
    yield programs.daemon(session.home, session.environment)
    yield from programs.workers(
        session.environment, session.shadow_environment, session.options.workers
    )
    if session.thinks_ahead:
        yield programs.prefetcher(session.environment)
    if session.options.look_port is not None:
        yield programs.read_only_webserver(
            session.home, session.environment, session.options.look_port
        )
    yield programs.watchman(session.environment, session.metrics_port)
    yield programs.desk(session.desk_environment, session.desk_port)


def _logins(session: Session) -> Logins:
    """Return the user's ``DATABASE_URL`` and its like, or start the embedded server."""
    if session.user.get("DATABASE_URL"):
        return of_user(session.user)
    url_file = session.home.run / "postgres.url"
    url_file.unlink(missing_ok=True)
    most = embedded_limit(session.options.workers)
    session.supervisor.start(programs.postgres(session.home, session.environment, most))
    session.wait_ready("postgres", 60)
    return of_embedded(url_file.read_text("utf-8"), session.home.database_logins)


def _feed(session: Session) -> int:
    """Feed the samples once in the life of a home, and never towards a real service."""
    marker = session.home.sandbox / "samples-fed"
    if not session.options.samples or marker.exists():
        return 0
    if session.sandbox_url is None or "zapier" not in session.doubles:
        session.screen.say("no samples: a real mailbox or hook is connected")
        return 0
    settings = load_settings()
    # A folder the house names is its own; nothing invented is laid into it.
    if not settings.core.knowledge_dir and (laid := lay_samples(session.home.knowledge)):
        session.screen.say(f"{laid} sample answers are in {session.home.knowledge}")
    fed = feed_samples(settings, session.sandbox_url)
    write_private(marker, str(fed))
    session.screen.say(f"{fed} sample mails are in the inbox")
    return fed


def _stop(session: Session) -> None:
    """Stop everything; a second Ctrl-C must not leave half of it running."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    session.screen.say("stopping")
    session.supervisor.stop_all()
    if not session.user.get("DATABASE_URL"):
        stop_if_it_runs(session.home.postgres)  # its keeper was about to be started again
    session.home.description.unlink(missing_ok=True)
    remove_short(session.sockets)


def _require_free(port: int, option: str) -> None:
    if not programs.port_free(port):
        raise RefusedError(
            f"port {port} of 127.0.0.1 is taken", hint=f"choose another with {option}"
        )


def _side_ports(options: Options) -> tuple[int, int]:
    """Return the ports of the desk and of the metrics: those asked for, else the two after the UI's
    as far as they are free.
    """
    return (
        _side_port(options.desk_port, options.port + 1, "--desk-port"),
        _side_port(options.metrics_port, options.port + 2, "--metrics-port"),
    )


def _side_port(asked: int | None, usual: int, option: str) -> int:
    if asked is not None:
        _require_free(asked, option)
        return asked
    return usual if usual < _PORTS and programs.port_free(usual) else programs.any_free_port()


def _sandbox_port(home: Home) -> int:
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

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in numbers:  # one is enough; another might cut the stopping short
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in numbers}
    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)  # whoever started us may block them
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
