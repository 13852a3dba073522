"""`swarm doctor` says which of the many things is wrong, and what helps."""

import base64
import json
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path

import psycopg
import pytest
from installation import environment

from swarm.cli import reaching_graph
from swarm.cli.findings import Finding, Health
from swarm.sandbox.server import RunningSandbox
from swarm.settings import GraphSettings, Settings
from swarm.store import embedded

pytestmark = pytest.mark.integration


def doctor(home: Path, *options: str, **shell: str) -> list[dict[str, str]]:
    done = subprocess.run(
        [sys.executable, "-m", "swarm.cli", "doctor", "--json", *options],
        env={**environment(home), **shell}, capture_output=True, text=True, timeout=200,
        check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found


def line(found: list[dict[str, str]], name: str) -> dict[str, str]:
    return next(each for each in found if each["name"] == name)


REAL = {
    "GRAPH_TENANT_ID": "t", "GRAPH_CLIENT_ID": "c", "GRAPH_CLIENT_SECRET": "canary-secret",
    "GRAPH_MAILBOX": "service@example.com", "GRAPH_BASE_URL": "http://127.0.0.1:9",
    "GRAPH_AUTHORITY": "http://127.0.0.1:9", "MONDAY_TOKEN": "canary-secret",
    "MONDAY_API_URL": "http://127.0.0.1:9", "MONDAY_CONTACTS_BOARD": "1", "MONDAY_DEALS_BOARD": "2",
    "ZAPIER_HOOK_URL": "https://hooks.invalid/canary-secret", "SWARM_KEY_SECRET": "canary-secret",
}  # fmt: skip


def test_every_field_of_every_settings_class_is_explained_and_no_secret_is_told(
    tmp_path: Path,
) -> None:
    shell = {**REAL, "DATABASE_URL": "postgresql://canary:canary-secret@127.0.0.1:1/x"}
    found = doctor(tmp_path, **shell)
    told = {each["name"] for each in found if each["area"] == "settings"}
    for part in fields(Settings):
        prefix = str(part.type.model_config.get("env_prefix", ""))  # type: ignore[union-attr]
        for name, about in part.type.model_fields.items():  # type: ignore[union-attr]
            assert f"{prefix}{name}".upper() in told
            assert about.description
    assert "canary-secret" not in json.dumps(found)
    secret = line(found, "GRAPH_CLIENT_SECRET")
    assert secret["detail"].startswith("set: ")
    assert secret["detail"].endswith("(a secret)")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://u:p@127.0.0.1:{closed}/swarm", "nothing listens"),
        ("postgresql://u:p@no-such-host.invalid/swarm", "host name is unknown"),
        ("postgresql://postgres:p@127.0.0.1:{server}/no_such_database", "no such database"),
        ("postgresql://nobody_known:p@127.0.0.1:{server}/swarm", "refuses the password"),
        ("postgresql://postgres:wrong@127.0.0.1:{server}/swarm", "refuses the password"),
        ("postgresql://postgres@127.0.0.1:{server}/swarm?sslmode=require", "TLS"),
        ("postgresql:///swarm?host=/no/such/folder", "socket is not there"),
    ],
)
def test_what_keeps_us_out_of_postgres_is_named(
    url: str, says: str, tcp_server: int, tmp_path: Path
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = unused.getsockname()[1]
        found = doctor(
            tmp_path, **REAL, DATABASE_URL=url.format(closed=closed, server=tcp_server)
        )  # fmt: skip
    postgres = line(found, "postgres")
    assert postgres["health"] == "bad"
    assert says in postgres["detail"]
    assert postgres["helps"]


@pytest.fixture(scope="module")
def tcp_server() -> Iterator[int]:
    """A port behind which a server wants a password of everybody, but for one name."""
    data = Path(tempfile.mkdtemp(prefix="swarm-pg-"))
    try:
        url = embedded.start(data)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER ROLE postgres PASSWORD 'right'")
            (data / "pg_hba.conf").write_text(
                "local no_such_database all trust\nlocal all all scram-sha-256\n"
            )
            connection.execute("SELECT pg_reload_conf()")
        folder = (data / "postmaster.pid").read_text().splitlines()[4]
        with forwarded(Path(folder, ".s.PGSQL.5432")) as port:
            yield port
        embedded.stop(data)
    finally:
        shutil.rmtree(data, ignore_errors=True)


@contextmanager
def forwarded(target: Path) -> Iterator[int]:
    """A TCP port that leads to a unix socket: the embedded server listens nowhere else."""

    class Both(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as server:
                server.connect(str(target))
                back = threading.Thread(target=pump, args=(server, self.request), daemon=True)
                back.start()
                pump(self.request, server)
                back.join(5)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Both) as listening:
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield int(listening.server_address[1])
        listening.shutdown()


def pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        held: list[socket.socket] = []
        over = threading.Event()

        def hold() -> None:
            listening.settimeout(0.2)
            while not over.is_set():
                try:
                    held.append(listening.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=hold, daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])
        over.set()
        thread.join()
        for each in held:
            each.close()


