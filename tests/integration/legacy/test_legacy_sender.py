"""Today's sender behind the ledger, with and without Postgres."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from legacy_production import SECRET, Production, state
from proven import certify
from publishing_world import World

from swarm.clients.zapier import ZapierHook
from swarm.cutover import certificate
from swarm.errors import RefusedError
from swarm.intake.stream.keys import work_order_key
from swarm.legacy.publishing.journal import Journal
from swarm.publishing.dispatch.round import run_round
from swarm.publishing.switch.commands import cutover, show

pytestmark = pytest.mark.integration

WHO = {"actor": "anna", "reason": "drill", "certificate": certificate.refusal}


@pytest.fixture
def production(world: World, tmp_path: Path) -> Iterator[Production]:
    world.appoint("legacy")
    production = Production(world, tmp_path)
    yield production
    production.stop()
    production.database.close()


def test_legacy_in_office_publishes_its_line_through_the_ledger(
    world: World, production: Production
) -> None:
    """Also for a work order our intake has not read yet: there is no row of it anywhere."""
    key = production.decide(1)
    assert production.turn() == 1
    (post,) = world.postbox.posts_of(key)
    assert post["draft_marker"] in post["body_text"]
    assert state(world, key) == ("legacy", "ACCEPTED")
    run_round(world.publisher("swarm"))
    assert state(world, key) == ("legacy", "CONFIRMED")
    assert production.turn() == 0


def test_legacy_out_of_office_only_stores_its_payload(world: World, production: Production) -> None:
    """`publish_sender` refuses when the swarm is active; a rollback then has what it needs."""
    world.appoint("swarm")
    key = production.decide(1)
    production.turn()
    assert world.postbox.posts == []
    assert state(world, key) == ("swarm", "PENDING_PAYLOAD")
    world.appoint("legacy")
    production.turn()
    assert state(world, key) == ("legacy", "ACCEPTED")


def test_a_line_legacy_refuses_holds_a_row_that_waits_for_it(
    world: World, production: Production
) -> None:
    key = production.decide(1, "I will see my lawyer.")
    with world.database.transaction() as connection:
        connection.execute(
            "INSERT INTO publication_ledger (work_order_key, publisher, state, epoch)"
            " VALUES (%s, 'legacy', 'PENDING_PAYLOAD', 2)",
            (key,),
        )
    production.turn()
    assert state(world, key) == ("legacy", "HELD")
    assert world.alerts(key) == ["publication.held"]
    assert world.postbox.posts == []


def test_a_repeated_line_and_an_unreadable_one_change_nothing(
    world: World, production: Production
) -> None:
    key = production.decide(1)
    with production.files.outbox.open("ab") as outbox:
        outbox.write(b"{not json}\n")
    production.decide(1)
    assert production.turn() == 3
    production.turn()
    assert len(world.postbox.posts_of(key)) == 1


def test_only_one_sender_holds_the_journal(production: Production) -> None:
    with pytest.raises(RefusedError, match="another publish_sender"):
        Journal(production.files.outbox.parent)


# --- Postgres is away -----------------------------------------------------------------------------


def test_without_postgres_production_goes_on_under_its_lease_and_settles_afterwards(
    world: World, production: Production
) -> None:
    production.turn()
    production.database.away = True
    key = production.decide(1)
    assert production.turn() == 1
    assert len(world.postbox.posts_of(key)) == 1
    assert production.turn() == 0

    production.database.away = False
    production.turn()
    assert state(world, key) == ("legacy", "ACCEPTED")
    run_round(world.publisher("swarm"))
    assert state(world, key) == ("legacy", "CONFIRMED")
    assert production.journal.entries() == ()
    assert len(world.postbox.posts) == 1


def test_after_the_lease_it_holds_until_postgres_is_back(
    world: World, production: Production
) -> None:
    """Late, never twice."""
    production.turn()
    production.database.away = True
    production.now += 41  # 60 s of lease less 20 s that one POST may take
    key = production.decide(1)
    assert production.turn() == 0
    assert world.postbox.posts == []
    production.database.away = False
    assert production.turn() == 1
    assert len(world.postbox.posts_of(key)) == 1


def test_without_a_lease_nothing_is_published_without_postgres(
    world: World, production: Production
) -> None:
    production.database.away = True
    production.decide(1)
    assert production.turn() == 0
    assert world.postbox.posts == []


def test_what_was_ever_claimed_by_anybody_is_never_published_under_a_lease(
    world: World, production: Production
) -> None:
    """The swarm posted it before the rollback; legacy's line comes late, in the outage."""
    world.appoint("swarm")
    key = work_order_key(SECRET, "mail-1")
    with world.database.transaction() as connection:
        connection.execute(
            "INSERT INTO publication_ledger (work_order_key, publisher, state, epoch, fence)"
            " VALUES (%s, 'swarm', 'UNKNOWN', 2, 1)",
            (key,),
        )
    world.appoint("legacy")
    production.turn()
    production.database.away = True
    production.decide(1)
    assert production.turn() == 1
    assert world.postbox.posts == []
    production.database.away = False
    production.turn()
    assert state(world, key) == ("swarm", "UNKNOWN")
    assert world.alerts(key) == []


