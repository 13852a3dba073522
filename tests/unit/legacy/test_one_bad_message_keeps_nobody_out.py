"""A page of the mailbox is read message by message: whatever one of them is, the others go in."""

# ruff: noqa: E501 - sample mails stay on one line

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swarm.clients.outlook_inbound import inbound_message
from swarm.clients.protocol import DeltaPage, InboundMessage
from swarm.errors import RateLimitedError, RemoteRefusedError, RemoteUnavailableError
from swarm.intake.mail.clean import receive
from swarm.intake.stream.line import Accepted, read_line
from swarm.legacy.email_work_order_service import EmailWorkOrderService
from swarm.legacy.events import encoded
from swarm.legacy.graph_events import event_from_graph
from swarm.legacy.home import IntakeFiles
from swarm.legacy.intake_stream_processor import IntakeStreamProcessor, work_order_line
from swarm.legacy.jsonl import LineLog, read_state
from swarm.legacy.turns import counted
from swarm.models import Attachment, EscalationClass, Tier
from swarm.safety.detectors.detection import detect

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
MAILBOX = "service@example.com"


def message(number: int, **fields: object) -> InboundMessage:
    raw: dict[str, object] = {
        "id": f"m{number}",
        "receivedDateTime": "2026-11-03T10:00:00Z",
        "internetMessageId": f"<{number}@kunde.example>",
        "from": {"emailAddress": {"address": f"ada{number}@kunde.example", "name": "Ada"}},
        "subject": f"Order {number}",
        "body": {
            "contentType": "html",
            "content": "<p>When will my order 10482 arrive, please?</p>",
        },
        **fields,
    }
    return InboundMessage(message_id=f"m{number}", raw=raw)


class Mailbox:
    """One page, and what asking for the attachments of each message gives."""

    def __init__(self, *messages: InboundMessage, attachments: Exception | None = None) -> None:
        self.messages, self.failure = messages, attachments

    def delta(self, link: str | None, *, since: datetime) -> DeltaPage:
        return DeltaPage(messages=self.messages, delta_link=f"{link} {since:%Y}")

    def attachments(self, message_id: str) -> Sequence[Attachment]:
        if self.failure is not None:
            raise self.failure
        return (Attachment(name=f"{message_id}.pdf", content_type="application/pdf", size=5),)


def polled(home: Path, mailbox: Mailbox) -> list[dict[str, object]]:
    files = IntakeFiles(home)
    EmailWorkOrderService(mailbox, MAILBOX, files, LineLog(files.events), lambda: NOW).poll()
    IntakeStreamProcessor(files, LineLog(files.work_orders), LineLog(files.ignored)).turn()
    found = files.work_orders.read_bytes().splitlines() if files.work_orders.exists() else []
    return [json.loads(line) for line in found]


def tier_of(line: dict[str, object]) -> tuple[Tier, tuple[EscalationClass, ...]]:
    verdict = read_line(json.dumps(line).encode(), "secret")
    assert isinstance(verdict, Accepted), verdict
    found = detect(receive(verdict.work_order))
    return found.tier, found.classes


@pytest.mark.parametrize(
    "failure",
    [
        RemoteRefusedError("404"),
        RemoteUnavailableError("500"),
        RateLimitedError("429", retry_after=9),
        KeyError("value"),
        TypeError("null"),
    ],
)
def test_a_mail_whose_files_cannot_be_listed_goes_in_and_escalates(
    tmp_path: Path, failure: Exception
) -> None:
    box = Mailbox(message(1), message(2, hasAttachments=True), message(3), attachments=failure)
    lines = polled(tmp_path, box)
    assert [line["message_id"] for line in lines] == ["m1", "m2", "m3"]
    assert tier_of(lines[1]) == (Tier.ESCALATE, (EscalationClass.UNKNOWN,))
    assert [tier_of(line)[0] for line in (lines[0], lines[2])] == [Tier.ROUTINE, Tier.ROUTINE]


def test_a_mail_whose_item_has_no_id_goes_in_once_and_to_a_person(tmp_path: Path) -> None:
    raw = {**message(2, hasAttachments=True).raw, "id": None}
    box = Mailbox(message(1), inbound_message(raw, now=NOW), message(3))
    polled(tmp_path, box)
    one, two, three = polled(tmp_path, box)
    assert (one["message_id"], three["message_id"]) == ("m1", "m3")
    assert two["internet_message_id"] == "<2@kunde.example>"
    assert tier_of(two) == (Tier.ESCALATE, (EscalationClass.UNKNOWN,))


