"""The code location loads in a fresh process, and its table of contents is frozen here."""

import subprocess
import sys
import warnings
from pathlib import Path

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from swarm.observe import dagster_names
from swarm_assets.definitions import build_definitions

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]

ASSETS = {
    "work_order/received": set(),
    "work_order/thread": {"work_order/received"},
    "work_order/crm": {"work_order/received"},
    "work_order/context": {"work_order/thread", "work_order/crm"},
    "work_order/tier": {"work_order/received", "work_order/thread"},
    "work_order/draft": {"work_order/context", "work_order/tier"},
    "work_order/tone": {"work_order/draft"},
    "work_order/fact": {"work_order/draft"},
    "work_order/qa": {"work_order/draft"},
    "work_order/policy": {"work_order/tone", "work_order/fact", "work_order/qa"},
    "work_order/publish": {"work_order/policy"},
    "shadow/legacy_outcome": set(),
    "shadow/replay": set(),
    "shadow/comparison": {"shadow/legacy_outcome", "shadow/replay"},
}

CHECKS = {
    "work_order/tier": {"es_01_classes_escalate", "es_03_human_requested"},
    "work_order/draft": {
        "es_07_facts_are_cited",
        "es_08_commitments_are_backed",
        "es_09_nothing_foreign",
        "es_10_recipients_belong",
        "es_11_no_way_out",
        "es_14_no_secrets",
        "es_26_a_finished_letter",
    },
    "work_order/policy": {
        "es_02_tier_never_falls",
        "es_04_repeated_contact",
        "es_05_everything_judged",
        "es_13_injection_is_heeded",
        "es_17_judged_bytes_are_these",
        "es_20_context_is_fresh",
        "es_25_within_budget",
    },
}

SENSORS = {
    "intake",
    "legacy_outcomes",
    "legacy_proof",
    "publications",
    "reaper",
    "reply_outcomes",
    "retire",
    "history",
    "compare",
}
JOBS = {
    "__ASSET_JOB",
    "legacy_proof",
    "publications",
    "publisher_cutover",
    "publisher_rollback",
    "publisher_stop",
    "reply_outcomes",
    "work_order",
    "shadow",
    "compare",
}


@pytest.fixture(scope="module")
def repository() -> dg.RepositoryDefinition:
    """The code location, resolved."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return build_definitions().get_repository_def()


def test_dagster_accepts_the_workspace_in_a_fresh_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"]
    environment = {"PATH": "/usr/bin:/bin", "DAGSTER_HOME": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**environment, "DAGSTER_DISABLE_TELEMETRY": "yes"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_assets_are_these_and_their_lineage_reads_so(
    repository: dg.RepositoryDefinition,
) -> None:
    graph = repository.asset_graph
    found = {
        key.to_user_string(): {parent.to_user_string() for parent in graph.get(key).parent_keys}
        for key in graph.get_all_asset_keys()
    }
    assert {key: found.get(key) for key in ASSETS} == ASSETS


def test_every_stage_asset_is_partitioned_described_and_grouped(
    repository: dg.RepositoryDefinition,
) -> None:
    graph = repository.asset_graph
    nodes = [graph.get(dg.AssetKey.from_user_string(key)) for key in ASSETS]
    assert all(node.partitions_def is not None for node in nodes)
    assert all(node.description for node in nodes)
    assert all(node.group_name not in (None, "default") for node in nodes)


def test_the_checks_are_these(repository: dg.RepositoryDefinition) -> None:
    found: dict[str, set[str]] = {}
    for check in repository.asset_graph.asset_check_keys:
        found.setdefault(check.asset_key.to_user_string(), set()).add(check.name)
    assert {key: found.get(key) for key in CHECKS} == CHECKS


def test_the_sensors_are_these_and_all_run_by_default(
    repository: dg.RepositoryDefinition,
) -> None:
    ours = [sensor for sensor in repository.sensor_defs if sensor.name in SENSORS]
    assert {sensor.name for sensor in ours} == SENSORS
    assert all(s.default_status is dg.DefaultSensorStatus.RUNNING for s in ours)


def test_the_watch_over_dagster_knows_every_sensor_and_schedule_and_how_often_each_is_due(
    repository: dg.RepositoryDefinition,
) -> None:
    """``swarm`` knows no Dagster: the names it watches stand in a table of its own."""
    sensors = {s.name: s.minimum_interval_seconds for s in repository.sensor_defs}
    sensors.pop("default_automation_condition_sensor", None)  # Dagster's own, off
    assert sensors == dagster_names.SENSORS
    due = {each.name: _seconds_between(each) for each in repository.schedule_defs}
    assert due == dagster_names.SCHEDULES


def _seconds_between(schedule: dg.ScheduleDefinition) -> float:
    ticks = schedule_execution_time_iterator(0.0, schedule.cron_schedule, "UTC")
    first, second = next(ticks), next(ticks)
    return (second - first).total_seconds()


def test_the_jobs_are_these_and_nothing_retries_a_rejected_draft(
    repository: dg.RepositoryDefinition,
) -> None:
    assert set(repository.job_names) >= JOBS
    job = repository.get_job("work_order")
    assert job.tags["dagster/retry_on_asset_or_op_failure"] == "false"
    assert job.executor_def.name == "in_process"
