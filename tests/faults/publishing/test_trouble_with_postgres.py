"""Postgres is there and does not do what it is asked: programs go on, nothing is drafted twice."""

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import waiting_cutover
from legacy_programs import READERS, SENDER, LegacyHome, mail
from proven import certify
from publisher_process import start
from publishing_world import World
from waiting import wait_for

from swarm.publishing.dispatch.round import run_round
from swarm.publishing.switch.commands import show

pytestmark = [pytest.mark.faults, pytest.mark.integration]

LOCK_SECONDS = 16.0  # longer than the 10 s a statement waits for a lock
PATIENCE = 180.0
QUESTION = "Hello,\n\nwhen does my parcel arrive?\n"

_OTHERS = """
SELECT {}(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.mark.fault("T28")
def test_the_sender_outlives_a_held_switch_lock_and_posts_under_its_lease(
    world: World, tmp_path: Path
) -> None:
    world.appoint("legacy")
    legacy = LegacyHome(tmp_path, world.postbox, world.database.url)
    with legacy.running(*READERS, SENDER) as programs:
        wait_for(lambda: show(world.database).lease, "the lease", PATIENCE)
        with psycopg.connect(world.database.url) as other:
            other.execute("SELECT pg_advisory_xact_lock(7001)")
            until = time.monotonic() + LOCK_SECONDS
            legacy.hand_in(mail(1, "Parcel 1", QUESTION))
            wait_for(lambda: legacy.box.posts, "the post while the lock is held", PATIENCE)
            wait_for(lambda: time.monotonic() >= until, "the lock to be given back", PATIENCE)
        legacy.hand_in(mail(2, "Parcel 2", QUESTION))
        wait_for(lambda: len(legacy.box.posts) == 2, "the post afterwards", PATIENCE)
        wait_for(lambda: all_confirmed(world, 2), "both to be found", PATIENCE)
        assert programs[SENDER].poll() is None
    assert b"Traceback" not in (tmp_path / f"{SENDER}.log").read_bytes()
    assert len({post["idempotency_key"] for post in legacy.box.posts}) == 2


@pytest.mark.fault("T28")
def test_both_publishers_outlive_a_held_switch_lock(world: World) -> None:
    keys = [world.ready(number) for number in range(1, 4)]
    process = start(world.database.url, world.postbox.url, "swarm", "--interval", "0.1")
    try:
        with psycopg.connect(world.database.url) as other:
            other.execute("SELECT pg_advisory_xact_lock(7001)")
            wait_for(lambda: waits_for_a_lock(world), "the publisher to wait", PATIENCE)
            held_until = time.monotonic() + LOCK_SECONDS
            wait_for(lambda: time.monotonic() >= held_until, "its time limit", PATIENCE)
            assert process.poll() is None
        wait_for(lambda: all_confirmed(world, len(keys)), "all to be published", PATIENCE)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()
    assert [len(world.postbox.drafts_of(key)) for key in keys] == [1] * len(keys)


@pytest.mark.fault("T21")
@pytest.mark.parametrize("how", ["pg_cancel_backend", "pg_terminate_backend"])
@pytest.mark.parametrize("seed", [11])
def test_publishers_whose_statements_and_connections_are_ended_at_random(
    world: World, how: str, seed: int
) -> None:
    """Every few hundredths of a second, in the middle of whatever they do."""
    chance = random.Random(seed)
    keys = [world.ready(number) for number in range(1, 13)]
    process = start(world.database.url, world.postbox.url, "swarm", "--interval", "0.01")
    try:
        with psycopg.connect(world.database.url, autocommit=True) as other:
            for _ in range(60):
                time.sleep(chance.uniform(0.02, 0.1))
                other.execute(_OTHERS.format(how).encode())
        assert process.poll() is None
        wait_for(lambda: ended(world, keys, process.poll), "all to end", PATIENCE)
    finally:
        process.kill()
        process.wait()
    assert [len(world.postbox.posts_of(key)) for key in keys] == [1] * len(keys)


def test_a_cutover_that_is_killed_as_it_waits_costs_legacy_its_lease_for_a_while_only(
    world: World, tmp_path: Path
) -> None:
    """Before, the flag it had set stood for ever: in the next outage production had no lease."""
    world.appoint("legacy")
    legacy = LegacyHome(tmp_path, world.postbox, world.database.url)
    with legacy.running(SENDER):
        wait_for(lambda: show(world.database).lease, "the lease", PATIENCE)
    # The sender is away, so that the lease is not given back and the cutover waits.
    certify(world.database)
    process = waiting_cutover.start(world.database.url, wait_seconds=120.0)
    wait_for(lambda: show(world.database).wish, "the wish", PATIENCE)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with legacy.running(SENDER):
        wait_for(lambda: show(world.database).lease is None, "the lease to be given back", PATIENCE)
        world.write("UPDATE switch_wish SET expires_at = clock_timestamp()")  # 150 s later
        wait_for(lambda: show(world.database).lease, "a lease once more", PATIENCE)
    status = show(world.database)
    assert status.control.active == "legacy"
    assert [each.ended_as for each in status.wishes] == ["expired"]


def test_a_cutover_that_is_interrupted_as_it_waits_takes_its_wish_back(
    world: World, tmp_path: Path
) -> None:
    world.appoint("legacy")
    legacy = LegacyHome(tmp_path, world.postbox, world.database.url)
    with legacy.running(SENDER):
        wait_for(lambda: show(world.database).lease, "the lease", PATIENCE)
    certify(world.database)
    process = waiting_cutover.start(world.database.url, wait_seconds=120.0)
    wait_for(lambda: show(world.database).wish, "the wish", PATIENCE)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=PATIENCE) != 0
    status = show(world.database)
    assert status.wish is None
    assert [each.ended_as for each in status.wishes] == ["withdrawn"]


def all_confirmed(world: World, count: int) -> bool:
    run_round(world.publisher())
    with world.database.transaction() as connection:
        rows = connection.execute("SELECT state FROM publication_ledger").fetchall()
    return len(rows) == count and {row["state"] for row in rows} == {"CONFIRMED"}


def ended(world: World, keys: list[str], died: Callable[[], object]) -> bool:
    """Time goes by faster for what waits for its next try."""
    assert died() is None
    world.age_all(30)
    return {world.row(key)["state"] for key in keys} == {"CONFIRMED"}


def waits_for_a_lock(world: World) -> bool:
    query = "SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with world.database.transaction() as connection:
        row = connection.execute(query).fetchone()
    return bool(row and row["n"])
