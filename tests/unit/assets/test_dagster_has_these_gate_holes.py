"""Behaviour of Dagster 1.13.27 that the design must survive; an upgrade that changes it shows here.

R1 and R2 are proven against our own assets in ``test_work_order_run``; here is Dagster alone.
"""

import warnings

import dagster as dg
import pytest
from pydantic import ValidationError
from replying import order

from swarm.models import WorkOrder
from swarm_assets.assets.stages import STAGES

parts = dg.DynamicPartitionsDefinition(name="probe")
FAILING: set[str] = set()
RAN: list[str] = []


@pytest.fixture(autouse=True)
def _clean() -> None:
    FAILING.clear()
    RAN.clear()


def probe(*, blocking: bool) -> dg.JobDefinition:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")

        @dg.asset(partitions_def=parts)
        def draft(context: dg.AssetExecutionContext) -> int:
            RAN.append("draft")
            return 1

        @dg.asset_check(asset="draft", blocking=blocking, partitions_def=parts)
        def safe(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
            passed = context.partition_key not in FAILING
            return dg.AssetCheckResult(passed=passed, severity=dg.AssetCheckSeverity.ERROR)

        @dg.asset(partitions_def=parts, deps=[draft])
        def publish(context: dg.AssetExecutionContext) -> None:
            RAN.append("publish")

        definitions = dg.Definitions(assets=[draft, publish], asset_checks=[safe])
        return definitions.resolve_implicit_global_asset_job_def()


@pytest.mark.fault("R1")
def test_r1_a_failed_blocking_check_does_not_stop_a_later_run_of_publish_alone(
    instance: dg.DagsterInstance,
) -> None:
    instance.add_dynamic_partitions("probe", ["a"])
    FAILING.add("a")
    job = probe(blocking=True)
    stopped = job.execute_in_process(instance=instance, partition_key="a", raise_on_error=False)
    assert (stopped.success, RAN) == (False, ["draft"])
    alone = job.execute_in_process(
        instance=instance, partition_key="a", asset_selection=[dg.AssetKey("publish")]
    )
    assert (alone.success, RAN) == (True, ["draft", "publish"])


@pytest.mark.fault("R3")
def test_r3_the_latest_check_without_a_partition_is_the_last_partitions(
    instance: dg.DagsterInstance,
) -> None:
    """Nothing of ours reads check records: gates and claims read our verdict rows."""
    instance.add_dynamic_partitions("probe", ["good", "bad"])
    FAILING.add("bad")
    job = probe(blocking=False)
    for key in ("good", "bad"):
        job.execute_in_process(instance=instance, partition_key=key)
    check = dg.AssetCheckKey(dg.AssetKey("draft"), "safe")
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key([check])[check]
    assert latest.partition == "bad"


@pytest.mark.fault("R4")
def test_r4_a_failed_check_that_does_not_block_leaves_the_run_successful(
    instance: dg.DagsterInstance,
) -> None:
    """So every check of ours blocks, and alerts read our tables."""
    instance.add_dynamic_partitions("probe", ["a"])
    FAILING.add("a")
    result = probe(blocking=False).execute_in_process(instance=instance, partition_key="a")
    assert result.success
    assert all(spec.blocking for asset in STAGES for spec in asset.check_specs)
    assert all(spec.partitions_def is not None for asset in STAGES for spec in asset.check_specs)


@pytest.mark.fault("R5")
@pytest.mark.parametrize("hostile", ["", "a,b", "a\nb", "../../etc/passwd", "x" * 5000])
def test_r5_dagster_takes_any_partition_key_and_a_work_order_does_not(
    instance: dg.DagsterInstance, hostile: str
) -> None:
    instance.add_dynamic_partitions("probe", [hostile])
    assert instance.has_dynamic_partition("probe", hostile)
    with pytest.raises(ValidationError):
        WorkOrder.model_validate({**order().model_dump(), "key": hostile})
