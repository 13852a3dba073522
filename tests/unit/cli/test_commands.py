"""The table of contents of `swarm`, and how it fails."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from swarm.cli import main
from swarm.cli.app import app
from swarm.cli.output import guarded

COMMANDS = (
    "up", "submit", "status", "show", "audit", "run-once", "doctor", "dead", "escalations",
    "publisher", "legacy", "home", "erase", "release", "ignored", "quarantine",
    "backup", "restore", "reconcile", "service",
)  # fmt: skip


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which nothing is set and nothing runs."""
    for name in ("DATABASE_URL", "SWARM_SANDBOX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SWARM_HOME", str(tmp_path))
    return tmp_path


def test_every_command_is_listed_and_explains_itself() -> None:
    listed = CliRunner().invoke(app, ["--help"]).stdout
    for command in COMMANDS:
        assert command in listed
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


@pytest.mark.parametrize(
    "command",
    [["status"], ["show", "x"], ["audit"], ["dead", "list"], ["escalations", "list"],
     ["publisher", "show"], ["submit", "x.eml"]],
)  # fmt: skip
@pytest.mark.usefixtures("nowhere")
def test_without_an_installation_a_command_says_how_to_start_one(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        guarded(lambda: app(command))
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "no installation runs in" in said
    assert "swarm up" in said
    assert len(said.splitlines()) == 1


@pytest.mark.usefixtures("nowhere")
def test_the_doctor_is_content_with_a_fresh_machine() -> None:
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 0, result.stdout


def test_the_entry_point_is_the_one_that_is_installed() -> None:
    assert callable(main)
