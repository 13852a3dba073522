"""A canary in every program: the shell names tracers and proxies, and a sink hears nothing of them.

Each program gets a mail with a word nobody else uses, an environment in which every tracer we know
of is switched on towards the sink, and the sink as proxy for everything that is not this machine.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sink import Sink

from swarm.sandbox import environment as sandbox_environment
from swarm.sandbox import model_environment
from swarm.sandbox.server import RunningSandbox

CANARY = "zanzibarquokka"
MAIL = (
    "From: Anna Keller <anna@example.org>\nTo: service@example.com\nSubject: Order 10482\n"
    f"Message-ID: <1@example.org>\n\nHello,\n\nwhere is my {CANARY}? Order 10482.\n\nAnna\n"
)

ONE_RUN = """
import warnings; warnings.simplefilter("ignore")
import sys; sys.path.insert(0, {support!r})
import dagster as dg
from dagster_house import House
from replying import services
with dg.DagsterInstance.ephemeral() as instance:
    done = House(instance, services()).run()
    assert done.success
"""

GRAPHS = """
import {first}
from pathlib import Path
from swarm.cli.once import drive
assert drive(Path({mail!r})).key
from langsmith.utils import tracing_is_enabled
assert not tracing_is_enabled()
"""


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    path = tmp_path / "mail.eml"
    path.write_text(MAIL)
    return path


def shell(sink: Sink, home: Path, **more: str) -> dict[str, str]:
    """The shell of somebody who traces all his other projects."""
    switched_on = (
        "LANGCHAIN_TRACING_V2", "LANGSMITH_TRACING", "LANGSMITH_TRACING_V2",
        "LANGSMITH_OTEL_ENABLED",
        "LANGCHAIN_VERBOSE", "DD_TRACE_ENABLED", "TRACELOOP_TRACE_CONTENT",
    )  # fmt: skip
    towards = (
        "LANGCHAIN_ENDPOINT", "LANGSMITH_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "LANGFUSE_HOST", "PHOENIX_COLLECTOR_ENDPOINT",
        "TRACELOOP_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy",
        "DAGSTER_TELEMETRY_URL",
    )  # fmt: skip
    return {
        "PATH": os.environ["PATH"],
        **dict.fromkeys(switched_on, "true"),
        **dict.fromkeys(towards, sink.url),
        "LANGSMITH_RUNS_ENDPOINTS": f'[{{"api_url": "{sink.url}", "api_key": "k"}}]',
        **dict.fromkeys(("LANGSMITH_API_KEY", "LANGCHAIN_API_KEY", "LANGFUSE_SECRET_KEY"), "k"),
        "SENTRY_DSN": sink.url.replace("http://", "http://key@") + "/1",
        "OPENAI_LOG": "debug",
        "SWARM_HOME": str(home),
        **more,
    }


def run(arguments: list[str], environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def silent(sink: Sink) -> bool:
    assert sink.requests == [], sink.requests[0][:200]
    return True


def test_run_once_thinks_in_silence(sink: Sink, mail: Path, tmp_path: Path) -> None:
    done = run(["-m", "swarm.cli", "run-once", str(mail)], shell(sink, tmp_path))
    assert done.returncode in (0, 1), done.stderr
    assert CANARY not in done.stderr
    assert silent(sink)


def test_a_chat_model_is_asked_and_nobody_else(sink: Sink, mail: Path, tmp_path: Path) -> None:
    with RunningSandbox(tmp_path / "sandbox", samples=False) as sandbox:
        model = model_environment(sandbox.port)
        done = run(
            ["-m", "swarm.cli", "run-once", str(mail)], shell(sink, tmp_path / "home", **model)
        )
    assert done.returncode in (0, 1), done.stderr
    assert CANARY not in done.stderr
    assert silent(sink)


def test_a_run_of_the_code_location_tells_nobody(sink: Sink, tmp_path: Path) -> None:
    support = str(Path(__file__).parents[2] / "support")
    done = run(["-c", ONE_RUN.format(support=support)], shell(sink, tmp_path))
    assert done.returncode == 0, done.stderr
    assert silent(sink)


@pytest.mark.parametrize("first", ["swarm", "swarm_assets", "swarm.stages.graph_runner",
                                   "swarm_assets.definitions", "swarm_assets.runtime.celery_app",
                                   "swarm.legacy.publish_sender"])  # fmt: skip
def test_whatever_of_ours_is_imported_first_tracing_is_off(
    sink: Sink, mail: Path, tmp_path: Path, first: str
) -> None:
    environment = shell(sink, tmp_path, CELERY_BROKER_DIR=str(tmp_path / "broker"))
    done = run(["-c", GRAPHS.format(first=first, mail=str(mail))], environment)
    assert done.returncode == 0, done.stderr
    assert silent(sink)


@pytest.mark.parametrize("program", ["email_work_order_service", "intake_stream_processor",
                                     "pipeline_daemon", "publish_sender"])  # fmt: skip
def test_todays_programs_tell_nobody(sink: Sink, tmp_path: Path, program: str) -> None:
    nobody = "postgresql://nobody@127.0.0.1:9/none"
    home = tmp_path / "home"
    environment = shell(
        sink, home, DATABASE_URL=nobody, SWARM_KEY_SECRET="s", **sandbox_environment(9)
    )
    (home / "intake").mkdir(parents=True)
    (home / "intake" / "events.jsonl").write_text(f'{{"body_text": "{CANARY}"}}\n')
    done = run(["-m", f"swarm.legacy.{program}", "--once"], environment)
    assert "Traceback" not in done.stderr, done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert silent(sink)


COMMANDS = (
    ("doctor",), ("status",), ("show", "x"), ("audit",), ("submit", "-"), ("dead", "list"),
    ("escalations", "list"), ("home", "show"), ("publisher", "show"), ("legacy", "show"),
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_tells_nobody(sink: Sink, tmp_path: Path, command: tuple[str, ...]) -> None:
    done = run(["-m", "swarm.cli", *command], shell(sink, tmp_path / "home"))
    assert "Traceback" not in done.stderr, done.stderr
    assert silent(sink)
