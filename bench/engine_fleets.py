"""The engines that ``engines.py`` compares, as programs: how each starts, is given work orders, and
when it began and ended each of them, by its own account.

All of them look at the same tables and run the same stages; a Dagster has a database of its own for
Dagster's tables.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg
from dbos import DBOSClient
from engine_dbos import QUEUE, VERSION, WORKFLOW
from installation import environment
from rig import Doubles
from throughput import wait

from swarm.installation.home import Home
from swarm.sandbox import environment as sandbox_environment
from swarm.store import embedded
from swarm.up import programs as up
from swarm.up.processes import Program, python

HERE = Path(__file__).parent
NO_PORT = 9  # nothing is asked over HTTP
LAST_WORDS = 15  # lines of each program's log that are shown when the engine does not get on
Span = tuple[float, float]

OURS = """
SELECT extract(epoch FROM started_at)::float, extract(epoch FROM finished_at)::float
  FROM swarm.workflow_runs WHERE work_order_key = ANY(%s) AND finished_at IS NOT NULL
"""
DAGSTERS = """
SELECT extract(epoch FROM min(e.timestamp) FILTER (
           WHERE e.dagster_event_type = 'PIPELINE_STARTING'))::float,
       extract(epoch FROM max(e.timestamp) FILTER (
           WHERE e.dagster_event_type = 'PIPELINE_SUCCESS'))::float
  FROM run_tags t JOIN runs r USING (run_id) JOIN event_logs e USING (run_id)
 WHERE t.key = 'dagster/partition' AND t.value = ANY(%s) AND r.status = 'SUCCESS'
 GROUP BY run_id
"""
DBOSS = """
SELECT started_at_epoch_ms / 1000.0::float, completed_at / 1000.0::float
  FROM dbos.workflow_status WHERE workflow_uuid = ANY(%s) AND status = 'SUCCESS'
"""

STOCK = """
storage: {{postgres: {{postgres_url: "{url}"}}}}
run_launcher: {{module: dagster, class: DefaultRunLauncher}}
run_coordinator:
  module: dagster._core.run_coordinator
  class: QueuedRunCoordinator
  config: {{dequeue_interval_seconds: 1}}
