"""Which processes make up an installation, in the order they are started.

Stopping goes backwards. How a process is kept alive is the supervisor's business (``supervisor``).
"""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import httpx

from swarm.errors import ConfigurationError
from swarm.installation.environment import knowing_nothing
from swarm.installation.home import Home
from swarm.up.processes import Program, python

LOCATION = "swarm_assets"
_DEFINITIONS = "swarm_assets.definitions"
_PRELOAD = "swarm_assets.runtime.preload:load"
_LOCATIONS = (
    "{ workspaceOrError { ... on Workspace {"
    " locationEntries { locationOrLoadError { __typename } } } } }"
)
_LEGACY_PUBLISHING = ("pipeline_daemon", "publish_sender")

# Lines of the shipped dagster.yaml, which is written for two workers.
_LANE = "value: work_order, limit: {}}}"
_MOST = "max_concurrent_runs: {}\n"
_STORAGE = "      postgres_url: {env: DAGSTER_POSTGRES_URL}\n"
_TABLES_ARE_MADE = (
    "      should_autocreate_tables: false  # by swarm_assets.runtime.dagster_tables\n"
)
_LANE_PER_WORKER = 3
_SHIPPED_LIMIT = 6
_ALL_OTHER_RUNS = 4
_NICE = 10


def postgres(home: Home, environment: Mapping[str, str], max_connections: int) -> Program:
    """Return the embedded database server's keeper; ready when its URL file is there."""
    url_file = home.run / "postgres.url"
    return Program(
        "postgres",
        python(
            "swarm.up.postgres_keeper", str(home.postgres), str(url_file),
            str(home.database_logins), str(max_connections),
        ),
        environment,
        ready=url_file.exists,
        stop_seconds=30.0,
        foundation=True,
    )  # fmt: skip


def sandbox(home: Home, environment: Mapping[str, str], port: int) -> Program:
    """Return the doubles of Graph, monday and Zapier."""
    return Program(
        "sandbox",
        python("swarm.sandbox", "--port", str(port), "--state", str(home.sandbox)),
        environment,
        ready=lambda: answers(port),
        foundation=True,
    )


def fork_server(environment: Mapping[str, str], fork_socket: Path) -> Program:
    """Return the process from which the programs of the new path are forked; ready when it has
    loaded them.

    It knows no login and no key, or every program would. Today's path leans on none of it: it is
    executed, so that it runs when nothing here can be loaded.
    """
    return Program(
        "fork-server",
        python("swarm.up.fork_server", str(fork_socket), _PRELOAD),
        knowing_nothing(environment),
        ready=fork_socket.exists,
        foundation=True,
    )


def intake(environment: Mapping[str, str]) -> Iterator[Program]:
    """Yield the two daemons that make work orders out of the mailbox; legacy owns the intake."""
    for name in ("email_work_order_service", "intake_stream_processor"):
        yield Program(name, python(f"swarm.legacy.{name}"), environment)


def legacy_publishing(environment: Mapping[str, str]) -> Iterator[Program]:
    """Yield the rest of today's path; raises ``ConfigurationError`` when this build lacks it."""
    for name in _LEGACY_PUBLISHING:
        if find_spec(f"swarm.legacy.{name}") is None:
            raise ConfigurationError(
                f"--with-legacy: swarm.legacy.{name} is not part of this build"
            )
        yield Program(name, python(f"swarm.legacy.{name}"), environment)


def code_server(environment: Mapping[str, str], code_socket: Path) -> Program:
    """Return the one code server that daemon and webserver share: half the memory, one import."""
    return Program(
        "code-server",
        python(
            "dagster", "api", "grpc", "--socket", str(code_socket), "-m", _DEFINITIONS,
            "--location-name", LOCATION, "--log-level", "warning",
        ),
        environment,
        ready=code_socket.exists,
    )  # fmt: skip


def workers(
    environment: Mapping[str, str], shadow: Mapping[str, str], concurrency: int
) -> Iterator[Program]:
    """Yield the warm run workers of each queue; a stop lets the runs in hand finish.

    The one that compares and judges is nice, for live traffic goes before; it has two processes, so
    that no planned look waits for a backfill. ``shadow`` is its environment.
    """
    for name, queue, processes, given in (
        ("workers", "dagster", concurrency, environment),
        ("publisher", "publishing", 1, environment),
        ("shadow", "shadow", 2, shadow),
    ):
        if not processes:
            continue  # all of them on other hosts
        nice = _NICE if queue == "shadow" else 0
        command = worker_command(name, queue, processes)
        yield Program(name, command, given, stop_seconds=20.0, niceness=nice)


