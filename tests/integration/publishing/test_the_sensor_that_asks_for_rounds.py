"""The publications sensor asks for a round when a round would find something, and only then."""

import dagster as dg
import pytest
from publishing_world import World

from swarm_assets.sensors.publications import publications

pytestmark = pytest.mark.integration


def asks(world: World) -> bool:
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance)
        answer = publications(context, publishing_deps=world.publisher())
    return isinstance(answer, dg.RunRequest)


def test_nothing_in_the_ledger_is_nothing_to_do(world: World) -> None:
    assert not asks(world)


def test_a_publication_of_the_swarm_that_is_due_is(world: World) -> None:
    world.ready()
    assert asks(world)


def test_what_is_due_for_legacy_is_legacys_to_dispatch(world: World) -> None:
    """A run a second that finds nothing to claim would starve the work orders of its slot."""
    world.appoint("legacy")
    world.ready(1, "legacy")
    assert not asks(world)


def test_a_payload_that_does_not_come_is_to_be_alerted_once(world: World) -> None:
    """After a rollback: the row waits for legacy's payload, and nobody else would notice."""
    key = world.ready()
    world.appoint("legacy")
    assert not asks(world)
    world.age(key, 901)
    assert asks(world)
    world.write(
        "INSERT INTO alerts (kind, subject, detail) VALUES ('publication.pending_payload', %s, '')",
        key,
    )
    assert not asks(world)
