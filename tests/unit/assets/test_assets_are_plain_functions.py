"""An asset called as a function: no instance, no job, plain objects in and out."""

from dataclasses import replace

import dagster as dg
from dagster_house import Ledger
from replying import KEY, services

from swarm.models import PolicyDecision, Publication, Reason, WorkOrderState
from swarm.stages.run_session import RunSession
from swarm.store.memory import MemoryStore
from swarm.store.memory_queue import MemoryQueue
from swarm_assets.assets import stages
from swarm_assets.resources.run_session import DagsterRunSession


def session_of(store: MemoryStore, queue: MemoryQueue) -> RunSession:
    return DagsterRunSession(
        replace(services(), store=store),
        queue,
        Ledger(store),
        run_id="run-1",
        attempt=None,
        heartbeat_seconds=60.0,
    )


def test_received_reads_the_mail_of_its_partition(store: MemoryStore, queue: MemoryQueue) -> None:
    context = dg.build_asset_context(partition_key=KEY)
    output = stages.received(context, session=session_of(store, queue))
    assert output.value.work_order.key == KEY
    assert output.value.asks


def test_publish_of_a_rejected_draft_escalates(store: MemoryStore, queue: MemoryQueue) -> None:
    rejected = PolicyDecision(
        publishable=False,
        reasons=(Reason(rule="ES-07", detail="a number without a source"),),
        ruleset="1",
        draft_sha256="d",
        evidence_sha256="e",
    )
    context = dg.build_asset_context(partition_key=KEY)
    session = session_of(store, queue)
    output = stages.publish(context, session=session, desk_url="http://d", policy=rejected)
    assert isinstance(output.value, Publication)
    assert output.value.state is WorkOrderState.ESCALATED
    assert store.state(KEY) is WorkOrderState.ESCALATED
