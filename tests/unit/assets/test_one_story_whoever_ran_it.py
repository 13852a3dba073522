"""The event chain says the same of a work order, whether the pipeline or Dagster drove it."""

from collections.abc import Sequence

import pytest
from dagster_house import House, Ledger
from replying import KEY, Told, accepted, order, services

from swarm.models import EscalationClass, Stage, StoredEvent
from swarm.specialists.protocol import Classification, Specialist
from swarm.stages.pipeline import run_chain
from swarm.store.memory import MemoryStore


def told(events: Sequence[StoredEvent]) -> dict[Stage, tuple[object, ...]]:
    """What each stage's event says, but for how long it took."""
    return {
        event.stage: (event.actor, event.detail, event.cost)
        for event in events
        if event.stage is not None and event.kind == "stage.finished"
    }


def specialists() -> dict[str, Specialist]:
    press = Classification(classes=(EscalationClass.PRESS,))
    return {
        "a draft": Told(bodies=["Thank you. All is well."]),
        "an escalation": Told(classification=press),
        "a revision": Told(bodies=["Thank you!! All is well.", "Thank you. All is well."]),
    }


@pytest.mark.parametrize("case", specialists())
def test_author_inputs_and_outcome_are_the_same(case: str, instance) -> None:
    chained = services(specialist=specialists()[case])
    assert isinstance(chained.store, MemoryStore)
    run_chain(order(), chained, accepted(chained), Ledger(chained.store))
    house = House(instance, services(specialist=specialists()[case]))
    assert house.run().success
    by_pipeline, by_dagster = told(chained.store.events(KEY)), told(house.store.events(KEY))
    assert set(by_pipeline) == set(Stage)
    assert by_dagster == by_pipeline


def test_the_author_is_who_made_it_and_not_who_was_in_the_room() -> None:
    bundle = services()
    run_chain(order(), bundle, accepted(bundle))
    authors = {stage: said[0] for stage, said in told(bundle.store.events(KEY)).items()}
    rules = bundle.thinker
    assert authors[Stage.RECEIVED] == "intake"
    assert {authors[s] for s in (Stage.THREAD, Stage.CRM, Stage.CONTEXT)} == {"enrichment"}
    assert {authors[s] for s in (Stage.TIER, Stage.DRAFT, Stage.TONE)} == {rules}
    assert str(authors[Stage.POLICY]).startswith("ruleset es-")
    assert authors[Stage.PUBLISH] == "publishing"


def test_a_specialist_that_was_not_asked_is_not_named() -> None:
    """A detected class escalates by itself; nobody was paid for an opinion."""
    threat = order(subject="My lawyer", body_text="My lawyer will sue you in court tomorrow.")
    bundle = services()
    run_chain(threat, bundle, accepted(bundle, threat))
    assert told(bundle.store.events(KEY))[Stage.TIER][0] == "detectors"
