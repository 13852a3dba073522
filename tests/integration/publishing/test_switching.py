"""The switch: who may publish, what is handed over, and what a stale publisher can do (nothing)."""

import psycopg
import pytest
from postbox import Postbox
from publishing_world import World

from swarm.cutover import certificate
from swarm.errors import DatabaseRefusedError, RefusedError
from swarm.legacy.publishing.shim import no_other_holds_the_lease
from swarm.publishing.control import PublisherName, control_to_write_ready, read_control
from swarm.publishing.dispatch.dispatcher import Dispatched, dispatch_once
from swarm.publishing.switch import lease, wish
from swarm.publishing.switch.commands import appoint_initial, cutover, rollback, show, stop
from swarm.store.database import Database

pytestmark = pytest.mark.integration

WHO = {"actor": "anna", "reason": "drill"}


def test_a_fresh_installation_is_appointed_once_and_only_once(
    database: Database, postbox: Postbox
) -> None:
    first = appoint_initial(database, PublisherName.SWARM, actor="up", reason="sandbox")
    second = appoint_initial(database, PublisherName.LEGACY, actor="up", reason="again")
    assert (first.active, first.epoch) == (PublisherName.SWARM, 1)
    assert second == first


def test_a_cutover_without_a_certificate_is_refused_with_its_reason(world: World) -> None:
    world.appoint("legacy")
    world.write("TRUNCATE certificates CASCADE")
    with pytest.raises(RefusedError, match="no cutover certificate"):
        cutover(world.database, certificate=certificate.refusal, **WHO)
    assert show(world.database).control.active is PublisherName.LEGACY


def test_a_cutover_with_a_certificate_is_recorded_with_who_and_why(world: World) -> None:
    world.appoint("legacy")
    flip = cutover(world.database, certificate=certificate.refusal, **WHO)
    status = show(world.database)
    assert (flip.before.active, flip.after.active) == ("legacy", "swarm")
    assert flip.after.epoch == flip.before.epoch + 1
    assert (status.history[0].actor, status.history[0].reason) == ("anna", "drill")


def test_a_switch_without_who_or_why_is_refused(world: World) -> None:
    with pytest.raises(RefusedError, match="who asks and why"):
        rollback(world.database, actor="anna", reason=" ")


def test_the_history_of_switches_cannot_be_rewritten(world: World) -> None:
    with pytest.raises(DatabaseRefusedError, match="append-only"):
        world.write("UPDATE publisher_history SET actor = 'nobody'")


def test_a_dry_run_tells_what_would_change_and_changes_nothing(world: World) -> None:
    with_payload, without = world.ready(1), world.ready(2)
    world.enqueue(with_payload, "legacy")
    flip = rollback(world.database, dry_run=True, **WHO)
    assert (flip.ready, flip.pending_payload, flip.in_flight) == (1, 1, 0)
    assert show(world.database).control == flip.before
    assert world.row(without)["state"] == "READY"


def test_a_rollback_hands_over_what_nobody_began_and_leaves_what_is_in_flight(
    world: World,
) -> None:
    with_payload, without, in_flight = world.ready(1), world.ready(2), world.ready(3)
    world.enqueue(with_payload, "legacy")
    dispatch_once(world.publisher(), in_flight)
    flip = rollback(world.database, **WHO)
    assert (flip.ready, flip.pending_payload, flip.in_flight) == (1, 1, 1)
    rows = [world.row(key) for key in (with_payload, without, in_flight)]
    assert [(row["publisher"], row["state"]) for row in rows] == [
        ("legacy", "READY"),
        ("legacy", "PENDING_PAYLOAD"),
        ("swarm", "ACCEPTED"),
    ]


@pytest.mark.fault("T63")
def test_a_payload_that_comes_after_the_rollback_makes_its_row_ready(world: World) -> None:
    """T63: rollback while legacy has no payload; the list fills without a gap."""
    key = world.ready()
    rollback(world.database, **WHO)
    assert world.row(key)["state"] == "PENDING_PAYLOAD"
    world.enqueue(key, "legacy")
    row = world.row(key)
    assert (row["state"], row["publisher"]) == ("READY", "legacy")


@pytest.mark.fault("T63")
def test_what_waits_for_a_payload_after_a_rollback_is_listed_with_its_age(world: World) -> None:
    late, later = world.ready(1), world.ready(2)
    world.appoint("legacy")
    world.age(late, 600)
    listed = show(world.database).pending
    assert [row.work_order_key for row in listed] == [late, later]
    assert listed[0].age_seconds >= 600 > listed[1].age_seconds
    assert {row.publisher for row in listed} == {PublisherName.LEGACY}


