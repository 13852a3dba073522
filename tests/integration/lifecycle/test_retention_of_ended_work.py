"""Scratch of ended work goes; work that lives and our own history stay."""

from datetime import timedelta

import pytest
from langgraph.checkpoint.base import empty_checkpoint

from swarm.lifecycle.retention import purge_checkpoints, purge_dagster_leftovers, retirable
from swarm.stages.checkpointer import postgres_checkpointer

pytestmark = pytest.mark.integration


def threads(world) -> set[str]:
    with world.database.transaction() as connection:
        rows = connection.execute("SELECT DISTINCT thread_id FROM langgraph.checkpoints")
        return {row["thread_id"] for row in rows}


def test_graph_threads_of_ended_work_orders_go_and_those_of_live_ones_stay(world) -> None:
    with postgres_checkpointer(world.database.url) as saver:
        for key in (world.published, world.escalated, world.live):
            config = {"configurable": {"thread_id": f"{key}:reply:x", "checkpoint_ns": ""}}
            saver.put(config, empty_checkpoint(), {}, {})
    assert purge_checkpoints(world.database, older_than=timedelta(hours=1)) == 0
    assert purge_checkpoints(world.database) == 2
    assert threads(world) == {f"{world.live}:reply:x"}


def test_only_what_ended_long_ago_and_nobody_drives_may_retire(world) -> None:
    assert retirable(world.database, timedelta(days=3)) == ()
    world.run("UPDATE work_orders SET final_at = now() - interval '4 days' WHERE final_at < now()")
    assert set(retirable(world.database, timedelta(days=3))) == {world.published, world.escalated}
    assert retirable(world.database, timedelta(days=3), among=[world.escalated]) == (
        world.escalated,
    )
    world.queue.open(world.published, "a rerun from the UI", None)
    assert retirable(world.database, timedelta(days=3)) == (world.escalated,)


def test_leftovers_of_retired_partitions_go_and_a_missing_table_is_no_error(world) -> None:
    assert purge_dagster_leftovers(world.database, [world.published]) == 0
    world.run("CREATE TABLE public.asset_check_executions (id int, partition text)")
    world.run(
        "INSERT INTO public.asset_check_executions VALUES (1, %(gone)s), (2, %(live)s)",
        gone=world.published,
        live=world.live,
    )
    assert purge_dagster_leftovers(world.database, [world.published]) == 1
    assert purge_dagster_leftovers(world.database, [world.published]) == 0