concurrency: {{runs: {{max_concurrent_runs: {most}}}}}
telemetry: {{enabled: false}}
"""


@dataclass
class Fleet:
    """One engine. ``warm``: work orders that it gets before anything is measured."""

    name: str
    folder: Path
    url: str  # of our tables
    programs: Sequence[Program]
    warm: int
    settings: Mapping[str, str] = field(default_factory=dict)
    spans_url: str = ""
    spans_sql: str = OURS

    @contextmanager
    def running(self) -> Iterator["list[subprocess.Popen[bytes]]"]:
        """Its programs, until the end of the block."""
        processes: list[subprocess.Popen[bytes]] = []
        for left in self.folder.glob("run/*.sock"):  # by the turn before; it answers nobody
            left.unlink()
        try:
            processes.extend(map(self._started, self.programs))
            yield processes
        except SystemExit:
            for log in sorted(self.folder.glob("*.log")):
                print(log.name, *log.read_text().splitlines()[-LAST_WORDS:], sep="\n")
            raise
        finally:
            for process in reversed(processes):
                process.terminate()
            for process in processes:
                ended(process)

    def _started(self, program: Program) -> "subprocess.Popen[bytes]":
        log = self.folder / f"{program.name}.log"
        tied = (*python("swarm.up.die_with_parent", str(os.getpid())), *program.argv)
        with log.open("wb") as output:
            process = subprocess.Popen(tied, env=self.environment(), stdout=output, stderr=output)
        ready = program.ready or (lambda: True)
        wait(lambda: lives(process) and ready(), 120)
        return process

    def environment(self) -> dict[str, str]:
        """What its programs are given."""
        support = HERE.parent / "tests" / "support"
        return {
            **environment(self.folder),
            **sandbox_environment(NO_PORT),
            "DATABASE_URL": self.url,
            "PYTHONPATH": f"{HERE}:{support}",
            "SWARM_KEY_SECRET": "a secret of the bench",
            **self.settings,
        }

    def offer(self, rig: Doubles, keys: Sequence[str]) -> None:
        """Give it work orders, all at one moment."""
        rig.make_due(keys)

    def spans(self, keys: Sequence[str]) -> list[Span]:
        """When it took each work order in hand and was done with it; of those that it ended."""
        with psycopg.connect(self.spans_url or self.url) as connection:
            try:
                return connection.execute(self.spans_sql.encode(), ([*keys],)).fetchall()
            except psycopg.errors.UndefinedTable:  # made by its programs, at their first start
                return []


class DbosFleet(Fleet):
    """Its queue is its own: a workflow for each work order."""

    def offer(self, rig: Doubles, keys: Sequence[str]) -> None:
        rig.make_due(keys)
        client = DBOSClient(system_database_url=self.url)
        for key in keys:
            client.enqueue(
                {
                    "queue_name": QUEUE,
                    "workflow_name": WORKFLOW,
                    "workflow_id": key,
                    "app_version": VERSION,
                },
                key,
            )
        client.destroy()


def bare(folder: Path, url: str, at_once: int) -> Fleet:
    """Workers without an engine."""
    folder = made(folder / "bare")
    return Fleet("bare worker", folder, url, workers(folder, "engine_bare", at_once), 4 * at_once)


def dbos(folder: Path, url: str, at_once: int) -> Fleet:
    """Workers of DBOS on its queue."""
    folder = made(folder / "dbos")
    programs = workers(folder, "engine_dbos", at_once)
    return DbosFleet("DBOS", folder, url, programs, 4 * at_once, spans_sql=DBOSS)


def workers(folder: Path, module: str, at_once: int) -> list[Program]:
    """Processes that say when they are ready."""
    logs = {f"worker{number}": folder / f"worker{number}.log" for number in range(at_once)}
    return [
        Program(name, python(module), {}, ready=partial(says_ready, log))
        for name, log in logs.items()
    ]


def says_ready(log: Path) -> bool:
    return "ready" in log.read_text()


def ours(folder: Path, url: str, at_once: int) -> Fleet:
    """Dagster as `swarm up` runs it: pooled storage, warm workers behind Celery."""
    home = Home(made(folder / "ours"))
    code = code_server(home)
    up.write_dagster_home(home, code, at_once)
    worker = (*up.worker_command("workers", "dagster", at_once), "--include", "engine_location")
    started = [served(code), Program("workers", worker, {}), up.daemon(home, {})]
    fleet = dagster("Dagster, ours", home, url, started, 4 * at_once)
    tables = python("swarm_assets.runtime.dagster_tables")  # as `swarm up` makes them
    subprocess.run(tables, env=fleet.environment(), check=True, stdout=subprocess.DEVNULL)
    return fleet


def stock(folder: Path, url: str, at_once: int) -> Fleet:
    """Dagster as it comes: a process for each run, a connection for each call of its storage."""
    home = Home(made(folder / "stock"))
    code = code_server(home)
    up.write_dagster_home(home, code, at_once)
    settings = STOCK.format(url=dagster_url(url, home), most=2 * at_once)
    (home.dagster / "dagster.yaml").write_text(settings, "utf-8")
    daemon = Program("daemon", python("dagster._daemon", "run", "-w", str(home.workspace)), {})
    return dagster("Dagster, stock", home, url, [served(code), daemon], at_once)


def dagster(name: str, home: Home, url: str, programs: Sequence[Program], warm: int) -> Fleet:
    """A fleet of Dagster's programs, its tables in a database of its own."""
    settings = {
        "DAGSTER_HOME": str(home.dagster),
        "DAGSTER_POSTGRES_URL": dagster_url(url, home),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "CELERY_BROKER_URL": "filesystem://",
        "CELERY_BROKER_DIR": str(home.broker),
    }
    tables = embedded.create_database(url, home.root.name)
    return Fleet(
        name, home.root, url, programs, warm, settings, spans_url=tables, spans_sql=DAGSTERS
    )


def dagster_url(url: str, home: Home) -> str:
    tables = embedded.create_database(url, home.root.name)
    return tables.replace("postgresql://", "postgresql+psycopg2://")


def code_server(home: Home) -> Path:
    """Where the code server of this home listens."""
    for folder in (home.dagster, home.run, home.broker):
        folder.mkdir(parents=True, exist_ok=True)
    return home.run / "code.sock"


def served(socket: Path) -> Program:
    """The code server that a daemon asks."""
    argv = python(
        "dagster", "api", "grpc", "--socket", str(socket), "-m", "engine_location",
        "--location-name", up.LOCATION, "--log-level", "warning",
    )  # fmt: skip
    return Program("code-server", argv, {}, ready=socket.exists)


def lives(process: "subprocess.Popen[bytes]") -> bool:
    """True; the bench is over when it does not."""
    if process.poll() is not None:
        raise SystemExit(f"a program of the engine ended: {process.args!r}")
    return True


def ended(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
