"""A sandbox home never turns into a real one by a variable in somebody's shell.

One home that ran its samples among the doubles; every test starts something on it with services
that are not its own, and a sink that stands for the real hook hears nothing of its mails.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from installation import SWARM, environment, running_up
from sink import Sink

from swarm.store import embedded
from swarm.up.programs import any_free_port

pytestmark = pytest.mark.acceptance

GRAPH = {"GRAPH_TENANT_ID": "t", "GRAPH_CLIENT_ID": "c", "GRAPH_CLIENT_SECRET": "s",
         "GRAPH_MAILBOX": "service@real.example"}  # fmt: skip
MONDAY = {"MONDAY_TOKEN": "t", "MONDAY_CONTACTS_BOARD": "1", "MONDAY_DEALS_BOARD": "2"}


@pytest.fixture(scope="module")
def lived() -> Iterator[Path]:
    """A home that ran among the doubles until nothing was left to do."""
    folder = Path(tempfile.mkdtemp(prefix="swarm-world-"))
    done = up(folder / "home", {}, "--until-idle", "--timeout", "200")
    assert done.returncode == 0, done.stdout
    yield folder / "home"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def home(lived: Path, tmp_path: Path) -> Path:
    """The same home, copied: it is known by what is in it, not by its path."""
    copy = tmp_path / "home"
    shutil.copytree(lived, copy, ignore=shutil.ignore_patterns("*.sock", ".s.PGSQL*"))
    if os.geteuid() == 0:
        shutil.chown(copy / "postgres", "pgserver")
        for root, folders, files in os.walk(copy / "postgres"):
            for name in (*folders, *files):
                shutil.chown(Path(root, name), "pgserver")
    tmp_path.chmod(0o755)
    return copy


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


def up(home: Path, shell: dict[str, str], *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*SWARM, "up", "--port", str(any_free_port()), *options],
        env={**environment(home), **shell},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=400,
        check=False,
    )


@pytest.mark.parametrize("service", ["hook", "mailbox", "monday", "all"])
def test_a_real_service_in_the_shell_of_a_sandbox_home_refuses_to_start(
    lived: Path, sink: Sink, service: str
) -> None:
    hook = {"ZAPIER_HOOK_URL": sink.hook_url}
    shells = {"hook": hook, "mailbox": GRAPH, "monday": MONDAY, "all": {**hook, **GRAPH, **MONDAY}}
    done = up(lived, shells[service], "--until-idle", "--timeout", "60")
    assert done.returncode == 2, done.stdout
    assert "the double" in done.stdout
    assert "swarm home new" in done.stdout
    assert "--adopt" in done.stdout
    assert "Traceback" not in done.stdout
    assert "catch" not in done.stdout, "the hook's path is a secret"
    assert sink.requests == []


def test_the_same_home_still_starts_in_its_own_world(lived: Path) -> None:
    done = up(lived, {}, "--until-idle", "--timeout", "200")
    assert done.returncode == 0, done.stdout


def test_a_database_of_another_home_refuses_to_start(
    lived: Path, tmp_path: Path, database_url: str, postgres_server: str
) -> None:
    theirs = {"DATABASE_URL": database_url}
    other = tmp_path / "other"
    assert up(other, theirs, "--until-idle", "--no-samples", "--timeout", "100").returncode == 0
    done = up(lived, theirs, "--until-idle", "--timeout", "60")
    assert done.returncode == 2, done.stdout
    assert "another" in done.stdout
    fresh = embedded.create_database(postgres_server, "a_fresh_one", template="template_swarm")
    done = up(lived, {"DATABASE_URL": fresh}, "--until-idle", "--timeout", "60")
    assert done.returncode == 2, done.stdout
    assert "belongs to another database" in done.stdout
    with psycopg.connect(fresh) as connection:
        assert connection.execute("SELECT count(*) FROM swarm.work_orders").fetchone() == (0,)


def test_programs_started_alone_carry_nothing_of_the_sandbox_to_a_real_hook(
    home: Path, sink: Sink, tmp_path: Path
) -> None:
    log = tmp_path / "up.log"
    with running_up(home, log, "--no-samples", "--port", str(any_free_port())):
        run = home / "run" / "environment.json"
        described = json.loads(run.read_text("utf-8"))
        strange = {**os.environ, **described, "ZAPIER_HOOK_URL": sink.hook_url}
        forced_open(described["DATABASE_URL"])
        for module in ("publish_sender", "pipeline_daemon"):
            subprocess.run(
                [sys.executable, "-m", f"swarm.legacy.{module}", "--once"],
                env=strange, capture_output=True, timeout=120, check=False,
            )  # fmt: skip
        one_round = subprocess.run(
            [sys.executable, "-c", ROUND], env=strange, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        assert "another world may not publish" in one_round.stderr, one_round.stderr
        submitted = subprocess.run(
            [*SWARM, "submit", "-"],
            env={**environment(home), "ZAPIER_HOOK_URL": sink.hook_url},
            input="From: a@example.org\nSubject: x\n\nhello", text=True, capture_output=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert submitted.returncode == 2, submitted.stdout
        assert "another world" in submitted.stderr
    assert sink.requests == []


ROUND = """
import logging, warnings
logging.basicConfig(); warnings.simplefilter("ignore")
import dagster as dg
from swarm_assets.definitions import build_definitions
job = build_definitions().resolve_job_def("publications")
with dg.DagsterInstance.ephemeral() as instance:
    job.execute_in_process(instance=instance, raise_on_error=False)
"""


def forced_open(database_url: str) -> None:
    """Make every publication of the sandbox due again, as if nobody had posted it."""
    with psycopg.connect(database_url, options="-c search_path=swarm") as connection:
        changed = connection.execute(
            "UPDATE publication_ledger SET state = 'READY', attempts = 0, ever_uncertain = false,"
            " not_before = now() + interval '1 hour' WHERE state = 'CONFIRMED'"
        )
        assert changed.rowcount > 0


def test_an_adopted_home_closes_the_sandbox_and_gives_publishing_to_todays_path(
    home: Path, sink: Sink, tmp_path: Path
) -> None:
    log, hook = tmp_path / "up.log", {"ZAPIER_HOOK_URL": sink.hook_url}
    done = up(home, hook, "--adopt", "--until-idle", "--no-samples", "--timeout", "100")
    assert "publisher legacy" in done.stdout, done.stdout
    assert list(home.glob("before-*/intake/work_orders.jsonl"))
    assert sink.requests == []
    done = up(home, {}, "--until-idle")
    assert done.returncode == 2, "it is no sandbox any longer"
    done = up(home, {}, "--until-idle", "--adopt")
    assert done.returncode == 2
    assert "sandbox" in done.stdout
    shell = {**environment(home), **hook}
    with running_up(home, log, "--no-samples", "--with-legacy", "--port", str(any_free_port()),
                    shell=hook):  # fmt: skip
        shown = subprocess.run([*SWARM, "publisher", "show"], env=shell, capture_output=True,
                               text=True, timeout=60, check=False)  # fmt: skip
        assert shown.stdout.startswith("legacy publishes"), shown.stdout + shown.stderr
    assert sink.requests == []
