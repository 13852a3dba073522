"""The publications sensor asks for a round when a round would find something, and only then."""

import dagster as dg
import pytest
from publishing_world import World

from swarm.publishing.dispatch.round import run_round
from swarm.store.alerts import ROUNDS_LOST, open_alerts
from swarm_assets.sensors import publications as sensor
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


def lost_rounds(world: World) -> list[int]:
    with world.database.transaction() as connection:
        return [each.count for each in open_alerts(connection) if each.kind == ROUNDS_LOST]


def test_lost_rounds_are_alerted_as_one_that_grows_until_a_round_begins(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """15 in a row were once lost to one stopped process, and `swarm status` showed no alert."""
    seconds, killed = [0.0], list[str]()
    monkeypatch.setattr(sensor, "_in_flight", sensor.RoundsInFlight(lambda: seconds[0]))
    monkeypatch.setattr(
        sensor, "end_workers", lambda _instance, runs: killed.extend(run.run_id for run in runs)
    )
    world.ready()
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance)
        for number in (1, 2):
            starting = dg.DagsterRun(
                job_name="publications", run_id=f"r{number}", status=dg.DagsterRunStatus.STARTING
            )
            instance.add_run(starting)
            answer = publications(context, publishing_deps=world.publisher())
            assert isinstance(answer, dg.SkipReason)
            seconds[0] += 31.0
            answer = publications(context, publishing_deps=world.publisher())
            assert isinstance(answer, dg.RunRequest), "the next one is asked for at once"
            assert lost_rounds(world) == [number]
        assert killed == ["r1", "r2"], "whoever took it and never began holds the only place"
    run_round(world.publisher())
    assert lost_rounds(world) == []
