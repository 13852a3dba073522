"""The status says what is there, and what should wake somebody."""

from pathlib import Path

import pytest

from swarm.models import WorkOrderState
from swarm.observe.status import Status, status
from swarm.store.database import Database
from swarm.store.queue import JobState

pytestmark = pytest.mark.integration


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
