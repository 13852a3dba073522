"""Whoever launches the comparison, it takes its own lane and nobody else's."""

import dagster as dg
import yaml
from dagster_celery.tags import DAGSTER_CELERY_QUEUE_TAG

from swarm_assets.assets.shadow import SHADOW_ASSETS, compare_job, shadow_job
from swarm_assets.lanes import SHADOW_LANE, WORK_ORDER_LANE, lane_of, missing_tags
from swarm_assets.partitions import LANE_TAG, SHADOW_QUEUE


def test_an_asset_of_the_comparison_takes_the_lane_whatever_the_job() -> None:
    for group in ({"shadow"}, {"shadow", "work_order"}):
        assert lane_of("__ASSET_JOB", frozenset(group)) == SHADOW_LANE
    assert lane_of("__ASSET_JOB", frozenset({"work_order"})) == WORK_ORDER_LANE
    assert missing_tags("__ASSET_JOB", {}, frozenset({"shadow"}))[LANE_TAG] == "shadow"


def test_a_tag_gets_no_other_run_into_its_queue() -> None:
    wrong = {DAGSTER_CELERY_QUEUE_TAG: SHADOW_QUEUE}
    assert missing_tags("work_order", wrong)[DAGSTER_CELERY_QUEUE_TAG] == "dagster"


def test_its_jobs_declare_it() -> None:
    for job in (shadow_job.name, compare_job.name):
        assert lane_of(job) == SHADOW_LANE


def test_it_is_behind_everybody_and_alone() -> None:
    assert int(SHADOW_LANE["dagster/priority"]) < 0
    with open("dagster.yaml", encoding="utf-8") as file:  # noqa: PTH123
        limits = yaml.safe_load(file)["concurrency"]["runs"]["tag_concurrency_limits"]
    assert {"key": LANE_TAG, "value": "shadow", "limit": 1} in limits


def test_every_asset_of_it_has_many_partitions_a_run() -> None:
    for asset in SHADOW_ASSETS:
        assert isinstance(asset, dg.AssetsDefinition)
        assert asset.key.path[0] == "shadow"
        policy = asset.backfill_policy
        assert policy is not None
        assert 50 <= (policy.max_partitions_per_run or 0) <= 200
