"""What a claim demands: every PASS, for exactly these bytes, of the publisher in office."""

import pytest
from publishing_world import EVIDENCE, RULES, RULESET, World, payload

from swarm.errors import RefusedError
from swarm.process_identity import this_process
from swarm.publishing.control import PublisherName
from swarm.publishing.dispatch.dispatcher import Dispatched, dispatch_once
from swarm.publishing.dispatch.round import run_round
from swarm.publishing.ledger.claim import claim, next_candidate
from swarm.publishing.ledger.enqueue import enqueue

pytestmark = pytest.mark.integration


@pytest.mark.fault("T39")
def test_one_row_per_work_order_for_ever_over_both_publishers(world: World) -> None:
    """T39: both enabled by mistake; the primary key makes one win, the other is a shadow."""
    key = world.ready()
    world.enqueue(key, "legacy")
    dispatch_once(world.publisher())
    assert dispatch_once(world.publisher("legacy")).outcome is Dispatched.IDLE
    world.enqueue(key, "swarm", "Another text.")
    assert world.row(key)["state"] == "ACCEPTED"
    assert len(world.postbox.posts) == 1


def test_a_newer_draft_replaces_an_unclaimed_one(world: World) -> None:
    key = world.ready()
    world.enqueue(key, "swarm", "It arrives today.")
    dispatch_once(world.publisher())
    (post,) = world.postbox.posts_of(key)
    assert "It arrives today." in post["body_text"]


@pytest.mark.fault("T44", "R1")
def test_nothing_is_stored_without_a_pass_of_every_rule(world: World) -> None:
    """T44, R1: `publish` launched alone for a rejected draft is refused."""
    key = world.order()
    world.approve(key, ruling="fail")
    with (
        pytest.raises(RefusedError, match="no stored PASS for these bytes of ES-07, ES-10"),
        world.database.transaction() as connection,
    ):
        enqueue(
            connection,
            PublisherName.SWARM,
            payload(key),
            evidence_sha256=EVIDENCE,
            ruleset=RULESET,
            required_rules=RULES,
        )
    with world.database.transaction() as connection:
        assert connection.execute("SELECT count(*) AS n FROM publication_ledger").fetchone() == {
            "n": 0
        }


@pytest.mark.fault("T43")
@pytest.mark.parametrize("spoil", ["required", "none required", "ruleset", "evidence", "failed"])
def test_a_claim_is_refused_when_one_thing_is_not_as_it_was_judged(
    world: World, spoil: str
) -> None:
    """T43: the verdict is read again in the claim transaction."""
    key = world.ready()
    deps = world.publisher()
    if spoil == "required":
        deps = world.publisher(required_rules=(*RULES, "ES-99"))
    elif spoil == "none required":
        deps = world.publisher(required_rules=())
    elif spoil == "ruleset":
        world.write("UPDATE publication_payload SET ruleset = 'rules-2'")
    elif spoil == "evidence":
        world.write("UPDATE publication_payload SET evidence_sha256 = 'f'")
    else:
        world.write(
            "INSERT INTO verdicts SELECT 'ES-11', version, draft_sha256, evidence_sha256, 'fail',"
            " '[]', 'later', work_order_key FROM verdicts WHERE rule = 'ES-07'"
        )
    assert dispatch_once(deps).outcome is Dispatched.IDLE
    assert world.row(key)["state"] == "READY"
    assert world.postbox.posts == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE publication_payload SET body = jsonb_set(body, '{body_text}', '\"pay me\"')",
        "UPDATE publication_payload SET draft_sha256 = 'd', evidence_sha256 = 'd'",
    ],
)
def test_tampered_bytes_are_never_posted(world: World, change: str) -> None:
    """ES-17: published bytes are approved bytes."""
    key = world.ready()
    world.write(change)
    if "draft_sha256" in change:  # even if somebody forged verdicts for the false hashes
        world.write(
            "INSERT INTO verdicts SELECT rule, version, 'd', 'd', ruling, reasons, decided_by,"
            " work_order_key FROM verdicts"
        )
    assert dispatch_once(world.publisher()).outcome is Dispatched.HELD
    assert world.row(key)["state"] == "HELD"
    assert world.alerts(key) == ["work_order.held"]
    assert world.postbox.posts == []


def test_two_dispatchers_never_take_the_same_publication(world: World) -> None:
    keys = [world.ready(number) for number in range(1, 4)]
    one, two = world.publisher(), world.publisher()
    outcomes = [dispatch_once(deps).work_order_key for deps in (one, two, one)]
    assert sorted(key for key in outcomes if key) == sorted(keys)
    assert len(world.postbox.posts) == 3


def test_a_row_that_still_names_a_publisher_out_of_office_is_not_claimed(world: World) -> None:
    """ES-18: the switch decides, even where a row was not handed over."""
    key = world.ready()
    deps = world.publisher()
    rules = {"required_rules": deps.required_rules, "max_attempts": 5}
    with world.database.transaction() as connection:
        candidate = next_candidate(connection, deps.me, **rules)
    world.write("UPDATE publisher_control SET active = 'legacy'")
    with world.database.transaction() as connection:
        won = claim(connection, candidate, this_process(), permitted=deps.permitted, **rules)
    assert won is None
    assert world.row(key)["state"] == "READY"


@pytest.mark.parametrize("used_up", ["attempts = 5", "uncertain_posts = 2"])
def test_a_row_that_has_used_up_its_posts_is_not_claimed(world: World, used_up: str) -> None:
    """Never a third post after two that may have arrived."""
    key = world.ready()
    world.write(f"UPDATE publication_ledger SET {used_up}, ever_uncertain = true")
    assert dispatch_once(world.publisher()).outcome is Dispatched.IDLE
    run_round(world.publisher())
    assert world.row(key)["state"] == "HELD"
    assert world.postbox.posts == []
