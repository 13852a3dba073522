"""Every command, option, file and path that ``deploy/`` names is there.

No container was built from these files here: what can be checked without a container engine is that
they parse, and that nothing they name is made up.
"""

import json
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from swarm.settings import is_setting
from swarm.up.service import SystemdUnit

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
RAILWAY = sorted((DEPLOY / "railway").glob("*.json"))


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, continued lines joined, comments left out."""
    lines = [each for each in DOCKERFILE.splitlines() if not each.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [(each.split()[0], each.partition(" ")[2].strip()) for each in joined if each.strip()]


def of(instruction: str) -> list[str]:
    return [rest for name, rest in instructions() if name == instruction]


def commands() -> dict[str, list[str]]:
    """Every command of ours that a container or a unit runs."""
    ours = {
        name: service["command"]
        for name, service in SERVICES.items()
        if service.get("image") == "swarm-assets"
    }
    of_image = {"Dockerfile": json.loads(of("CMD")[-1])}
    of_railway = {
        path.name: shlex.split(json.loads(path.read_text())["deploy"]["startCommand"])
        for path in RAILWAY
    }
    unit = SystemdUnit(Path("/opt/swarm"), Path("/var/lib/swarm"), Path("/etc/swarm/environment"))
    return {**ours, **of_image, **of_railway, "systemd": ["swarm", "up", *unit.options]}


@cache
def help_of(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "swarm.cli", *command, "--help"],
        capture_output=True, text=True, check=True, env={"COLUMNS": "400", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("command", commands().values(), ids=commands())
def test_every_command_and_each_of_its_options_exists(command: list[str]) -> None:
    program, name, *given = command
    assert program == "swarm"
    said = help_of(name)
    for option in given:
        if option.startswith("--"):
            assert option in said.split(), option


def test_the_services_of_the_compose_file_lean_on_one_another() -> None:
    assert {*SERVICES} == {"postgres", "redis", "swarm", "worker", "front"}
    for service in SERVICES.values():
        leans_on = service.get("depends_on", {})
        assert {*leans_on} <= {*SERVICES}
        assert {*service.get("networks", [])} <= {*COMPOSE["networks"]}
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source.startswith("./") or source in COMPOSE["volumes"]


def test_nothing_but_the_front_door_is_published() -> None:
    published = {name: each["ports"] for name, each in SERVICES.items() if "ports" in each}
    assert published == {"swarm": ["443:443", "80:80"]}
    assert SERVICES["front"]["network_mode"] == "service:swarm"
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert {*SERVICES["postgres"]["networks"], *SERVICES["redis"]["networks"]} == {"inside"}


def test_the_front_door_knows_the_ports_the_container_gives() -> None:
    given = SERVICES["swarm"]["command"]
    door = (DEPLOY / "nginx.conf").read_text()
    for upstream, option in (("ui", "--port"), ("desk", "--desk-port"), ("look", "--look-port"),
                             ("metrics", "--metrics-port")):  # fmt: skip
        port = given[given.index(option) + 1]
        named = " ".join(next(x for x in door.splitlines() if f"swarm_{upstream} " in x).split())
        assert named == f"upstream swarm_{upstream} {{ server 127.0.0.1:{port}; }}"


def test_there_is_room_for_every_worker_in_dagsters_queue() -> None:
    given, worker = SERVICES["swarm"]["command"], SERVICES["worker"]["command"]
    elsewhere = given[given.index("--workers-elsewhere") + 1]
    assert elsewhere == worker[worker.index("--processes") + 1]


def test_no_secret_stands_in_what_is_deployed() -> None:
    """Passwords come from files that are not here; the compose file does not start without."""
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if any(word in name for word in ("PASSWORD", "SECRET", "TOKEN", "URL")):
                assert ":?" in value, name
    example = (DEPLOY / "swarm.env.example").read_text()
    for line in example.splitlines():
        name, _, value = line.partition("=")
        if not line.startswith("#") and any(w in name for w in ("SECRET", "TOKEN", "KEY", "ID")):
            assert value == "", name
    assert "ARG" not in {name for name, _ in instructions()}


def test_every_setting_named_is_one() -> None:
    example = (DEPLOY / "swarm.env.example").read_text()
    named = [x.partition("=")[0] for x in example.splitlines() if x and not x.startswith("#")]
    for name in [*named, *SERVICES["swarm"]["environment"]]:
        assert is_setting(name), name


def test_the_image_is_built_in_two_stages_and_runs_as_nobody_in_particular() -> None:
    stages = of("FROM")
    assert len(stages) == 2
    assert stages[0].endswith("AS build")
    assert of("USER") == ["swarm"]
    assert instructions().index(("USER", "swarm")) > instructions().index(("FROM", stages[1]))
    assert "/healthz" in of("HEALTHCHECK")[0]
    assert "--require-hashes" in DOCKERFILE


def test_what_the_image_copies_is_there_and_reaches_it() -> None:
    let_in = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = {part for each in of("COPY") if "--from" not in each for part in each.split()[:-1]}
    assert copied == let_in
    assert all((ROOT / each).exists() for each in copied)


@pytest.mark.parametrize("path", RAILWAY, ids=[path.stem for path in RAILWAY])
def test_a_service_of_railway_builds_the_one_image(path: Path) -> None:
    described = json.loads(path.read_text())
    assert described["build"]["builder"] == "DOCKERFILE"
    assert (ROOT / described["build"]["dockerfilePath"]).is_file()
    assert described["deploy"]["numReplicas"] == 1
