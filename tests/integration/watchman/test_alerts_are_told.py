"""Alerts reach real HTTP servers: once, with their end, none lost, and never as a flood."""

from datetime import timedelta

import pytest
from pydantic import SecretStr
from scripted_server import Answer
from told import DOWN, OK, Chat, Make, Told

from swarm.clients.bounded_http import Bounds
from swarm.errors import DatabaseUnavailableError
from swarm.settings import AlertSettings
from swarm.store.alert_silences import silence
from swarm.store.database import Database
from swarm.watchman import delivery
from swarm.watchman.sinks import posting

pytestmark = pytest.mark.integration

DEAD = "A work order gave up: wo_a"


@pytest.fixture
def told(make: Make, database: Database, slack: Chat) -> Told:
    return make(database, AlertSettings(slack_url=slack.url))


@pytest.fixture
def both(make: Make, database: Database, slack: Chat, pager: Chat) -> Told:
    """Two sinks."""
    key = SecretStr("routing-key")
    settings = AlertSettings(slack_url=slack.url, events_url=pager.url, events_key=key)
    return make(database, settings)


def test_an_alert_is_told_once_and_its_end_aloud(told: Told, slack: Chat) -> None:
    told.fire()
    assert told.deliver() == 1
    assert told.deliver(seconds=5) == 0
    told.end()
    assert told.deliver(seconds=5) == 1
    assert told.deliver(hours=1) == 0
    assert slack.said == [DEAD, f"Over: {DEAD}"]


def test_what_is_told_is_title_subject_sentence_and_link(told: Told, slack: Chat) -> None:
    told.fire(detail="5 attempts <used> up & over")
    told.deliver()
    header, section, link = slack.bodies[0]["blocks"]  # type: ignore[misc]
    assert header["text"]["text"].endswith(DEAD)
    assert "5 attempts <used> up & over" in section["text"]["text"]
    assert section["text"]["type"] == "plain_text", "no sign of it is mark-up"
    assert link["text"]["text"].startswith("<http://desk.test/work-orders/wo_")


def test_an_alert_that_grew_is_told_again_after_ten_minutes(told: Told, slack: Chat) -> None:
    told.grow("intake.quarantined", "work_orders:1")
    told.deliver()
    told.grow("intake.quarantined", "work_orders:1")
    assert told.deliver(minutes=9) == 0
    assert told.deliver(minutes=1) == 1
    assert "2 times since" in str(slack.bodies[-1])
    assert told.deliver(hours=1) == 0


def test_what_shrank_and_grew_again_is_told_again(told: Told) -> None:
    told.grow("intake.quarantined", "work_orders:1", total=3)
    told.deliver()
    told.grow("intake.quarantined", "work_orders:1", total=1)
    told.grow("intake.quarantined", "work_orders:1", total=2)
    assert told.deliver(minutes=11) == 1


@pytest.mark.fault("T58")
def test_a_sink_that_is_down_for_five_minutes_gets_everything_afterwards(
    told: Told, slack: Chat
) -> None:
    slack.answer = DOWN
    told.fire(subject="wo_a")
    for second in range(0, 300, 5):
        told.deliver(seconds=5)
        if second == 100:
            told.fire(subject="wo_b")
        if second == 200:
            told.end(subject="wo_a")
    assert 4 <= len(slack.bodies) <= 12, "it is left alone for longer and longer"
    slack.answer, tried = OK, len(slack.bodies)
    told.deliver(seconds=60)
    assert slack.said[tried:] == [f"Over already: {DEAD}", "A work order gave up: wo_b"]


def test_one_sink_that_is_down_keeps_no_other_waiting(both: Told, slack: Chat, pager: Chat) -> None:
    told = both
    slack.answer = Answer(status=404, body=b"no_service")
    told.fire()
    told.deliver()
    assert [body["event_action"] for body in pager.bodies] == ["trigger"]
    told.end()
    told.deliver(seconds=5)
    assert [body["event_action"] for body in pager.bodies] == ["trigger", "resolve"]
    assert pager.bodies[0]["dedup_key"] == pager.bodies[1]["dedup_key"]


def test_the_end_is_told_only_to_whom_the_beginning_was(
    make: Make, both: Told, slack: Chat, pager: Chat
) -> None:
    told = both
    told.fire()
    told.deliver()
    later = make(told.database, AlertSettings(teams_url=slack.url), now=told.now)
    told.end()
    before = len(slack.bodies)
    assert later.deliver(seconds=1) == 0
    assert len(slack.bodies) == before


def test_a_new_sink_is_told_what_is_open_and_nothing_of_what_is_over(
    make: Make, database: Database, slack: Chat
) -> None:
    first = make(database, AlertSettings())
    first.fire(subject="wo_old")
    first.deliver()
    first.end(subject="wo_old")
    first.fire(subject="wo_open")
    first.deliver(seconds=5)
    new = make(database, AlertSettings(slack_url=slack.url))
    new.deliver()
    assert slack.said == ["A work order gave up: wo_open"]


def test_a_message_that_is_refused_keeps_no_other_back(told: Told, slack: Chat) -> None:
    slack.answer = Answer(status=400, body=b"invalid_payload")
    told.fire(subject="wo_a")
    told.deliver()
    slack.answer = OK
    told.fire(subject="wo_b")
    told.deliver(seconds=5)
    assert slack.said[1:] == ["A work order gave up: wo_b"]
    told.deliver(minutes=2)
    assert slack.said[2:] == [DEAD], "and it is tried again"


