"""The dossier answers: where is it, why, what next, and how it came there."""

import pytest

from swarm.errors import MalformedInputError
from swarm.models import Stage, Tier, WorkOrderState
from swarm.observe.dossier.dossier import Dossier, dossier
from swarm.store.queue import JobState

pytestmark = pytest.mark.integration


def test_a_published_work_order_tells_its_whole_story(world) -> None:
    told = dossier(world.database, world.published, ui_url="http://127.0.0.1:3000/")
    assert (told.state, told.why) == (WorkOrderState.PUBLISHED, "draft found in drafts")
    assert told.next_step == "a person edits the draft in Outlook and sends it"
    assert [run.outcome for run in told.runs] == ["publishing"]
    assert {v.rule for v in told.verdicts} == set(world.rules)
    assert told.publication is not None
    assert (told.publication.state, told.publication.draft_id) == ("CONFIRMED", "m0")
    assert told.job is not None
    assert told.job.state is JobState.DONE
    assert told.chain_problems == ()
    assert Dossier.model_validate_json(told.model_dump_json()) == told


def test_every_stage_is_told_with_who_how_long_and_at_what_cost(world) -> None:
    told = dossier(world.database, world.published, ui_url="http://127.0.0.1:3000/")
    assert [story.stage for story in told.stages] == list(Stage)
    tier = next(story for story in told.stages if story.stage is Stage.TIER)
    assert (tier.outcome, tier.actor) == ("routine", "rules 1")
    assert (tier.duration_ms, tier.cost, tier.run_id) == (12, 0.01, "run-p")
    assert tier.run_url == "http://127.0.0.1:3000/runs/run-p"
    assert told.body(Stage.TIER)["tier"] == Tier.ROUTINE
    assert told.stages[-1].outcome == "no output"
    assert told.body(Stage.PUBLISH) is None


def test_a_work_order_is_found_by_its_exact_original_id(world) -> None:
    assert dossier(world.database, "WO-e").key == world.escalated


@pytest.mark.parametrize("name", ["WO-", "wo-e", " WO-e", "%", "", "'; DROP TABLE work_orders; --"])
def test_no_other_name_finds_one(world, name: str) -> None:
    with pytest.raises(MalformedInputError, match="no work order has this key or id"):
        dossier(world.database, name)


def test_an_escalation_names_its_owner_and_time(world) -> None:
    told = dossier(world.database, world.escalated)
    assert told.escalation is not None
    assert told.escalation.reasons[0].rule == "ES-03"
    assert told.next_step.startswith("customer-service-lead acknowledges it by ")


def test_a_live_work_order_says_who_works_on_it(world) -> None:
    told = dossier(world.database, world.live)
    assert told.next_step == "run attempt 0 works on it, last output: none yet"
    assert told.final_at is None
    assert told.publication is None


def test_a_dead_letter_says_why_and_what_a_person_can_do(world) -> None:
    fence = world.queue.open(world.live, "run-l", None)
    world.queue.fail(fence, "the stored mail is unreadable", retryable=False)
    told = dossier(world.database, world.live)
    assert told.why == "the stored mail is unreadable"
    assert "replay" in told.next_step
    assert [alert.kind for alert in told.alerts] == ["work_order.dead"]