def test_the_stop_button_lets_nobody_claim_and_loses_nothing(world: World) -> None:
    key = world.ready()
    stop(world.database, **WHO)
    for me in ("swarm", "legacy"):
        assert dispatch_once(world.publisher(me)).outcome is Dispatched.IDLE
    late = world.ready(2)
    assert world.row(late)["publisher"] == "none"
    world.appoint("swarm")
    assert {world.row(k)["state"] for k in (key, late)} == {"READY"}


@pytest.mark.fault("T40")
def test_a_stale_publisher_cannot_claim_after_the_switch(world: World) -> None:
    """T40: what it read before the flip does not matter; the claim reads the switch again."""
    world.ready()
    world.appoint("legacy")
    assert dispatch_once(world.publisher("swarm")).outcome is Dispatched.IDLE


def test_the_publisher_that_is_not_active_stores_its_payload_and_makes_the_row_wait(
    world: World,
) -> None:
    """Section 3, enqueue without a payload of the active publisher: visible, never in no list."""
    world.appoint("legacy")
    key = world.ready(1, "swarm")
    row = world.row(key)
    assert (row["publisher"], row["state"]) == ("legacy", "PENDING_PAYLOAD")
    assert dispatch_once(world.publisher("swarm")).outcome is Dispatched.IDLE
    world.appoint("swarm")
    assert world.row(key)["state"] == "READY"


def test_a_flip_waits_for_a_claim_in_progress_and_a_claim_for_a_flip(world: World) -> None:
    """I4: flip and claim are totally ordered by lock 7001."""
    with world.database.transaction() as claiming:
        control_to_write_ready(claiming)
        with psycopg.connect(world.database.url, autocommit=True) as other:
            row = other.execute("SELECT pg_try_advisory_lock(7001)").fetchone()
            assert row == (False,)
            row = other.execute("SELECT pg_try_advisory_lock_shared(7001)").fetchone()
            assert row == (True,)


# --- legacy's lease -------------------------------------------------------------------------------


def hold_lease(world: World, seconds: float = 60.0) -> None:
    with world.database.transaction() as connection:
        control_to_write_ready(connection)
        assert lease.obtain(connection, "sender-1", seconds) is not None


def test_a_switch_away_from_legacy_waits_until_its_lease_is_given_back(world: World) -> None:
    world.appoint("legacy")
    hold_lease(world)
    waits: list[float] = []

    def give_back_at_the_second_look(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            with world.database.transaction() as connection:
                assert lease.release(connection, "sender-1")

    flip = cutover(
        world.database, certificate=certificate.refusal, sleep=give_back_at_the_second_look, **WHO
    )
    assert flip.after.active is PublisherName.SWARM
    assert len(waits) == 2


def test_a_lease_is_not_renewed_while_somebody_waits_for_it(world: World) -> None:
    world.appoint("legacy")
    hold_lease(world)
    with world.database.transaction() as connection:
        wish.ask(connection, "anna", "drill", seconds=60)
        assert lease.obtain(connection, "sender-1", 60) is None


def test_a_lease_that_ran_out_unsettled_still_keeps_the_swarm_from_publishing(
    world: World,
) -> None:
    """What legacy did under it is not in the ledger yet: late, never twice."""
    world.appoint("legacy")
    hold_lease(world, seconds=-1.0)
    with pytest.raises(RefusedError, match="never settled"):
        cutover(world.database, certificate=certificate.refusal, **WHO)


def test_a_lease_survives_a_stop_and_a_rollback_but_never_delays_them(world: World) -> None:
    world.appoint("legacy")
    hold_lease(world)
    stop(world.database, **WHO)
    with pytest.raises(RefusedError, match="may publish without the ledger"):
        cutover(world.database, certificate=certificate.refusal, wait_seconds=0.0, **WHO)
    assert rollback(world.database, **WHO).after.active is PublisherName.LEGACY


def test_only_legacy_in_office_gets_a_lease_and_only_one_sender(world: World) -> None:
    with world.database.transaction() as connection:
        assert lease.obtain(connection, "sender-1", 60) is None
        assert read_control(connection).active is PublisherName.SWARM
    world.appoint("legacy")
    hold_lease(world)
    with world.database.transaction() as connection:
        assert lease.obtain(connection, "sender-2", 60) is None
        assert not no_other_holds_the_lease(connection, "sender-2")
        assert no_other_holds_the_lease(connection, "sender-1")
