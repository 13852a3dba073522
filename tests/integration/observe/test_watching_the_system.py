"""Status and metrics say what is there, and what should wake somebody."""

import re
from pathlib import Path

import pytest

from swarm.models import WorkOrderState
from swarm.observe.metrics import METRICS, metrics
from swarm.observe.status import Status, status
from swarm.store.database import Database
from swarm.store.queue import JobState

pytestmark = pytest.mark.integration


def value(text: str, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert found, f"{name} is not in\n{text}"
    return float(found[1])


def test_the_status_counts_states_jobs_and_publications(world) -> None:
    now = status(world.database)
    assert now.states[WorkOrderState.PUBLISHED] == 1
    assert now.states[WorkOrderState.DEAD] == 0
    assert now.queue.jobs[JobState.DONE] == 2
    assert now.queue.depth == 0
    assert now.ledger == {"CONFIRMED": 1}
    assert now.running_after == {"none yet": 1}
    assert now.control.active == "swarm"
    assert now.intake_lines == {"accepted": 3}
    assert (now.escalations.open, now.escalations.overdue) == (1, 0)
    assert {row.key for row in now.recent} == {world.published, world.escalated, world.live}
    assert Status.model_validate_json(now.model_dump_json()) == now


def test_the_status_of_an_empty_database_is_all_zero(database: Database) -> None:
    now = status(database)
    assert sum(now.states.values()) == 0
    assert (now.queue.depth, now.queue.oldest_seconds, now.recent) == (0, 0.0, ())


def test_the_lag_of_a_stream_is_what_was_not_read_yet(world, stream, tmp_path: Path) -> None:
    path = stream("x" * 100)
    unread = status(world.database, streams=[path]).streams
    assert [(s.stream, s.lag_bytes) for s in unread] == [("work_orders", 100)]
    world.run(
        "INSERT INTO intake_offset (stream, generation, byte_offset, marker_sha256, prefix_length,"
        " prefix_sha256) VALUES ('work_orders', 1, 60, '', 0, '')"
    )
    assert status(world.database, streams=[path]).streams[0].lag_bytes == 40
    assert status(world.database).streams[0].lag_bytes is None
    assert status(world.database, streams=[tmp_path / "gone.jsonl"]).streams[1].lag_bytes == 0


def test_every_metric_has_help_and_type_and_numbers(world) -> None:
    text = metrics(world.database)
    for metric in METRICS:
        assert f"# HELP {metric.name} " in text
        assert f"# TYPE {metric.name} {metric.kind}\n" in text
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r'[a-z_]+(\{[a-z]+="[^"]*"\})? \S+', line) for line in samples)


def test_metrics_of_an_empty_database_are_zero(database: Database) -> None:
    text = metrics(database)
    assert value(text, "swarm_queue_oldest_seconds") == 0
    assert value(text, 'swarm_publisher_active{publisher="none"}') == 1


def test_metrics_follow_what_goes_wrong(world) -> None:
    world.queue.fail(world.opened(world.live), "boom", retryable=False)
    world.run("UPDATE escalations SET acknowledge_by = now() - interval '1 minute'")
    world.run(
        "UPDATE publication_ledger SET state = 'UNKNOWN', intent_at = now() - interval '1 hour'"
    )
    text = metrics(world.database)
    assert value(text, "swarm_dead_letters") == 1
    assert value(text, "swarm_job_failures_total") == 1
    assert value(text, "swarm_escalations_overdue") == 1
    assert value(text, "swarm_publications_unconfirmed_oldest_seconds") >= 3600
    assert value(text, 'swarm_alerts_open{kind="work_order.dead"}') == 1
    assert value(text, 'swarm_work_orders{state="dead"}') == 1


def test_no_metric_names_a_work_order(world) -> None:
    assert "wo_" not in metrics(world.database)
