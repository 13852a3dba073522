"""Formats of the sinks as their makers publish them, quiet hours, patience. Nothing is sent."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr, ValidationError

from swarm.errors import ConfigurationError
from swarm.observe.trouble import Trouble
from swarm.ourselves import Ourselves
from swarm.settings import AlertSettings, load_settings
from swarm.store.alert_kinds import KINDS, Severity
from swarm.watchman.lasting import Lasting
from swarm.watchman.messages import Course, Notice, clipped
from swarm.watchman.quiet_hours import is_quiet, kept_quiet
from swarm.watchman.sinks import events, slack, teams
from swarm.watchman.sinks.configured import configured_sinks

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
MESSAGE = Notice(
    incident="house:alert:7",
    course=Course.FIRING,
    severity=Severity.PAGE,
    kind="work_order.dead",
    headline="A work order gave up: wo_<a>_b",
    lines=("Every attempt failed.", "work_order.dead · support lead"),
    link="http://ui.test/?a=1&b=2",
    at=NOW,
)


def test_slack_gets_text_and_blocks_within_its_limits_and_no_markup_of_ours() -> None:
    body = slack.body_of(MESSAGE.model_copy(update={"headline": "x" * 400}))
    header = json.loads(json.dumps(body))["blocks"][0]
    assert (header["type"], header["text"]["type"]) == ("header", "plain_text")
    assert len(header["text"]["text"]) == 150
    body = slack.body_of(MESSAGE)
    assert "wo_&lt;a&gt;_b" in str(body["text"])
    assert "<http://ui.test/?a=1&amp;b=2|" in json.dumps(body)


def test_teams_gets_an_adaptive_card_in_an_attachment_without_markdown() -> None:
    body = json.loads(json.dumps(teams.body_of(MESSAGE)))
    [attachment] = body["attachments"]
    assert body["type"] == "message"
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["body"][0]["type"]) == ("AdaptiveCard", "RichTextBlock")
    assert card["body"][0]["inlines"][0]["text"] == MESSAGE.headline
    assert card["actions"] == [
        {"type": "Action.OpenUrl", "title": "Have a look", "url": MESSAGE.link}
    ]


class Posted:
    def __init__(self) -> None:
        self.bodies: list[dict[str, object]] = []

    def post(self, body: dict[str, object]) -> None:
        self.bodies.append(body)

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    ("course", "actions"),
    [
        (Course.FIRING, ["trigger"]),
        (Course.OVER, ["resolve"]),
        (Course.PASSED, ["trigger", "resolve"]),
    ],
)
def test_events_are_one_incident_whatever_is_told_of_it(
    course: Course, actions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = events.EventsSink(SecretStr("https://events.test/v2/enqueue"), SecretStr("key"))
    sink.close()
    posted = Posted()
    monkeypatch.setattr(sink, "_posting", posted)
    sink.tell(MESSAGE.model_copy(update={"course": course}))
    assert [body["event_action"] for body in posted.bodies] == actions
    assert {body["dedup_key"] for body in posted.bodies} == {"house:alert:7"}
    assert {body["routing_key"] for body in posted.bodies} == {"key"}
    triggers = [body for body in posted.bodies if body["event_action"] == "trigger"]
    for body in triggers:
        payload = body["payload"]
        assert isinstance(payload, dict)
        assert payload["severity"] in {"critical", "error", "warning", "info"}
        assert {"summary", "source", "severity"} <= payload.keys()


def test_a_line_is_one_printable_line_of_bounded_length() -> None:
    assert clipped("a\r\nBcc: x\u2028\x1b[31m") == "a  Bcc: x  [31m"
    assert len(clipped("x" * 9999)) == 500


@pytest.mark.parametrize(
    ("hours", "zone", "at", "quiet"),
    [
        ("22:00-07:00", "UTC", "21:59", False),
        ("22:00-07:00", "UTC", "22:00", True),
        ("22:00-07:00", "UTC", "06:59", True),
        ("22:00-07:00", "UTC", "07:00", False),
        ("12:00-13:00", "UTC", "12:30", True),
        ("12:00-13:00", "UTC", "13:00", False),
        ("22:00-07:00", "Europe/Berlin", "21:30", True),
        ("22:00-07:00", "Europe/Berlin", "06:30", False),
        ("", "UTC", "03:00", False),
    ],
)
def test_quiet_hours_go_by_the_houses_own_clock(
    hours: str, zone: str, at: str, quiet: bool
) -> None:
    settings = AlertSettings(quiet_hours=hours)
    assert is_quiet(settings, zone, datetime.fromisoformat(f"2026-11-27T{at}+00:00")) is quiet


def test_no_page_is_ever_kept_for_the_morning() -> None:
    settings = AlertSettings(quiet_hours="00:00-23:59")
    kept = kept_quiet(settings, "UTC", (), NOW)
    assert kept == {kind for kind, about in KINDS.items() if not about.pages}
    assert kept


def test_a_trouble_is_ripe_when_it_was_seen_at_every_look_for_so_long() -> None:
    patience = Lasting({"quick": timedelta(seconds=10)}, timedelta(seconds=60))
    slow, quick = Trouble("slow", "a", ""), Trouble("quick", "a", "")
    assert patience.ripe([slow, quick], NOW) == ()
    assert patience.ripe([slow, quick], NOW + timedelta(seconds=10)) == (quick,)
    assert patience.ripe([slow], NOW + timedelta(seconds=60)) == (slow,)
    assert patience.ripe([], NOW + timedelta(seconds=61)) == ()
    assert patience.ripe([slow], NOW + timedelta(seconds=62)) == ()
    moved = slow._replace(mark="elsewhere")
    assert patience.ripe([moved], NOW + timedelta(seconds=122)) == ()


@pytest.mark.parametrize(
    "bad",
    [
        {"slack_url": "http://hooks.slack.test/x"},
        {"slack_url": "ftp://127.0.0.1/x"},
        {"teams_url": "https:///nowhere"},
        {"heartbeat_url": "https://[::1/"},
        {"mail_url": "imap://secret@mail.test"},
        {"mail_to": "nobody"},
        {"mail_to": "a@b\nBcc: c@d"},
        {"quiet_hours": "10pm-7am"},
    ],
)
def test_a_setting_that_would_tell_in_the_clear_or_nobody_is_refused(bad: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        AlertSettings.model_validate(bad)


def test_an_empty_variable_sets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_URL", "TEAMS_URL", "MAIL_URL", "EVENTS_URL", "EVENTS_KEY", "MAIL_TO"):
        monkeypatch.setenv(f"ALERT_{name}", "")
    assert [sink.name for sink in configured_sinks(AlertSettings())] == ["log"]


def test_a_sink_half_set_and_one_that_would_mail_the_mailbox_are_named() -> None:
    ours = Ourselves(mailbox="Help@house.test")
    half = AlertSettings.model_validate(
        {
            "mail_url": "smtps://m.test",
            "events_url": "https://e.test/",
            "mail_to": "help@house.test",
        }
    )
    assert list(half.incomplete(ours)) == [
        "ALERT_MAIL_URL needs ALERT_MAIL_FROM and ALERT_MAIL_TO",
        "ALERT_EVENTS_URL and ALERT_EVENTS_KEY need each other",
        "ALERT_MAIL_TO names the mailbox whose mail becomes work orders",
    ]


def test_a_bad_address_starts_nothing_and_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERT_SLACK_URL", "http://hooks.slack.test/services/hush")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert "ALERT_SLACK_URL: must be an https:// address" in str(caught.value)
    assert "hush" not in str(caught.value)