def test_an_item_that_is_nothing_at_all_is_told_of_and_hides_no_other(tmp_path: Path) -> None:
    items = (inbound_message(None, now=NOW), inbound_message({"subject": 5}, now=NOW))
    lines = polled(tmp_path, Mailbox(message(1), *items, message(3)))
    assert [line["message_id"] for line in lines] == ["m1", "m3"]
    ignored = IntakeFiles(tmp_path).ignored.read_text("utf-8").splitlines()
    assert [json.loads(line)["reason"] for line in ignored] == ["unreadable", "unreadable"]


ODD = {
    "no date": {"receivedDateTime": None},
    "a date of no calendar": {"receivedDateTime": "2026-02-31T10:00:00Z"},
    "a number for a subject": {"subject": 7},
    "a body that is text": {"body": "Where is it?"},
    "a body of null": {"body": {"contentType": None, "content": None}},
    "recipients that are null": {"toRecipients": None, "replyTo": [None, {"emailAddress": None}]},
    "headers that are text": {"internetMessageHeaders": "List-Id: x"},
    "a conversation that is a number": {"conversationId": 5},
    "no internet id": {"internetMessageId": None},
    "a subject of two megabytes": {"subject": "x" * (2 << 20)},
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_message_goes_in_beside_the_others(tmp_path: Path, name: str) -> None:
    lines = polled(tmp_path, Mailbox(message(1), message(2, **ODD[name]), message(3)))
    assert [line["message_id"] for line in lines] == ["m1", "m2", "m3"]
    for line in lines:
        assert isinstance(read_line(json.dumps(line).encode(), "secret"), Accepted)


def test_a_mail_without_sender_is_left_out_by_name_and_can_be_brought_in(tmp_path: Path) -> None:
    assert polled(tmp_path, Mailbox(message(1, **{"from": None, "sender": {}}))) == []
    [left] = IntakeFiles(tmp_path).ignored.read_bytes().splitlines()
    assert json.loads(left)["reason"] == "no sender"
    [event] = IntakeFiles(tmp_path).events.read_bytes().splitlines()
    brought = json.loads(work_order_line(json.loads(event)))
    assert tier_of(brought)[0] is Tier.ESCALATE


def test_a_mail_without_a_date_does_not_move_the_watermark(tmp_path: Path) -> None:
    polled(tmp_path, Mailbox(message(1), message(2, receivedDateTime="soon")))
    assert (
        read_state(IntakeFiles(tmp_path).service_state)["watermark"] == "2026-11-03T10:00:00+00:00"
    )


@pytest.mark.parametrize(
    "page", ['<img src="cid:x">', "<p>See here:</p><img src='cid:x'>", "<svg><path/></svg>"]
)
@pytest.mark.parametrize("subject", ["Problem with order 10482", ""])
def test_a_picture_nobody_read_goes_to_a_person(tmp_path: Path, page: str, subject: str) -> None:
    body = {"contentType": "html", "content": f"<html><body>{page}</body></html>"}
    [line] = polled(tmp_path, Mailbox(message(1, subject=subject, body=body, hasAttachments=False)))
    assert tier_of(line)[0] is Tier.ESCALATE


def test_a_logo_below_a_question_is_no_picture_to_read(tmp_path: Path) -> None:
    body = {"contentType": "html", "content": "<p>Where is my order 10482?</p><img src='cid:logo'>"}
    [line] = polled(tmp_path, Mailbox(message(1, body=body)))
    assert tier_of(line)[0] is Tier.ROUTINE


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
FIELDS = ("receivedDateTime", "from", "sender", "subject", "body", "replyTo", "toRecipients",
          "internetMessageHeaders", "internetMessageId", "conversationId", "@odata.type")  # fmt: skip
EVENT = json.loads(
    (Path(__file__).parents[3] / "swarm" / "legacy" / "event.schema.json").read_text("utf-8")
)


@settings(deadline=None)  # a slow machine is no bug
@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_whatever_graph_answers_is_an_event_of_the_published_form(raw: dict[str, object]) -> None:
    event = event_from_graph(raw, MAILBOX, message="m1", now=NOW)
    jsonschema.validate(json.loads(encoded(event)), EVENT)


def test_failed_turns_are_counted_until_one_succeeds(tmp_path: Path) -> None:
    outcomes: list[Exception | int] = [RemoteUnavailableError("x"), OSError("full"), 3]

    def turn() -> int:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    path = tmp_path / "turns.json"
    watched = counted(turn, path)
    for expected in (1, 2):
        with pytest.raises((RemoteUnavailableError, OSError)):
            watched()
        assert read_state(path)["failed"] == expected
    assert (watched(), read_state(path)["failed"]) == (3, 0)