def test_a_service_that_never_answers_does_not_hold_the_doctor(tmp_path: Path) -> None:
    with silent_port() as port:
        shell = {**REAL, "MONDAY_API_URL": f"http://127.0.0.1:{port}"}
        found = doctor(tmp_path, "--timeout", "4", **shell)
    late = [each for each in found if "of this command were over" in each["detail"]]
    assert late
    assert line(found, "python")["health"] == "good", "what came before is told all the same"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    with RunningSandbox(tmp_path / "sandbox") as running:
        yield running


def graph(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, **other: str
) -> dict[str, Finding]:
    for name, value in {**sandbox.environment, **other}.items():
        monkeypatch.setenv(name, value)
    found = reaching_graph.graph(GraphSettings(), "colleague@example.com")
    return {each.name: each for each in found}


def test_the_mailbox_is_proven_step_by_step_and_a_second_one_that_is_shown_is_bad(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = graph(sandbox, monkeypatch)
    for name in ("graph clock", "graph token", "graph rights", "graph mailbox", "graph new mail"):
        assert found[name].health is Health.GOOD, found[name]
    # The double shows every mailbox to everybody: an app that is not limited.
    assert found["graph scope"].health is Health.BAD
    assert "not limited" in found["graph scope"].detail


def test_a_wrong_secret_ends_at_the_token_with_what_helps(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = graph(sandbox, monkeypatch, GRAPH_CLIENT_SECRET="canary")
    assert found["graph token"].health is Health.BAD
    assert "7000215" in found["graph token"].detail
    assert "value" in found["graph token"].helps
    assert "graph mailbox" not in found


@pytest.mark.parametrize(
    ("roles", "health", "says"),
    [
        (["Mail.Send"], Health.BAD, "send"),
        (["Mail.ReadWrite"], Health.NOTE, "every mailbox"),
        ([], Health.GOOD, "nothing on the whole tenant"),
    ],
)
def test_a_token_that_may_too_much_is_named(roles: list[str], health: Health, says: str) -> None:
    body = base64.urlsafe_b64encode(json.dumps({"roles": roles}).encode()).decode().rstrip("=")
    assert reaching_graph.roles_of(f"head.{body}.signature") == tuple(roles)
    (found,) = reaching_graph.rights(f"head.{body}.signature")
    assert found.health is health
    assert says in found.detail


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", "a.W10.c", "a.eyJyb2xlcyI6MX0.c"])
def test_a_token_that_cannot_be_read_claims_nothing(token: str) -> None:
    assert reaching_graph.roles_of(token) == ()


def test_eighty_columns_hold_every_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "swarm.cli", "doctor"],
        env={**environment(tmp_path), **REAL, "COLUMNS": "80"},
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "FAIL" in done.stdout
    assert "canary" not in done.stdout
