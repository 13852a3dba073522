"""The unit systemd is given: whole, closed, and readable by systemd itself."""

import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from swarm.cli.app import app
from swarm.errors import ConfigurationError
from swarm.up.service import NAME, SystemdUnit


def swarm(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["service", *arguments])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


@pytest.mark.parametrize("kind", [(), ("--user",)], ids=["system", "user"])
def test_what_is_installed_is_what_is_shown_and_goes_again(
    kind: tuple[str, ...], tmp_path: Path
) -> None:
    prefix = ("--prefix", str(tmp_path))
    said = swarm("install", *kind, *prefix)
    (unit,) = tmp_path.rglob(NAME)
    assert unit.read_text().strip() == swarm("show", *kind).strip()
    assert "--with-legacy" in unit.read_text()
    (environment,) = tmp_path.rglob("swarm/environment")
    assert environment.stat().st_mode & 0o777 == 0o600
    assert "daemon-reload" in said
    environment.write_text("ZAPIER_HOOK_URL=https://hooks.invalid/secret\n")
    assert str(environment) not in swarm("install", *kind, *prefix).split("Next:")[0]
    assert "secret" in environment.read_text(), "a second install keeps what a person wrote"
    swarm("remove", *kind, *prefix)
    assert not unit.exists()
    assert environment.exists()


def test_an_environment_file_that_others_read_is_refused(tmp_path: Path) -> None:
    swarm("install", "--prefix", str(tmp_path))
    (environment,) = tmp_path.rglob("swarm/environment")
    environment.chmod(0o644)
    done = CliRunner().invoke(app, ["service", "install", "--prefix", str(tmp_path)])
    assert "chmod 600" in str(done.exception)


@pytest.mark.parametrize("name", ["plain", "with space", "100%", "ünï"])
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_itself_reads_it_under_odd_paths(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    program = folder / "swarm"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = SystemdUnit(program, folder, folder / "environment", user="root")
    file = tmp_path / NAME
    file.write_text(unit.text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if NAME in line]
    assert not ours, done.stderr
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["a\nExecStartPre=/bin/false", 'quo"te', "dol$lar", "back\\slash"])
def test_a_path_that_systemd_would_take_for_something_else_is_refused(name: str) -> None:
    odd = Path("/srv", name)
    with pytest.raises(ConfigurationError, match="unit file"):
        _ = SystemdUnit(odd, odd, odd).text


def test_what_lies_below_home_is_seen_and_a_long_path_shares_its_sockets() -> None:
    short = SystemdUnit(
        Path("/opt/swarm/bin/swarm"), Path("/var/lib/swarm"), Path("/etc/swarm/e")
    ).text
    assert "ProtectHome=true" in short
    assert "PrivateTmp=true" in short
    below = SystemdUnit(
        Path("/home/anna/swarm"), Path("/srv/" + "x" * 90), Path("/etc/swarm/e")
    ).text
    assert "ProtectHome=read-only" in below
    assert "PrivateTmp=false" in below
