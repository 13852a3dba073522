"""A draft made under the lease is found, however long Postgres was away and whatever clocks said.

Without a mark of its own a draft is searched from two minutes before the first word of it: that is
legacy's intent, not the row which the ledger made when Postgres was back.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from legacy_production import Production, state
from publishing_world import World

from swarm.clients.zapier import ZapierHook
from swarm.publishing.dispatch.round import run_round

pytestmark = pytest.mark.integration

OUTAGE = 3600.0
DAY = 86400.0

Entry = dict[str, object]


@pytest.fixture
def production(world: World, tmp_path: Path) -> Iterator[Production]:
    world.appoint("legacy")
    production = Production(world, tmp_path)
    production.turn()
    yield production
    production.stop()
    production.database.close()


def posted_under_the_lease(production: Production, number: int = 1) -> str:
    production.database.away = True
    key = production.decide(number)
    production.turn()
    return key


def long_ago(
    production: Production, change: Callable[[Entry], object] = lambda _entry: None
) -> None:
    """Let an hour have passed since everything in journal and mailbox; the sender was restarted."""
    production.stop()
    journal = production.files.outbox.parent / "journal.jsonl"
    entries = [json.loads(line) for line in journal.read_bytes().splitlines()]
    for entry in entries:
        if "at" in entry:
            entry["at"] -= OUTAGE
            entry["since_boot"] -= OUTAGE
            change(entry)
    journal.write_text("".join(json.dumps(entry) + "\n" for entry in entries), "utf-8")
    for draft in production.world.postbox.drafts:
        draft["at"] = str(float(draft["at"]) - OUTAGE)
    production.start()
    production.database.away = False


def settle_and_look(world: World, production: Production) -> None:
    production.turn()
    run_round(world.publisher("swarm"))


def assert_found(world: World, key: str) -> None:
    assert state(world, key) == ("legacy", "CONFIRMED")
    assert world.alerts(key) == []
    assert len(world.postbox.posts_of(key)) == 1


def the_clock_was_set(by: float) -> Callable[[Entry], object]:
    return lambda entry: entry.update(at=float(str(entry["at"])) + by)


def another_boot(entry: Entry) -> None:
    entry.update(boot_id="another", since_boot=5.0)


def written_by_an_older_version(entry: Entry) -> None:
    del entry["boot_id"], entry["since_boot"]


@pytest.mark.parametrize(
    "change",
    [
        lambda _entry: None,
        the_clock_was_set(DAY),
        the_clock_was_set(-DAY),
        the_clock_was_set(600.0),
        another_boot,
        written_by_an_older_version,
    ],
    ids=["1 h away", "clock + 1 day", "clock - 1 day", "clock + 10 min", "reboot", "old journal"],
)
def test_a_draft_made_long_before_postgres_was_back_is_found(
    world: World, production: Production, change: Callable[[Entry], object]
) -> None:
    key = posted_under_the_lease(production)
    long_ago(production, change)
    settle_and_look(world, production)
    assert_found(world, key)


def test_so_is_one_whose_sender_was_killed_before_it_could_write_the_outcome(
    world: World, production: Production, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = ZapierHook.post

    def killed(self: ZapierHook, body: dict[str, str]) -> None:
        post(self, body)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ZapierHook, "post", killed)
        with pytest.raises(KeyboardInterrupt):
            posted_under_the_lease(production)
    key = world.postbox.posts[0]["idempotency_key"]
    long_ago(production)
    settle_and_look(world, production)
    assert_found(world, key)


def test_so_is_one_whose_zap_was_slower_than_the_outage_was_long(
    world: World, production: Production
) -> None:
    world.postbox.mode = "delay"
    key = posted_under_the_lease(production)
    long_ago(production)
    settle_and_look(world, production)
    assert state(world, key) == ("legacy", "ACCEPTED")
    world.postbox.release_delayed()
    world.age(key, 60)
    run_round(world.publisher("swarm"))
    assert_found(world, key)


def test_a_second_draft_from_the_outage_is_still_seen_as_one_too_many(
    world: World, production: Production
) -> None:
    world.postbox.mode = "duplicate"
    key = posted_under_the_lease(production)
    long_ago(production)
    settle_and_look(world, production)
    assert state(world, key) == ("legacy", "CONFIRMED")
    assert world.alerts(key) == ["publication.duplicate"]


def test_an_older_draft_of_the_same_marker_is_not_taken_for_it(
    world: World, production: Production
) -> None:
    """The search reaches back to the intent and no further."""
    world.postbox.mode = "paused"
    key = posted_under_the_lease(production)
    world.postbox.draft(world.postbox.posts[0])
    world.postbox.drafts[0]["at"] = str(float(world.postbox.drafts[0]["at"]) - 600)
    long_ago(production)
    settle_and_look(world, production)
    assert state(world, key) == ("legacy", "ACCEPTED")
