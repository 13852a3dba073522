"""A start that cannot be says so in a sentence, and the doctor says bad what is bad."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from installation import environment
from sink import Sink

from swarm.store import embedded

REAL_GRAPH = {"GRAPH_TENANT_ID": "t", "GRAPH_CLIENT_ID": "c", "GRAPH_CLIENT_SECRET": "s",
              "GRAPH_MAILBOX": "service@real.example"}  # fmt: skip


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


def swarm(home: Path, *arguments: str, **shell: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "swarm.cli", *arguments],
        env={**environment(home), **shell},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def a_sentence(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("port", ["99999", "0", "-1", "http"])
def test_a_port_that_is_none_is_named(tmp_path: Path, port: str) -> None:
    assert "--port" in a_sentence(swarm(tmp_path / "home", "up", "--port", port))
    assert not (tmp_path / "home").exists()


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"port {port}" in a_sentence(swarm(tmp_path / "home", "up", "--port", port))


def places(tmp_path: Path) -> dict[str, Path]:
    file = tmp_path / "file"
    file.write_text("not a folder")
    return {
        "a file": file,
        "below a file": file / "home",
        "where nobody may write": Path("/proc/swarm-home"),
        "with a quotation mark": tmp_path / 'say "home"',
        "with a dollar": tmp_path / "$HOME",
    }


@pytest.mark.parametrize("which", ["a file", "below a file", "where nobody may write",
                                   "with a quotation mark", "with a dollar"])  # fmt: skip
def test_a_home_that_cannot_be_one_is_named_and_the_doctor_says_bad(
    tmp_path: Path, which: str
) -> None:
    home = places(tmp_path)[which]
    assert "SWARM_HOME" in a_sentence(swarm(home, "up"))
    done = swarm(home, "doctor", "--json")
    assert done.returncode == 2, done.stdout
    assert [f["health"] for f in json.loads(done.stdout) if f["name"] == "home"] == ["bad"]


def test_the_doctor_asks_through_the_proxy_as_the_client_does(tmp_path: Path, sink: Sink) -> None:
    shell = {**REAL_GRAPH, "GRAPH_AUTHORITY": "http://login.invalid",
             "GRAPH_BASE_URL": "http://graph.invalid/v1.0", "HTTP_PROXY": sink.url}  # fmt: skip
    done = swarm(tmp_path / "home", "doctor", "--json", **shell)
    assert done.returncode == 2, done.stdout
    assert [f["health"] for f in json.loads(done.stdout) if f["name"] == "graph"] == ["bad"]
    assert any("login.invalid" in request for request in sink.requests)


@pytest.mark.parametrize(
    ("name", "shell"),
    [
        ("graph", {**REAL_GRAPH, "GRAPH_AUTHORITY": "http://127.0.0.1:9",
                   "GRAPH_BASE_URL": "http://127.0.0.1:9/v1.0"}),
        ("monday", {"MONDAY_TOKEN": "t", "MONDAY_CONTACTS_BOARD": "1", "MONDAY_DEALS_BOARD": "2",
                    "MONDAY_API_URL": "http://127.0.0.1:9"}),
        ("zapier", {"ZAPIER_HOOK_URL": "http://127.0.0.1:9/hooks/catch/1/secretpath/"}),
        ("model", {"MODEL_NAME": "m", "MODEL_BASE_URL": "http://127.0.0.1:9/v1",
                   "ZAPIER_HOOK_URL": "http://127.0.0.1:9/hooks/catch/1/secretpath/"}),
    ],
)  # fmt: skip
def test_the_doctor_says_bad_when_a_service_does_not_answer(
    tmp_path: Path, name: str, shell: dict[str, str]
) -> None:
    done = swarm(tmp_path / "home", "doctor", "--json", **shell)
    assert done.returncode == 2, done.stdout
    assert [f["health"] for f in json.loads(done.stdout) if f["name"] == name] == ["bad"]
    assert "secretpath" not in done.stdout


def test_the_doctor_sends_the_hook_nothing(tmp_path: Path, sink: Sink) -> None:
    done = swarm(tmp_path / "home", "doctor", "--json", ZAPIER_HOOK_URL=sink.hook_url)
    assert [f["health"] for f in json.loads(done.stdout) if f["name"] == "zapier"] == ["good"]
    assert sink.requests == []


@pytest.mark.parametrize("name", ["it's 100% #1", "x" * 120, "two  blanks & more"])
def test_the_embedded_server_starts_under_any_path_and_locale(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("LC_ALL", "LANG"):
        monkeypatch.setenv(variable, "xx_YY.UTF-8")
    data = tmp_path / name / "postgres"
    url = embedded.start(data)
    try:
        assert embedded.create_database(url) == url
        assert os.environ["LC_ALL"] == "xx_YY.UTF-8"
    finally:
        embedded.stop(data, immediate=True)
