"""When the gates are asked: each due look once, once a day in between, often after a cutover."""

from datetime import UTC, datetime

import dagster as dg

from swarm_assets.schedules.readiness import drill_request, look_request, watch_request

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_due_look_is_requested_under_its_own_key_with_its_time() -> None:
    asked = look_request(NOON, in_hand=False)
    assert isinstance(asked, dg.RunRequest)
    assert asked.run_key == "look:2026-11-20T12:00:00+00:00"
    assert asked.run_config == {
        "ops": {"judge_readiness": {"config": {"look": "2026-11-20T12:00:00+00:00"}}}
    }


def test_a_look_in_hand_is_not_requested_again_by_the_next_tick() -> None:
    assert isinstance(look_request(NOON, in_hand=True), dg.SkipReason)
    assert isinstance(look_request(None, in_hand=False), dg.SkipReason)


def test_it_is_watched_only_while_swarm_publishes() -> None:
    assert isinstance(watch_request(NOON, watched=False), dg.SkipReason)
    asked = watch_request(NOON, watched=True)
    assert isinstance(asked, dg.RunRequest)
    assert asked.run_key == "watch:2026-11-20T12:00"


def test_the_drill_is_asked_for_until_the_day_has_one() -> None:
    assert isinstance(drill_request(NOON, due=False), dg.SkipReason)
    assert isinstance(drill_request(NOON.replace(hour=1), due=True), dg.SkipReason)
    asked = drill_request(NOON, due=True)
    assert isinstance(asked, dg.RunRequest)
    assert asked.run_key == "drill:2026-11-20T12"
