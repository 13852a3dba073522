"""The gates where people meet them: the process, the checks in the UI, commands, the file."""

import json
import os
import warnings
from pathlib import Path

import dagster as dg
import pytest
import readiness_world
from home_environment import set_home
from readiness_world import Evidence
from typer.testing import CliRunner

from swarm.cli.app import app
from swarm.cutover import asking, certificate, html, must_escalate
from swarm.cutover.evaluated import Evaluation, JudgeRequest
from swarm.cutover.gates import GATES
from swarm.errors import RefusedError
from swarm.settings import Settings, load_settings
from swarm.store.database import Database
from swarm_assets.assets.readiness import READINESS
from swarm_assets.definitions import build_definitions
from swarm_assets.resources.gates import Gates

pytestmark = pytest.mark.integration

SERVICES = {
    "GRAPH_TENANT_ID": "t",
    "GRAPH_CLIENT_ID": "c",
    "GRAPH_CLIENT_SECRET": "s",
    "GRAPH_MAILBOX": "service@example.org",
    "MONDAY_TOKEN": "m",
    "MONDAY_CONTACTS_BOARD": "1",
    "MONDAY_DEALS_BOARD": "2",
    "ZAPIER_HOOK_URL": "http://127.0.0.1:1/hooks",
}


@pytest.fixture
def settings(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    set_home(monkeypatch, SERVICES, tmp_path, database_url, "secret")
    return load_settings()


@pytest.fixture
def evidence(database: Database, settings: Settings) -> Evidence:
    return readiness_world.lay(database, settings.core.swarm_home)


def request(settings: Settings, **asked: object) -> JudgeRequest:
    return JudgeRequest.model_validate({"home": str(settings.core.swarm_home), **asked})


def test_the_judging_process_answers_with_every_gate_and_four_pictures(
    evidence: Evidence, settings: Settings
) -> None:
    found = asking.evaluation(settings, request(settings, pictures=True))
    assert [each.gate for each in found.gates] == list(GATES)
    assert set(found.pictures) == {"agreement", "likeness", "latency", "classes"}
    assert found.report_id == 1
    page = html.page(found, certificate.CertificateState(certificate=None, refusal="no <proof>"))
    assert page.count("data:image/png;base64,") == 4
    assert "no &lt;proof&gt;" in page
    assert not any(sign in page for sign in ("<script", "http://", "https://", "@import"))
    with evidence.database.transaction() as connection:
        assert must_escalate.kept(connection, readiness_world.ENGINE.ruleset).ruleset


def test_the_judging_process_has_no_key_in_its_environment(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZAPIER_HOOK_URL", "https://hooks.example.org/secret")
    given = asking._environment("postgresql:///x")
    assert not [name for name in given if name.startswith(("ZAPIER", "GRAPH", "MONDAY", "MODEL"))]
    assert "SWARM_KEY_SECRET" in os.environ
    assert "SWARM_KEY_SECRET" not in given


def test_bad_tolerances_are_refused_in_words(evidence: Evidence, settings: Settings) -> None:
    (settings.core.swarm_home / "tolerances.toml").write_text("[[tolerance]]\nname = 'legal'")
    with pytest.raises(RefusedError, match=r"tolerances\.toml"):
        asking.evaluation(settings, request(settings))


def test_dagster_shows_each_gate_as_a_check_with_one_of_three_signs(
    evidence: Evidence, settings: Settings
) -> None:
    evidence.write("UPDATE publication_ledger SET draft_id = 'one'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        built = build_definitions(
            database=evidence.database, gates=Gates(settings, evidence.database)
        )
        job = built.resolve_job_def("readiness")
    with dg.DagsterInstance.ephemeral() as instance:
        done = job.execute_in_process(instance=instance)
        checks = {each.check_name: each for each in done.get_asset_check_evaluations()}
        told = instance.get_latest_materialization_event(READINESS)
    assert done.success
    assert list(checks) == list(GATES)
    signs = {name: (each.passed, each.severity) for name, each in checks.items()}
    assert signs["safety"] == (True, dg.AssetCheckSeverity.WARN)
    assert signs["effects"] == (False, dg.AssetCheckSeverity.ERROR)
    assert signs["not_peeked"] == (False, dg.AssetCheckSeverity.WARN)
    assert told
    assert told.asset_materialization
    metadata = told.asset_materialization.metadata
    assert metadata["gates FAIL"].value == 1.0
    assert "data:image/png;base64," in str(metadata["picture classes"].value)


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    return done.exit_code, done.stdout


def test_the_commands_show_what_the_gates_say(evidence: Evidence, settings: Settings) -> None:
    code, said = run("gates", "--json")
    assert code == 1
    assert json.loads(said)["report"] is None
    code, said = run("gates", "now", "--json")
    assert code == 1
    assert Evaluation.model_validate_json(said).report_id == 1
    code, said = run("gates")
    assert code == 1
    assert "no cutover certificate" in said
    assert all(name[:8] in said for name in GATES)
    code, said = run("gates", "looks", "--plan", "2999-01-01T09:00Z", "--actor", "anna", "--json")
    assert code == 0
    assert json.loads(said)[0]["actor"] == "anna"
    assert run("gates", "look")[0] == 1
    out = settings.core.swarm_home / "report.html"
    assert run("report", "--out", str(out))[0] == 0
    assert "May the swarm take over?" in out.read_text("utf-8")