def test_more_new_alerts_of_a_kind_than_a_person_can_read_become_one_message(
    told: Told, slack: Chat
) -> None:
    for number in range(37):
        told.fire(subject=f"wo_{number}")
    told.deliver()
    assert slack.said == ["A work order gave up: 37 of them"]
    assert "swarm alerts list --kind work_order.dead" in str(slack.bodies[0])
    for number in range(37):
        told.end(subject=f"wo_{number}")
        if number < 36:
            assert told.deliver(seconds=1) == 0
    assert told.deliver(seconds=1) == 1
    assert slack.said[1] == "Over: A work order gave up: 37 of them"


def test_a_storm_that_trickles_is_bounded_too(told: Told, slack: Chat) -> None:
    for number in range(60):
        told.fire(subject=f"wo_{number}")
        told.deliver(seconds=5)
    assert len(slack.bodies) <= 7, "five, and a digest each ten minutes"
    told.deliver(minutes=11)
    assert told.rows("SELECT 1 FROM alert_deliveries WHERE told = 0") == [], "and none is lost"


def test_another_kind_is_told_at_once_during_a_storm(told: Told, slack: Chat) -> None:
    for number in range(20):
        told.fire("work_order.held", f"wo_{number}")
    told.fire("dagster.daemon_silent", "dagster-daemon")
    told.deliver()
    assert slack.said == [
        "Dagster's daemon is silent: dagster-daemon",
        "A work order is held for a person: 20 of them",
    ]


def test_what_can_wait_waits_for_the_morning_and_pages_do_not(
    make: Make, database: Database, slack: Chat
) -> None:
    told = make(database, AlertSettings(slack_url=slack.url, quiet_hours="22:00-07:00"))
    told.now = told.now.replace(hour=23, minute=0)
    told.fire("work_order.held", "wo_waits")
    told.fire("work_order.held", "wo_over_by_then")
    told.fire("work_order.dead", "wo_pages")
    told.deliver()
    assert slack.said == ["A work order gave up: wo_pages"]
    told.end("work_order.held", "wo_over_by_then")
    told.deliver(hours=1)
    assert len(slack.said) == 1
    told.deliver(hours=8)
    assert slack.said[1:] == ["A work order is held for a person: wo_waits"]


def test_a_silenced_kind_is_told_when_its_silence_ends(told: Told, slack: Chat) -> None:
    hour = told.now + timedelta(hours=1)
    with told.database.transaction() as connection:
        silence(
            connection, "work_order.dead", until=hour, reason="known", actor="ada", now=told.now
        )
    told.fire()
    assert told.deliver(minutes=30) == 0
    assert told.deliver(minutes=31) == 1
    assert slack.said == [DEAD]


def test_two_watchmen_tell_it_once(make: Make, database: Database, told: Told, slack: Chat) -> None:
    other = make(database, told.settings, holder="another watchman")
    told.fire()
    assert [told.deliver(), other.deliver(), told.deliver(seconds=1)] == [1, 0, 0]
    told.rows("UPDATE alert_sinks SET held_until = now() - interval '1 second' RETURNING 1")
    told.end()
    assert [other.deliver(seconds=1), told.deliver()] == [1, 0], "the other took over"


def test_what_was_taken_and_could_not_be_marked_is_marked_and_not_told_again(
    told: Told, slack: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object, **_named: object) -> int:
        raise DatabaseUnavailableError("the disk is full")

    told.fire()
    with monkeypatch.context() as patch:
        patch.setattr(delivery.rows, "mark_told", full)
        for _ in range(3):
            with pytest.raises(DatabaseUnavailableError):
                told.deliver()
    assert told.deliver(seconds=5) == 0
    assert slack.said == [DEAD]
    assert told.rows("SELECT told FROM alert_deliveries") == [{"told": 1}]


def test_no_address_and_no_key_stands_in_what_is_kept_of_a_failure(
    both: Told, slack: Chat, pager: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    told = both
    slack.answer = pager.answer = Answer(status=410, body=b"gone: hush routing-key")
    told.fire()
    told.deliver()
    kept = str(told.rows("SELECT last_error FROM alert_sinks")) + caplog.text
    assert "HTTP 410" in kept
    for secret in ("hush", "routing-key", slack.server.url):
        assert secret not in kept


@pytest.mark.parametrize("manner", ["drip", "endless", "head_drip", "reset", "cut"])
def test_an_answer_that_does_not_end_is_a_failure_and_not_the_end(
    make: Make, told: Told, slack: Chat, manner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "BOUNDS", Bounds(0.5, 1024))
    told = make(told.database, told.settings)
    slack.answer = Answer(body=b"ok" * 100, manner=manner)
    told.fire()
    assert told.deliver() == 0
    slack.answer = OK
    assert told.deliver(minutes=1) == 1


def test_a_redirect_is_not_followed(told: Told, slack: Chat, pager: Chat) -> None:
    slack.answer = Answer(status=307, headers=(("Location", pager.url.get_secret_value()),))
    told.fire()
    assert told.deliver() == 0
    assert pager.bodies == []