def test_what_legacy_itself_gave_to_the_ledger_is_not_published_again_under_a_lease(
    world: World, production: Production
) -> None:
    key = production.decide(1)
    production.turn()
    production.database.away = True
    production.decide(1)
    production.turn()
    assert len(world.postbox.posts_of(key)) == 1


def test_killed_while_posting_under_the_lease_it_never_posts_again(
    world: World, production: Production
) -> None:
    """The journal has the intent and no outcome: unknown, found again in the mailbox."""
    production.turn()
    production.database.away = True
    key = production.decide(1)

    def die() -> None:
        raise KeyboardInterrupt

    hook_post, ZapierHook.post = ZapierHook.post, lambda self, body: (hook_post(self, body), die())
    try:
        with pytest.raises(KeyboardInterrupt):
            production.turn()
    finally:
        ZapierHook.post = hook_post
    production.stop()
    production.start()
    production.turn()
    assert len(world.postbox.posts_of(key)) == 1

    production.database.away = False
    production.turn()
    assert state(world, key) == ("legacy", "UNKNOWN")
    run_round(world.publisher("swarm"))
    assert state(world, key) == ("legacy", "CONFIRMED")


def test_a_cutover_waits_until_legacy_has_settled_and_then_the_swarm_publishes_only_the_rest(
    world: World, production: Production
) -> None:
    production.turn()
    production.database.away = True
    done, rest = production.decide(1), production.decide(2)
    production.now += 0
    production.turn()
    assert len(world.postbox.posts) == 2
    production.database.away = False

    certify(world.database)
    flip = cutover(world.database, sleep=lambda _seconds: production.turn() and None, **WHO)
    assert flip.after.active == "swarm"
    assert [state(world, key)[1] for key in (done, rest)] == ["ACCEPTED", "ACCEPTED"]
    production.turn()
    assert show(world.database).lease is None
    assert len(world.postbox.posts) == 2


def test_a_cutover_is_refused_while_legacy_is_away_with_an_unsettled_lease(
    world: World, production: Production
) -> None:
    production.turn()
    certify(world.database)
    with pytest.raises(RefusedError, match="publish without the ledger"):
        cutover(world.database, wait_seconds=0, **WHO)
    production.turn()
    assert show(world.database).control.active == "legacy"


def test_settling_twice_counts_once(world: World, production: Production) -> None:
    """Killed between the commit and the emptying of the journal."""
    production.turn()
    production.database.away = True
    key = production.decide(1)
    production.turn()
    journal = production.files.outbox.parent / "journal.jsonl"
    written = journal.read_bytes()
    production.database.away = False
    production.turn()
    production.stop()
    journal.write_bytes(written)
    production.start()
    production.turn()
    assert world.log(key).count("settled") == 1
    assert world.alerts(key) == []
    assert world.row(key)["uncertain_posts"] == 1


def test_a_second_sender_cannot_claim_while_the_first_holds_the_lease(
    world: World, production: Production, tmp_path: Path
) -> None:
    production.turn()
    other = Production(world, tmp_path / "other")
    key = other.decide(1)
    other.turn()
    assert state(world, key) == ("legacy", "READY")
    assert world.postbox.posts == []
    production.turn()
    assert state(world, key) == ("legacy", "ACCEPTED")
    other.stop()
    other.database.close()
