"""`swarm legacy` and the legacy part of `swarm status`: what they print and how they exit."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from swarm.cli.app import app
from swarm.legacy.home import LegacyFiles
from swarm.legacy.jsonl import write_state
from swarm.sandbox import environment as sandbox_environment

pytestmark = pytest.mark.integration

NO_PORT = 9


@pytest.fixture(autouse=True)
def home(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation described by the environment alone."""
    monkeypatch.setenv("SWARM_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SWARM_KEY_SECRET", "test-secret")
    monkeypatch.delenv("SWARM_SANDBOX_URL", raising=False)
    for name, value in sandbox_environment(NO_PORT).items():
        monkeypatch.setenv(name, value)
    return tmp_path


def swarm(*arguments: str) -> Result:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_the_status_is_silent_about_a_path_that_never_ran() -> None:
    assert "legacy" not in swarm("status").stdout
    assert json.loads(swarm("status", "--json").stdout)["legacy"]["expected"] is False


def test_the_status_shows_heartbeat_and_lag(home: Path) -> None:
    files = LegacyFiles(home)
    write_state(files.pipeline_heartbeat, {"at": datetime.now(UTC).isoformat()})
    write_state(files.sender_heartbeat, {"at": "2026-01-01T00:00:00+00:00", "connected": False})
    said = swarm("status").stdout
    assert re.search(r"pipeline_daemon: heartbeat \d+ s ago, 0 bytes behind", said)
    assert "(stale), 0 bytes behind, without the ledger" in said


def test_legacy_in_office_that_never_ran_is_shown_as_missing() -> None:
    swarm("publisher", "rollback", "--reason", "drill")
    assert "publish_sender: never ran (stale)" in swarm("status").stdout


def test_a_proof_that_does_not_hold_names_its_reasons_and_is_a_no() -> None:
    refused = swarm("legacy", "proof")
    assert refused.exit_code == 1
    assert "pipeline_daemon has never run on this home" in refused.stdout
    assert json.loads(swarm("legacy", "proof", "--json").stdout)["holds"] is False


def test_taking_it_down_is_refused_with_every_reason() -> None:
    swarm("publisher", "rollback", "--reason", "drill")
    refused = swarm("legacy", "decommission", "--reason", "tired of it")
    assert refused.exit_code == 1
    assert "the publisher is legacy, not swarm" in refused.stdout
    assert "there was no cutover from legacy" in refused.stdout
    assert "it may not be taken down" in swarm("legacy", "show").stdout