def worker_command(name: str, queue: str, processes: int) -> tuple[str, ...]:
    """Return the argv of a worker of one queue; ``name`` tells it apart from others of its host."""
    return python(
        "swarm_assets.runtime.worker",
        "--name", name, "--queue", queue, "--processes", str(processes),
    )  # fmt: skip


def prefetcher(environment: Mapping[str, str]) -> Program:
    """Return who has the model's answers recorded before the runs that need them."""
    return Program("prefetcher", python("swarm.prefetch"), environment, stop_seconds=20.0)


def daemon(home: Home, environment: Mapping[str, str]) -> Program:
    """Return Dagster's daemon: sensors, run queue, run monitoring; the only one of its database."""
    argv = python(
        "swarm_assets.runtime.one_daemon", "run", "-w", str(home.workspace),
        "--log-level", "warning",
    )  # fmt: skip
    return Program("dagster-daemon", argv, environment)


def webserver(home: Home, environment: Mapping[str, str], port: int) -> Program:
    """Return the UI, on loopback only: it has no login of its own."""
    argv = _webserver(home, port)
    return Program("webserver", argv, environment, ready=lambda: _shows_our_code(port))


def read_only_webserver(home: Home, environment: Mapping[str, str], port: int) -> Program:
    """Return the UI for people who only look: it refuses every mutation itself."""
    argv = (*_webserver(home, port), "--read-only")
    return Program("webserver-read-only", argv, environment, ready=lambda: answers(port))


def _webserver(home: Home, port: int) -> tuple[str, ...]:
    where = ("-h", "127.0.0.1", "-p", str(port), "-w", str(home.workspace))
    return python("dagster_webserver", *where)


def watchman(environment: Mapping[str, str], port: int) -> Program:
    """Return who looks after everybody else: alerts out of the house, /metrics, /healthz."""
    argv = python("swarm.watchman", "--port", str(port))
    return Program("watchman", argv, environment, ready=lambda: answers(port))


def desk(environment: Mapping[str, str], port: int) -> Program:
    """Return the support lead's page, on loopback only: its login is the proxy's in front of it."""
    argv = python("swarm.desk", "--port", str(port))
    return Program("desk", argv, environment, ready=lambda: answers(port))


def write_dagster_home(home: Home, code_socket: Path, workers: int) -> None:
    """Put ``dagster.yaml`` and the workspace of the shared code server where Dagster looks.

    ``workers``: how many processes take work orders, on all hosts.
    """
    write_dagster_settings(home, workers)
    home.workspace.write_text(
        "load_from:\n"
        "  - grpc_server:\n"
        f"      socket: {json.dumps(str(code_socket))}\n"
        f"      location_name: {LOCATION}\n",
        "utf-8",
    )


def write_dagster_settings(home: Home, workers: int) -> None:
    """Put ``dagster.yaml`` where Dagster looks, with room for three work orders a worker: so many
    it ends between two looks at the queue, and none waits long in Celery's.
    """
    in_hand = _LANE_PER_WORKER * max(workers, 1)
    text = _shipped("dagster.yaml")
    for shipped, ours in (
        (_LANE.format(_SHIPPED_LIMIT), _LANE.format(in_hand)),
        (_STORAGE, _STORAGE + _TABLES_ARE_MADE),
        (_MOST.format(_SHIPPED_LIMIT + _ALL_OTHER_RUNS), _MOST.format(in_hand + _ALL_OTHER_RUNS)),
    ):
        if shipped not in text:
            raise ConfigurationError(f"dagster.yaml of this build has no line {shipped!r}")
        text = text.replace(shipped, ours)
    (home.dagster / "dagster.yaml").write_text(text, "utf-8")


def _shipped(name: str) -> str:
    """Read a file that lies beside the package in a checkout, and inside it in a wheel."""
    spec = find_spec(LOCATION)
    if spec is None or spec.origin is None:
        raise ConfigurationError(f"the package {LOCATION} is not installed")
    package = Path(spec.origin).parent
    for folder in (package, package.parent):
        if (folder / name).exists():
            return (folder / name).read_text("utf-8")
    raise ConfigurationError(f"{name} is missing beside the package {LOCATION}")


def _shows_our_code(port: int) -> bool:
    """Tell whether a UI has loaded our definitions: until then it knows no job that is pressed."""
    if not answers(port):
        return False
    try:
        said = httpx.post(
            f"http://127.0.0.1:{port}/graphql", json={"query": _LOCATIONS}, timeout=2.0,
            trust_env=False,
        )  # fmt: skip
    except httpx.HTTPError:
        return False
    return '"RepositoryLocation"' in said.text


def answers(port: int) -> bool:
    """Tell whether something accepts connections on this port of the loopback."""
    with closing(socket.socket()) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def port_free(port: int) -> bool:
    """Tell whether a server could listen on this port of the loopback."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def any_free_port() -> int:
    """Return a port that is free now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
