"""The files for Prometheus and Grafana, loaded by the real programs over a real scrape.

Each rule fires on an invented series that is bad, and stays silent on one that is good.
"""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from watched_house import stream, world

from swarm.observe.metrics.reading import METRICS
from swarm.settings import CoreSettings
from swarm.up.programs import any_free_port
from swarm.watchman.endpoint import serving

__all__ = ["stream", "world"]

pytestmark = pytest.mark.integration

DEPLOY = Path(__file__).parents[3] / "deploy"
RULES = DEPLOY / "prometheus-rules.yml"
OWNERS, SEVERITIES = {"platform", "support-lead"}, {"page", "ticket"}

Series = Mapping[str, str]
"""Series -> its values in promtool's words, one a minute."""

_ON = {"swarm_up": "1x300"}
_RUNS = 'swarm_runs_total{event="%s"}'
_DRAFT = 'swarm_line_to_draft_seconds_bucket{le="%s"}'
_MODEL = 'swarm_model_latency_seconds_bucket{model="m",le="%s"}'
_LEGACY = 'swarm_legacy_heartbeat_seconds{program="publish_sender"}'

CASES: Mapping[str, tuple[Series, Series]] = {
    "SwarmEndpointGone": ({'up{job="swarm"}': "0x300"}, {'up{job="swarm"}': "1x300"}),
    "SwarmDatabaseAway": ({"swarm_up": "0x300"}, _ON),
    "SwarmDaemonSilent": (
        {'swarm_dagster_heartbeat_seconds{daemon="SENSOR"}': "0+60x300"},
        {'swarm_dagster_heartbeat_seconds{daemon="SENSOR"}': "30x300"},
    ),
    "SwarmSensorSilent": (
        {'swarm_sensor_tick_seconds{sensor="intake"}': "0+60x300"},
        {'swarm_sensor_tick_seconds{sensor="intake"}': "5x300"},
    ),
    "SwarmSensorOff": (
        {'swarm_sensor_on{sensor="retire"}': "0x300"},
        {'swarm_sensor_on{sensor="retire"}': "1x300"},
    ),
    "SwarmWorkersGone": (
        {'swarm_workers{role="publisher"}': "0x300", 'swarm_workers{role="workers"}': "2x300"},
        {'swarm_workers{role="publisher"}': "1x300", 'swarm_workers{role="workers"}': "2x300"},
    ),
    "SwarmDiskNearlyFull": (
        {"swarm_home_free_ratio": "0.05x300"},
        {"swarm_home_free_ratio": "0.5x300"},
    ),
    "SwarmStreamUnread": (
        {'swarm_stream_lag_seconds{reader="tables",stream="work_orders"}': "0+60x300"},
        {
            'swarm_stream_lag_seconds{reader="tables",stream="work_orders"}': "9x300",
            'swarm_stream_lag_seconds{reader="publish_sender",stream="outbox"}': "0+60x300",
            "swarm_legacy_expected": "0x300",
        },
    ),
    "SwarmQueueStands": (
        {"swarm_queue_oldest_seconds": "0+60x300", "swarm_queue_waiting_for_model": "0x300"},
        {"swarm_queue_oldest_seconds": "0+60x300", "swarm_queue_waiting_for_model": "3x300"},
    ),
    "SwarmQueueLong": ({"swarm_queue_depth": "1500x300"}, {"swarm_queue_depth": "90x300"}),
    "SwarmWaitsForModel": (
        {"swarm_queue_waiting_for_model": "1x300"},
        {"swarm_queue_waiting_for_model": "0 1 0x300"},
    ),
    "SwarmRunsFail": (
        {_RUNS % "failed": "0+1x300", _RUNS % "opened": "0+2x300"},
        {_RUNS % "failed": "0+1x3 3x300", _RUNS % "opened": "0+20x300"},
    ),
    "SwarmRunsReaped": ({_RUNS % "reaped": "0+1x300"}, {_RUNS % "reaped": "0 1x300"}),
    "SwarmDeadLetters": ({"swarm_dead_letters": "1x300"}, {"swarm_dead_letters": "0x300"}),
    "SwarmQuarantine": (
        {'swarm_quarantined_lines{reason="x"}': "1x300"},
        {'swarm_quarantined_lines{reason="x"}': "0x300"},
    ),
    "SwarmPublicationsStand": (
        {'swarm_publication_oldest_seconds{state="READY"}': "0+60x300"},
        {'swarm_publication_oldest_seconds{state="READY"}': "20x300"},
    ),
    "SwarmPublicationsUnconfirmed": (
        {'swarm_publication_oldest_seconds{state="UNKNOWN"}': "0+60x300"},
        {'swarm_publication_oldest_seconds{state="UNKNOWN"}': "600x300"},
    ),
    "SwarmHeld": (
        {
            'swarm_alerts_open{kind="work_order.held"}': "1x300",
            'swarm_work_orders{state="held"}': "0x300",
        },
        {
            'swarm_publications{state="HELD"}': "1x300",
            'swarm_work_orders{state="held"}': "0x300",
        },
    ),
    "SwarmNobodyPublishes": (
        {'swarm_publisher_active{publisher="none"}': "1x300"},
        {'swarm_publisher_active{publisher="none"}': "0x300"},
    ),
    "SwarmLegacySilent": (
        {_LEGACY: "0+60x300", "swarm_legacy_expected": "1x300"},
        {_LEGACY: "0+60x300", "swarm_legacy_expected": "0x300"},
    ),
    "SwarmGateFailed": (
        {
            'swarm_gate{gate="safety",verdict="FAIL"}': "1x300",
            'swarm_publisher_active{publisher="swarm"}': "1x300",
        },
        {
            'swarm_gate{gate="safety",verdict="FAIL"}': "1x300",
            'swarm_publisher_active{publisher="swarm"}': "0x300",
        },
    ),
    "SwarmDraftsSlow": (
        {_DRAFT % "60": "0x300", _DRAFT % "1800": "0+1x300", _DRAFT % "+Inf": "0+1x300"},
        {_DRAFT % "60": "0+1x300", _DRAFT % "1800": "0+1x300", _DRAFT % "+Inf": "0+1x300"},
    ),
    "SwarmEscalationsOverdue": (
        {"swarm_escalations_overdue": "1x300"},
        {"swarm_escalations_overdue": "1x5 0x300"},
    ),
    "SwarmDraftsWorse": (
        {
            "swarm_drafts_sent_unchanged_ratio": "0.4x300",
            'swarm_drafts{act="sent_edited"}': "60x300",
        },
        {
            "swarm_drafts_sent_unchanged_ratio": "0.4x300",
            'swarm_drafts{act="sent_edited"}': "6x300",
        },
    ),
    "SwarmAlertsUndelivered": (
        {"swarm_alert_undelivered_oldest_seconds": "0+60x300"},
        {"swarm_alert_undelivered_oldest_seconds": "6x300"},
    ),
    "SwarmModelSlow": (
        {_MODEL % "5": "0x300", _MODEL % "60": "0+9x300", _MODEL % "+Inf": "0+9x300"},
        {_MODEL % "5": "0+9x300", _MODEL % "60": "0+9x300", _MODEL % "+Inf": "0+9x300"},
    ),
}


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian: prometheus)")
    return found


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found = json.loads((DEPLOY / "grafana-dashboard.json").read_text("utf-8"))["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def asked() -> list[str]:
    """Every expression of the dashboard, for all installations."""
    return [t["expr"].replace("$instance", ".*") for panel in panels() for t in panel["targets"]]


def test_promtool_takes_rules_and_configuration() -> None:
    for what, name in (("rules", RULES.name), ("config", "prometheus.yml")):
        done = subprocess.run(
            [program("promtool"), "check", what, name],
            cwd=DEPLOY, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_says_who_how_what_and_where_to_read() -> None:
    told = (DEPLOY.parent / "docs" / "rules.md").read_text("utf-8")
    for rule in rules():
        assert rule["labels"]["owner"] in OWNERS
        assert rule["labels"]["severity"] in SEVERITIES
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}
        assert rule["annotations"]["runbook"] == f"docs/rules.md#{rule['alert'].lower()}"
        assert f"\n### {rule['alert']}\n" in told, rule["alert"]


def test_each_rule_fires_on_what_is_bad_and_is_silent_on_what_is_good(tmp_path: Path) -> None:
    assert set(CASES) == {rule["alert"] for rule in rules()}
    tests = [
        _unit(name, series, fires=fires)
        for name, (bad, good) in CASES.items()
        for series, fires in ((bad, True), (good, False))
    ]
    file = tmp_path / "tests.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": tests}), "utf-8")
    done = subprocess.run(
        [program("promtool"), "test", "rules", str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_daemon_and_workers_that_never_ran_are_missed_too(
    tmp_path: Path,
) -> None:
    """Dagster never started: there is no heartbeat that could be old."""
    tests = [_unit(name, _ON, fires=True) for name in ("SwarmDaemonSilent", "SwarmWorkersGone")]
    file = tmp_path / "tests.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": tests}), "utf-8")
    done = subprocess.run(
        [program("promtool"), "test", "rules", str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def _unit(name: str, series: Series, *, fires: bool) -> dict[str, Any]:
    expression = f'count(ALERTS{{alertname="{name}",alertstate="firing"}})'
    samples = [{"labels": "{}", "value": 1}] if fires else []
    return {
        "interval": "1m",
        "input_series": [{"series": each, "values": v} for each, v in series.items()],
        "promql_expr_test": [
            {"expr": expression, "eval_time": "3h", "exp_samples": samples},
        ],
    }


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    board = json.loads((DEPLOY / "grafana-dashboard.json").read_text("utf-8"))
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    assert board["schemaVersion"] >= 30
    assert {v["name"] for v in board["templating"]["list"]} == {"datasource", "instance"}
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24
        assert not taken & cells, panel["title"]
        taken |= cells
    for panel in panels():
        assert panel["title"]
        assert [t["refId"] for t in panel["targets"]] == [
            chr(65 + n) for n in range(len(panel["targets"]))
        ]
        assert all(t["datasource"]["uid"] == "${datasource}" for t in panel["targets"])


def test_every_metric_that_is_asked_for_is_in_a_real_scrape(world, tmp_path: Path) -> None:
    with watched(world.database.url, tmp_path) as port:
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text
    there = set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
    assert {metric.name for metric in METRICS} <= there
    words = " ".join([*asked(), *(rule["expr"] for rule in rules())])
    wanted = {name.removesuffix("_bucket") for name in re.findall(r"\bswarm_\w+", words)}
    assert wanted <= there


def test_prometheus_reads_the_endpoint_and_answers_every_panel_and_rule(
    world, tmp_path: Path
) -> None:
    with watched(world.database.url, tmp_path) as port, prometheus(tmp_path, port) as server:
        wait_for(lambda: query(server, "swarm_up") == ["1"])
        for expression in asked():
            answer = server.get("/api/v1/query", params={"query": expression}).json()
            assert answer["status"] == "success", (expression, answer)
        assert query(server, "sum(swarm_work_orders_moved_total)") == ["3"]
        wait_for(lambda: {health for health, _ in evaluated(server)} == {"ok"})
        assert [error for _, error in evaluated(server) if error] == []


@contextmanager
def watched(url: str, home: Path) -> Iterator[int]:
    port = any_free_port()
    told = {"database_url": url, "swarm_key_secret": "s", "swarm_home": home}
    with serving(CoreSettings.model_validate(told), port):
        yield port


@contextmanager
def prometheus(folder: Path, port: int) -> Iterator[httpx.Client]:
    """A server on the example's configuration, which asks this port, and more often."""
    said = yaml.safe_load((DEPLOY / "prometheus.yml").read_text("utf-8"))
    said["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    said["rule_files"] = [str(RULES)]
    said["scrape_configs"][0]["scrape_timeout"] = "1s"
    said["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(said), "utf-8")
    mine = any_free_port()
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                program("prometheus"), f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{mine}",
            ],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{mine}", timeout=30) as client:
            wait_for(lambda: answers(client))
            yield client
    finally:
        process.terminate()
        process.wait(30)


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/-/ready").status_code == 200
    except httpx.TransportError:
        return False


def query(server: httpx.Client, expression: str) -> Sequence[str]:
    found = server.get("/api/v1/query", params={"query": expression}).json()["data"]["result"]
    return [each["value"][1] for each in found]


def evaluated(server: httpx.Client) -> list[tuple[str, str]]:
    groups = server.get("/api/v1/rules").json()["data"]["groups"]
    return [(rule["health"], rule.get("lastError", "")) for g in groups for rule in g["rules"]]


def wait_for(condition: Any, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)
