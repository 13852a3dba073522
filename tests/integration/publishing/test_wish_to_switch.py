"""Waiting to cut over leaves no trace that outlives the wait: legacy keeps its rescue."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from legacy_production import Production
from publishing_world import World

from swarm.cutover import certificate
from swarm.errors import DatabaseRefusedError, DatabaseUnavailableError, RefusedError
from swarm.publishing.control import PublisherName, control_to_write_ready
from swarm.publishing.switch import lease, wish
from swarm.publishing.switch.commands import PublisherStatus, cutover, rollback, show, stop

pytestmark = pytest.mark.integration

WHO = {"actor": "anna", "reason": "go live"}


@pytest.fixture
def production(world: World, tmp_path: Path) -> Iterator[Production]:
    """Today's sender in office, with its lease."""
    world.appoint("legacy")
    production = Production(world, tmp_path)
    production.turn()
    assert has_a_lease(world)
    yield production
    production.stop()
    production.database.close()


def has_a_lease(world: World) -> bool:
    return show(world.database).lease is not None


def let_the_wish_run_out(world: World) -> None:
    world.write("UPDATE switch_wish SET expires_at = clock_timestamp() WHERE ended_at IS NULL")


def ends(status: PublisherStatus) -> list[tuple[str | None, str | None]]:
    return [(each.ended_as, each.ended_by) for each in status.wishes]


def waiting(world: World, then: Callable[[], object]) -> None:
    """A cutover that waits; ``then`` happens while it does."""
    cutover(
        world.database,
        certificate=certificate.refusal,
        sleep=lambda _seconds: then() and None,
        **WHO,
    )


def interrupt() -> None:
    raise KeyboardInterrupt


def test_a_cutover_that_was_killed_while_it_waited_costs_legacy_its_lease_for_a_while_only(
    world: World, production: Production
) -> None:
    """Nobody is left to take the wish back: its end was written with it."""
    with world.database.transaction() as connection:
        wish.ask(connection, "anna", "go live", seconds=150)
    production.turn()
    assert not has_a_lease(world)
    let_the_wish_run_out(world)
    production.turn()
    assert has_a_lease(world)
    assert ends(show(world.database)) == [("expired", production.lease.holder)]


def test_ctrl_c_takes_the_wish_back_at_once(world: World, production: Production) -> None:
    with pytest.raises(KeyboardInterrupt):
        waiting(world, interrupt)
    production.turn()
    assert has_a_lease(world)
    assert ends(show(world.database)) == [("withdrawn", "anna")]


def test_losing_the_database_while_waiting_leaves_the_wish_to_run_out(
    world: World, production: Production
) -> None:
    def lose() -> None:
        production.database.away = True
        raise DatabaseUnavailableError("out of reach")

    with pytest.raises(DatabaseUnavailableError):
        cutover(
            production.database, certificate=certificate.refusal, sleep=lambda _s: lose(), **WHO
        )
    production.database.away = False
    production.turn()
    assert not has_a_lease(world)
    status = show(world.database)
    assert status.wish is not None
    assert (status.wish.standing, status.wish.actor, status.wish.reason) == (True, *WHO.values())
    let_the_wish_run_out(world)
    stale = show(world.database).wish
    assert stale is not None
    assert not stale.standing
    production.turn()
    assert has_a_lease(world)


@pytest.mark.parametrize("other", [rollback, stop], ids=["rollback", "stop"])
def test_a_rollback_or_a_stop_ends_a_cutover_that_waits(
    world: World, production: Production, other: Callable[..., object]
) -> None:
    """Before, the cutover went on and undid what a person had just asked for."""
    done: list[object] = []

    def meanwhile() -> None:
        if not done:
            done.append(other(world.database, actor="bert", reason="trouble"))
        production.turn()
        production.lease.let_go(world.database)

    with pytest.raises(RefusedError, match="withdrawn by bert"):
        waiting(world, meanwhile)
    status = show(world.database)
    assert status.control.active is not PublisherName.SWARM
    assert ends(status) == [("withdrawn", "bert")]


def test_a_cutover_whose_wish_ran_out_while_it_waited_does_not_switch(
    world: World, production: Production
) -> None:
    """The database was away for long; legacy may have a lease again."""

    def much_later() -> None:
        let_the_wish_run_out(world)
        production.turn()
        production.lease.let_go(world.database)

    with pytest.raises(RefusedError, match="expired by"):
        waiting(world, much_later)
    assert show(world.database).control.active is PublisherName.LEGACY


def test_a_refused_cutover_takes_its_wish_back(world: World, production: Production) -> None:
    with pytest.raises(RefusedError, match="may publish without the ledger"):
        cutover(world.database, certificate=certificate.refusal, wait_seconds=0.0, **WHO)
    assert ends(show(world.database)) == [("withdrawn", "anna")]
    production.turn()
    assert has_a_lease(world)


def test_a_cutover_that_succeeds_leaves_its_wish_fulfilled(
    world: World, production: Production
) -> None:
    waiting(world, production.turn)
    status = show(world.database)
    assert status.control.active is PublisherName.SWARM
    assert ends(status) == [("fulfilled", "anna")]
    assert status.wish is None


def test_a_later_wish_supersedes_an_earlier_one_and_only_the_later_may_switch(
    world: World, production: Production
) -> None:
    asked: list[int] = []

    def ask_as_well() -> None:
        if not asked:
            with world.database.transaction() as connection:
                asked.append(wish.ask(connection, "bert", "me too", seconds=60))
        production.turn()

    with pytest.raises(RefusedError, match="superseded by bert"):
        waiting(world, ask_as_well)
    status = show(world.database)
    assert [each.ended_as for each in status.wishes] == [None, "superseded"]
    assert status.wish is not None
    assert status.wish.id == asked[0]


def test_a_wish_that_ended_cannot_be_rewritten(world: World) -> None:
    with world.database.transaction() as connection:
        one = wish.ask(connection, "anna", "go live", seconds=60)
        wish.withdraw(connection, "anna", one)
    for statement in ("UPDATE switch_wish SET ended_by = 'nobody'", "DELETE FROM switch_wish"):
        with pytest.raises(DatabaseRefusedError, match="append-only"):
            world.write(statement)


def test_a_wish_counts_also_before_legacy_ever_had_a_lease(world: World) -> None:
    """The flag lived on the lease's row: without one, asking changed nothing."""
    world.appoint("legacy")
    with world.database.transaction() as connection:
        wish.ask(connection, "anna", "go live", seconds=60)
    with world.database.transaction() as connection:
        control_to_write_ready(connection)
        assert lease.obtain(connection, "sender-1", 60) is None
