"""`make run` is not silent while it installs, and says why when pip fails."""

import importlib.util
import stat
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "install.py"


def pip_that(tmp_path: Path, says: str, code: int) -> str:
    """A python whose pip says this and ends like that."""
    fake = tmp_path / "a python"
    fake.write_text(f"#!/bin/sh\ncat <<'X'\n{says}\nX\nexit {code}\n")
    fake.chmod(fake.stat().st_mode | stat.S_IEXEC)
    return str(fake)


def install(python: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(SCRIPT), python], capture_output=True, text=True, check=False
    )


def test_packages_are_counted_while_they_come(tmp_path: Path) -> None:
    said = "\n".join(f"Collecting package{n}==1.0" for n in range(45))
    done = install(pip_that(tmp_path, f"{said}\nInstalling collected packages: all", 0))
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("installing ")
    assert any(line.strip().startswith("40 of ") for line in lines)
    assert len(lines) < 20, "a log is not flooded"
    assert lines[-1].startswith("installed after")


def test_a_failure_shows_what_pip_said_and_ends_with_its_code(tmp_path: Path) -> None:
    done = install(pip_that(tmp_path, "ERROR: no matching distribution", 3))
    assert done.returncode == 3
    assert "no matching distribution" in done.stderr
    assert "installed" not in done.stdout.splitlines()[-1]


def test_a_terminal_shows_one_line_that_changes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    spec = importlib.util.spec_from_file_location("install", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    module.main(pip_that(tmp_path, "Collecting one==1\nCollecting two==2", 0))
    assert "\r  2 of" in capsys.readouterr().out
