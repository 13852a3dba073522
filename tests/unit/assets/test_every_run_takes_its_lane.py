"""The lane, the queue and the attempt of a run, whoever started it."""

from pathlib import Path

import pytest
from dagster_celery.tags import DAGSTER_CELERY_QUEUE_TAG

from swarm_assets import lanes
from swarm_assets.definitions import defs
from swarm_assets.lanes import lane_of, missing_tags, requested_attempt
from swarm_assets.partitions import (
    ATTEMPT_TAG,
    LANE_TAG,
    PUBLISHING_QUEUE,
    WORKER_TAG,
)

BY_THE_QUEUE = {ATTEMPT_TAG: "3", "dagster/sensor_name": "intake"}
COPIED = {**BY_THE_QUEUE, "dagster/parent_run_id": "r"}


def test_the_jobs_past_the_work_orders_are_the_ones_that_declare_it() -> None:
    declared = {
        job.name: dict(job.tags or {})
        for job in defs.jobs or ()
        if (job.tags or {}).get(LANE_TAG) != "work_order"
    }
    assert declared == {name: dict(tags) for name, tags in lanes._LANES.items()}


def test_looking_for_replies_takes_no_place_of_publishing() -> None:
    tags = lane_of("reply_outcomes")
    assert DAGSTER_CELERY_QUEUE_TAG not in tags
    assert (tags[LANE_TAG], tags["dagster/priority"]) == ("look", "-10")
    assert f"{{key: {LANE_TAG}, value: look, limit: 1}}" in Path("dagster.yaml").read_text()


@pytest.mark.parametrize("job", ["__ASSET_JOB", "work_order", "a job that somebody adds later"])
def test_any_other_job_takes_the_lane_of_work_orders(job: str) -> None:
    assert missing_tags(job, {})[LANE_TAG] == "work_order"
    assert missing_tags(job, {**lane_of(job)}) == {}


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (LANE_TAG, "switch"),
        (DAGSTER_CELERY_QUEUE_TAG, PUBLISHING_QUEUE),
        ("dagster/max_retries", "5"),
        ("dagster/retry_on_asset_or_op_failure", "true"),
    ],
)
def test_a_tag_typed_into_the_launchpad_is_put_right(tag: str, value: str) -> None:
    assert missing_tags("work_order", {tag: value})[tag] != value


def test_a_run_of_the_queue_needs_no_tag_and_keeps_its_attempt() -> None:
    tags = {**lane_of("work_order"), **BY_THE_QUEUE}
    assert missing_tags("work_order", tags) == {}
    assert requested_attempt(tags) == 3


@pytest.mark.parametrize("tags", [COPIED, {ATTEMPT_TAG: "3"}], ids=["re-executed", "typed in"])
def test_an_attempt_that_was_copied_is_nobody_s(tags: dict[str, str]) -> None:
    submitted = {**tags, **missing_tags("work_order", tags)}
    assert requested_attempt(submitted) is None


def test_a_repeated_run_forgets_the_process_of_the_first() -> None:
    assert missing_tags("publications", {WORKER_TAG: '{"pid": 1}'})[WORKER_TAG] == ""
