"""What the stage *publish* gets: one transaction for payload, row and work order, then a try."""

import pytest
from publishing_world import EVIDENCE, RULES, RULESET, World, draft

from swarm.errors import FencedOutError, RefusedError
from swarm.models import Fence, PolicyDecision, WorkOrderState
from swarm.publishing.dispatch.handover import LedgerPublisher
from swarm.publishing.dispatch.round import run_round
from swarm.store.postgres import PostgresStore

pytestmark = pytest.mark.integration


def decision(key: str, *, publishable: bool = True) -> PolicyDecision:
    return PolicyDecision(
        publishable=publishable,
        ruleset=RULESET,
        draft_sha256=draft(key).content_sha256,
        evidence_sha256=EVIDENCE,
    )


def running(world: World, number: int = 1) -> Fence:
    """A work order whose run has just passed policy."""
    key = world.order(number, state="running")
    world.approve(key)
    return world.draft_artifact(key)


def publisher(world: World, **changes: object) -> LedgerPublisher:
    return LedgerPublisher(world.publisher(**changes), PostgresStore(world.database))


def test_an_approved_draft_is_handed_over_and_posted_at_once(world: World) -> None:
    fence = running(world)
    key = fence.work_order_key
    assert publisher(world).hand_over(fence, decision(key)) is WorkOrderState.PUBLISHING
    row = world.row(key)
    assert (row["state"], row["order_state"]) == ("ACCEPTED", "publishing")
    run_round(world.publisher())
    assert world.row(key)["order_state"] == "published"


def test_running_the_stage_again_publishes_nothing_again(world: World) -> None:
    """Whoever presses Materialize: the row is there for ever."""
    fence = running(world)
    key = fence.work_order_key
    publisher(world).hand_over(fence, decision(key))
    run_round(world.publisher())
    assert publisher(world).hand_over(fence, decision(key)) is WorkOrderState.PUBLISHED
    assert len(world.postbox.posts) == 1


def test_a_draft_another_publisher_made_before_counts_for_this_work_order(world: World) -> None:
    """The ledger was confirmed while the work order was still running: the sweep is not needed."""
    fence = running(world)
    key = fence.work_order_key
    world.enqueue(key, "swarm")
    run_round(world.publisher())
    run_round(world.publisher())
    assert world.row(key)["order_state"] == "running"
    assert publisher(world).hand_over(fence, decision(key)) is WorkOrderState.PUBLISHED
    assert world.row(key)["order_state"] == "published"


def test_an_old_run_hands_over_nothing(world: World) -> None:
    fence = running(world)
    world.write("UPDATE swarm_jobs SET token = 2, run_id = 'newer'")
    with pytest.raises(FencedOutError):
        publisher(world).hand_over(fence, decision(fence.work_order_key))
    assert world.log(fence.work_order_key) == []
    assert world.postbox.posts == []


@pytest.mark.parametrize("spoil", ["refused", "another draft", "no pass"])
def test_a_decision_that_does_not_carry_the_draft_is_refused(world: World, spoil: str) -> None:
    fence = running(world)
    key = fence.work_order_key
    spoiled = {
        "refused": decision(key, publishable=False),
        "another draft": decision(key).model_copy(update={"draft_sha256": "0" * 64}),
        "no pass": decision(key).model_copy(update={"ruleset": "rules-2"}),
    }[spoil]
    with pytest.raises(RefusedError):
        publisher(world).hand_over(fence, spoiled)
    assert world.log(key) == []


def test_in_shadow_the_payload_is_stored_and_nothing_is_posted(world: World) -> None:
    world.appoint("legacy")
    fence = running(world)
    key = fence.work_order_key
    assert publisher(world).hand_over(fence, decision(key)) is WorkOrderState.PUBLISHING
    row = world.row(key)
    assert (row["publisher"], row["state"]) == ("legacy", "PENDING_PAYLOAD")
    assert world.postbox.posts == []


def test_a_mailbox_that_is_down_does_not_fail_the_run(world: World) -> None:
    fence = running(world)
    world.postbox.search_down = True
    state = publisher(world).hand_over(fence, decision(fence.work_order_key))
    assert state is WorkOrderState.PUBLISHING
    assert world.row(fence.work_order_key)["state"] == "READY"


def test_a_waiting_row_whose_work_order_was_escalated_is_held(world: World) -> None:
    """The active swarm decided against it; nobody's payload will ever come."""
    key = world.order(1, state="running")
    world.enqueue(key, "legacy")
    assert world.row(key)["state"] == "PENDING_PAYLOAD"
    world.write("UPDATE work_orders SET state = 'escalated', final_at = now()")
    assert run_round(world.publisher()).ended == 1
    row = world.row(key)
    assert (row["state"], row["order_state"]) == ("HELD", "escalated")


def test_a_payload_that_does_not_come_is_alerted_by_age(world: World) -> None:
    key = world.order(1)
    world.enqueue(key, "legacy")
    world.age(key, 901)
    run_round(world.publisher())
    assert world.alerts(key) == ["publication.pending_payload"]


def test_a_ready_row_that_nobody_claims_is_alerted_by_age(world: World) -> None:
    key = world.ready()
    world.age(key, 901)
    run_round(world.publisher(required_rules=(*RULES, "ES-99")))
    assert world.alerts(key) == ["publication.stuck"]


@pytest.mark.parametrize(("decided", "alerts"), [("escalated", []), ("dead", ["publication.held"])])
def test_what_the_swarm_decides_against_is_held_and_an_escalation_not_alerted_twice(
    world: World, decided: str, alerts: list[str]
) -> None:
    """Legacy has a draft of it, the swarm publishes and will have none."""
    key = world.order(1, "running")
    world.enqueue(key, "legacy")
    world.write("UPDATE work_orders SET state = %s, final_at = now() WHERE key = %s", decided, key)
    assert world.row(key)["state"] == "PENDING_PAYLOAD"
    run_round(world.publisher())
    assert world.row(key)["state"] == "HELD"
    assert world.alerts(key) == alerts
