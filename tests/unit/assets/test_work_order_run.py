"""Whole runs of the work-order job in one process, on the in-memory store."""

import json

import dagster as dg
import pytest
from dagster_house import House
from replying import KEY, Told, order, services

from swarm.errors import RefusedError, RemoteUnavailableError
from swarm.models import (
    EscalationClass,
    PolicyDecision,
    Publication,
    Ruling,
    Stage,
    Verdict,
    WorkOrderState,
)
from swarm.safety.ruleset import VERSION
from swarm.specialists.protocol import Classification
from swarm.store.queue import JobState
from swarm_assets.assets import checks
from swarm_assets.resources.stage_outputs import NOUNS

VIOLABLE = next(rule for rule in checks.rules_at(Stage.POLICY) if rule.violation)


def decision_of(house: House) -> PolicyDecision:
    artifact = house.store.artifact(KEY, Stage.POLICY)
    assert artifact is not None
    return PolicyDecision.model_validate(artifact.body)


def convict(instance: dg.DagsterInstance, house: House) -> House:
    """Return a house where one rule has already failed the draft that the run will write."""
    house.run()
    passed = decision_of(house)
    convicted = House(instance, services())
    verdict = Verdict(
        rule=VIOLABLE.id,
        version=VERSION,
        draft_sha256=passed.draft_sha256,
        evidence_sha256=passed.evidence_sha256,
        ruling=Ruling.FAIL,
        reasons=("found by an earlier run",),
        decided_by="ruleset",
    )
    convicted.store.record_verdicts(KEY, (verdict,))
    return convicted


def check_results(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {e.check_name: e.passed for e in result.get_asset_check_evaluations()}


def test_a_good_mail_is_handed_to_the_ledger(house: House) -> None:
    result = house.run()
    assert result.success
    assert house.store.state(KEY) is WorkOrderState.PUBLISHING
    (handed,) = house.ledger.handed
    assert handed.publishable


def test_every_stage_leaves_its_artifact_and_its_event(house: House) -> None:
    house.run()
    assert all(house.store.artifact(KEY, stage) is not None for stage in NOUNS)
    finished = [e.stage for e in house.store.events(KEY) if e.kind == "stage.finished"]
    assert sorted(finished) == sorted(NOUNS)


def test_an_escalation_is_a_normal_outcome(instance: dg.DagsterInstance) -> None:
    legal = Classification(classes=(EscalationClass.LEGAL,), reason="names a lawyer")
    house = House(instance, services(specialist=Told(classification=legal)))
    result = house.run()
    assert result.success
    assert all(check_results(result).values())
    assert house.store.state(KEY) is WorkOrderState.ESCALATED
    assert house.ledger.handed == []


def test_a_violation_fails_its_check_and_closes_the_work_order_as_escalated(
    instance: dg.DagsterInstance, house: House
) -> None:
    convicted = convict(instance, house)
    result = convicted.run()
    assert not result.success
    assert check_results(result)[checks.check_name(VIOLABLE)] is False
    assert convicted.store.state(KEY) is WorkOrderState.ESCALATED
    assert convicted.store.artifact(KEY, Stage.PUBLISH) is None
    escalation = convicted.store.escalation(KEY)
    assert escalation is not None
    assert [reason.rule for reason in escalation.reasons] == [VIOLABLE.id]


@pytest.mark.fault("R1")
def test_publish_alone_after_a_failed_check_publishes_nothing(
    instance: dg.DagsterInstance, house: House
) -> None:
    """R1: Dagster runs it all the same; the gate is ours."""
    convicted = convict(instance, house)
    convicted.run()
    result = convicted.run(["publish"])
    assert result.success
    assert convicted.ledger.handed == []
    artifact = convicted.store.artifact(KEY, Stage.PUBLISH)
    assert artifact is not None
    assert Publication.model_validate(artifact.body).state is WorkOrderState.ESCALATED


@pytest.mark.fault("R2")
def test_running_again_until_green_does_not_turn_a_verdict(
    instance: dg.DagsterInstance, house: House
) -> None:
    """R2: the verdict about these bytes is for ever, whatever a judge says the second time."""
    convicted = convict(instance, house)
    convicted.run()
    result = convicted.run()
    assert not result.success
    assert convicted.ledger.handed == []


@pytest.mark.fault("T44")
def test_publish_alone_of_an_escalated_work_order_publishes_nothing(
    instance: dg.DagsterInstance,
) -> None:
    """T44."""
    legal = Classification(classes=(EscalationClass.LEGAL,), reason="names a lawyer")
    house = House(instance, services(specialist=Told(classification=legal)))
    house.run()
    house.run(["publish"])
    assert house.ledger.handed == []
    assert house.store.state(KEY) is WorkOrderState.ESCALATED


@pytest.mark.fault("T45")
def test_publish_alone_without_any_policy_publishes_nothing(house: House) -> None:
    """T45: no verdict at all is no permission."""
    assert not house.run(["publish"]).success
    assert house.ledger.handed == []


def test_a_ledger_that_cannot_be_reached_queues_the_work_order_again(house: House) -> None:
    house.ledger.trouble = RemoteUnavailableError("no answer")
    assert not house.run().success
    job = house.store.record(KEY).job
    assert job is not None
    assert job.state is JobState.QUEUED


def test_a_ledger_that_refuses_makes_a_dead_letter(house: House) -> None:
    house.ledger.trouble = RefusedError("a required PASS is missing")
    assert not house.run().success
    assert house.store.state(KEY) is WorkOrderState.DEAD


def test_a_run_of_a_superseded_attempt_writes_nothing(house: House) -> None:
    house.queue.request_due(1)
    before = house.store.events(KEY)
    assert not house.run(attempt=9).success
    assert house.store.events(KEY) == before


def test_a_failed_step_is_not_tried_again_by_dagster(house: House) -> None:
    house.ledger.trouble = RemoteUnavailableError("no answer")
    result = house.run()
    assert not [e for e in result.all_events if e.event_type_value == "STEP_UP_FOR_RETRY"]
    assert result.dagster_run.tags["dagster/retry_on_asset_or_op_failure"] == "false"


def test_people_can_read_the_draft_and_the_verdict_at_the_materialization(house: House) -> None:
    result = house.run()
    shown = {
        event.asset_key.path[-1]: event.step_materialization_data.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
    }
    assert "draft" in shown["draft"]
    assert "evidence" in shown["context"]
    assert "verdicts" in shown["policy"]
    assert all("duration_ms" in metadata for metadata in shown.values())


CANARY = "ZEBRA-42-CANARY"


@pytest.mark.parametrize("broken", [False, True], ids=["a good run", "a run with a bug"])
def test_mail_text_stays_out_of_tags_config_and_messages(
    instance: dg.DagsterInstance, broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(instance, services())
    house.store.record(KEY).order = order(body_text=f"Where is it? {CANARY}")
    if broken:
        monkeypatch.setattr("swarm_assets.assets.stages.write_draft", quote_the_mail)
    result = house.run()
    run = result.dagster_run
    outside = [json.dumps(dict(run.tags)), json.dumps(dict(run.run_config))]
    outside += [str(event.message) for event in result.all_events]
    outside += [str(e.event_specific_data) for e in result.all_events if e.is_step_failure]
    outside += [str(event.detail) for event in house.store.events(KEY)]
    assert result.success is not broken
    assert not [text for text in outside if CANARY in text]


def quote_the_mail(*_arguments: object) -> None:
    raise ValueError(f"cannot parse: Where is it? {CANARY}")
