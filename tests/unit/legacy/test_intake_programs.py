"""From a mailbox or a file to the stream: each mail once, whoever is killed where."""

# ruff: noqa: E501 - sample mails stay on one line

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from swarm.clients.protocol import DeltaExpiredError, DeltaPage, InboundMessage
from swarm.errors import RemoteUnavailableError
from swarm.intake.stream.line import Accepted, read_line
from swarm.legacy.actionable import why_ignored
from swarm.legacy.email_work_order_service import EmailWorkOrderService
from swarm.legacy.events import encoded, event_from_eml
from swarm.legacy.home import IntakeFiles
from swarm.legacy.intake_stream_processor import IntakeStreamProcessor
from swarm.legacy.jsonl import LineLog
from swarm.legacy.submit import submit
from swarm.models import Attachment

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MAILBOX = "service@example.com"


def schema(package: str, name: str) -> dict[str, object]:
    loaded: dict[str, object] = json.loads((resources.files(package) / name).read_text("utf-8"))
    return loaded


EVENT = schema("swarm.legacy", "event.schema.json")
WORK_ORDER = schema("swarm.intake.stream", "work_order.schema.json")


def raw_mail(number: int = 1, headers: str = "", body: str = "Where is my parcel?") -> bytes:
    return (
        f"From: Ada <ada@example.org>\nTo: {MAILBOX}\nSubject: Order {number}\n"
        f"Message-ID: <{number}@example.org>\nDate: Sat, 28 Feb 2026 10:00:00 +0000\n{headers}\n{body}\n"
    ).encode()


def graph_message(number: int = 1, **changes: object) -> InboundMessage:
    raw: dict[str, object] = {
        "id": f"graph-{number}",
        "conversationId": "conversation-1",
        "internetMessageId": f"<{number}@example.org>",
        "subject": f"Order {number}",
        "from": {"emailAddress": {"name": "Ada", "address": "ada@example.org"}},
        "toRecipients": [{"emailAddress": {"name": "", "address": MAILBOX}}],
        "receivedDateTime": "2026-02-28T10:00:00Z",
        "isDraft": False,
        "hasAttachments": False,
        "body": {"contentType": "html", "content": "<p>Where is my parcel?</p>"},
        "internetMessageHeaders": [],
        **changes,
    }
    return InboundMessage(message_id=str(raw["id"]), raw=raw)


class ScriptedMailbox:
    """Answers delta calls from a list of pages or errors, as Graph would in this order."""

    def __init__(self, *answers: DeltaPage | Exception) -> None:
        self.answers = list(answers)
        self.links: list[str | None] = []
        self.sinces: list[datetime] = []

    def delta(self, link: str | None, *, since: datetime) -> DeltaPage:
        self.links.append(link)
        self.sinces.append(since)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def attachments(self, message_id: str) -> Sequence[Attachment]:
        return (Attachment(name="a.pdf", content_type="application/pdf", size=5),)


def page(*messages: InboundMessage, more: bool = False) -> DeltaPage:
    if more:
        return DeltaPage(messages=messages, next_link="https://graph/next")
    return DeltaPage(messages=messages, delta_link="https://graph/delta")


def service(home: Path, *answers: DeltaPage | Exception) -> EmailWorkOrderService:
    files = IntakeFiles(home)
    box = ScriptedMailbox(*answers)
    return EmailWorkOrderService(box, MAILBOX, files, LineLog(files.events), lambda: NOW)


def processor(home: Path) -> IntakeStreamProcessor:
    files = IntakeFiles(home)
    return IntakeStreamProcessor(files, LineLog(files.work_orders), LineLog(files.ignored))


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


# --- the mailbox ----------------------------------------------------------------------------------


def test_new_mail_becomes_events_over_all_pages(tmp_path: Path) -> None:
    reader = service(tmp_path, page(graph_message(1), more=True), page(), page(graph_message(2)))
    assert (reader.poll(), reader.poll()) == (1, 1)
    events = lines(IntakeFiles(tmp_path).events)
    assert [e["message_id"] for e in events] == ["graph-1", "graph-2"]
    for event in events:
        jsonschema.validate(event, EVENT)
    assert reader.mailbox.links == [None, "https://graph/next", "https://graph/delta"]  # type: ignore[attr-defined]


def test_the_same_mail_delivered_again_is_one_event(tmp_path: Path) -> None:
    """Graph repeats items, ids change on moves, a subject may be edited by a colleague."""
    again = graph_message(1), graph_message(1, id="moved"), graph_message(1, subject="edited")
    assert service(tmp_path, page(graph_message(1), *again)).poll() == 1


def test_a_reused_message_id_with_another_subject_is_another_mail(tmp_path: Path) -> None:
    other = graph_message(2, internetMessageId="<1@example.org>")
    assert service(tmp_path, page(graph_message(1), other)).poll() == 2


def test_after_a_crash_between_append_and_state_nothing_is_doubled(tmp_path: Path) -> None:
    service(tmp_path, page(graph_message(1))).poll()
    IntakeFiles(tmp_path).service_state.unlink()
    assert service(tmp_path, page(graph_message(1), graph_message(2))).poll() == 1


def test_an_expired_delta_link_reads_again_from_before_the_watermark(tmp_path: Path) -> None:
    service(tmp_path, page(graph_message(1))).poll()
    reader = service(tmp_path, DeltaExpiredError(), page(graph_message(1), graph_message(2)))
    assert reader.poll() == 1
    assert reader.mailbox.sinces[-1] == datetime(2026, 2, 28, 4, tzinfo=UTC)  # type: ignore[attr-defined]


def test_a_failure_on_the_second_page_keeps_the_place_of_the_first(tmp_path: Path) -> None:
    reader = service(tmp_path, page(graph_message(1), more=True), RemoteUnavailableError("away"))
    with pytest.raises(RemoteUnavailableError):
        reader.poll()
    again = service(tmp_path, page(graph_message(2)))
    assert again.poll() == 1
    assert again.mailbox.links == ["https://graph/next"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "message",
    [
        graph_message(isDraft=True),
        graph_message(isDraft="true"),
        InboundMessage(message_id="gone", removed=True),
    ],
    ids=["draft", "draft as text", "removed"],
)
def test_what_is_no_mail_makes_no_event(tmp_path: Path, message: InboundMessage) -> None:
    assert service(tmp_path, page(message)).poll() == 0


def test_attachments_come_as_labels(tmp_path: Path) -> None:
    service(tmp_path, page(graph_message(hasAttachments="true"))).poll()
    [event] = lines(IntakeFiles(tmp_path).events)
    assert event["attachments"] == [
        {"name": "a.pdf", "content_type": "application/pdf", "size": 5, "inline": False}
    ]


# --- the stream processor -------------------------------------------------------------------------


def test_an_actionable_event_becomes_a_line_the_pipeline_accepts(tmp_path: Path) -> None:
    service(tmp_path, page(graph_message(1))).poll()
    assert processor(tmp_path).turn().work_orders == 1
    [line] = lines(IntakeFiles(tmp_path).work_orders)
    jsonschema.validate(line, WORK_ORDER)
    verdict = read_line(json.dumps(line).encode(), "secret")
    assert isinstance(verdict, Accepted)
    assert verdict.work_order.ref.message_id == "graph-1"


NOT_ACTIONABLE = {
    "Auto-Submitted: auto-replied": "auto-reply",
    "Precedence: bulk": "list",
    "List-Id: <news.example.org>": "list",
    "X-Autoreply: yes": "auto-reply",
    "Return-Path: <>": "bounce",
    "X-Failed-Recipients: a@example.org": "bounce",
    "Content-Type: multipart/report; boundary=x": "bounce",
}


@pytest.mark.parametrize("header", NOT_ACTIONABLE)
def test_machines_are_ignored_with_the_reason(tmp_path: Path, header: str) -> None:
    submit([("a.eml", raw_mail(headers=header + "\n"))], tmp_path, MAILBOX, now=NOW)
    processor(tmp_path).turn()
    files = IntakeFiles(tmp_path)
    assert [row["reason"] for row in lines(files.ignored)] == [NOT_ACTIONABLE[header]]
    assert not files.work_orders.exists()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"sender": {"address": "MAILER-DAEMON@example.org", "name": ""}}, "bounce"),
        ({"sender": {"address": MAILBOX.upper(), "name": ""}}, "own mail"),
        ({"sender": None}, "no sender"),
        ({"subject": " ", "body_text": "\n"}, "empty"),
        ({"subject": "", "body_text": "", "body_html": "<p>&nbsp;</p>"}, "empty"),
        ({"headers": {"auto-submitted": "no"}}, None),
    ],
)
def test_the_decision_says_why(changes: dict[str, object], reason: str | None) -> None:
    event = {**event_from_eml(raw_mail(), MAILBOX, now=NOW), **changes}
    assert why_ignored(event) == reason  # type: ignore[arg-type]


def test_a_crash_before_the_offset_was_saved_doubles_nothing(tmp_path: Path) -> None:
    submit(
        [("a.eml", raw_mail(1)), ("b.eml", raw_mail(2, "Precedence: bulk\n"))],
        tmp_path,
        MAILBOX,
        now=NOW,
    )
    processor(tmp_path).turn()
    IntakeFiles(tmp_path).processor_state.unlink()
    again = processor(tmp_path).turn()
    assert (again.work_orders, again.ignored, again.repeated) == (0, 0, 2)


def test_a_torn_line_is_closed_and_its_event_written_again(tmp_path: Path) -> None:
    submit([("a.eml", raw_mail(1))], tmp_path, MAILBOX, now=NOW)
    files = IntakeFiles(tmp_path)
    processor(tmp_path).turn()
    os.truncate(files.work_orders, files.work_orders.stat().st_size - 20)
    files.processor_state.unlink()
    processor(tmp_path).turn()
    torn, whole, rest = files.work_orders.read_bytes().split(b"\n")
    assert not isinstance(read_line(torn, "s"), Accepted)
    assert isinstance(read_line(whole, "s"), Accepted)
    assert rest == b""


def test_a_partial_event_waits_for_its_end(tmp_path: Path) -> None:
    line = encoded(event_from_eml(raw_mail(), MAILBOX, now=NOW))
    files = IntakeFiles(tmp_path)
    files.events.parent.mkdir(parents=True)
    files.events.write_bytes(line[:100])
    assert processor(tmp_path).turn().work_orders == 0
    files.events.write_bytes(line)
    assert processor(tmp_path).turn().work_orders == 1


def test_an_unreadable_event_is_ignored_by_name_and_the_next_goes_on(tmp_path: Path) -> None:
    files = IntakeFiles(tmp_path)
    files.events.parent.mkdir(parents=True)
    good = encoded(event_from_eml(raw_mail(), MAILBOX, now=NOW))
    files.events.write_bytes(b"garbage\n[]\n" + good)
    done = processor(tmp_path).turn()
    assert (done.work_orders, done.ignored) == (1, 2)


def test_a_replaced_event_file_is_read_from_the_start(tmp_path: Path) -> None:
    files = IntakeFiles(tmp_path)
    submit([("a.eml", raw_mail(1))], tmp_path, MAILBOX, now=NOW)
    reader = processor(tmp_path)
    reader.turn()
    files.events.write_bytes(
        b"".join(encoded(event_from_eml(raw_mail(n), MAILBOX, now=NOW)) for n in (5, 6))
    )
    assert reader.turn().work_orders == 2


# --- files handed in ------------------------------------------------------------------------------


def test_eml_mbox_and_jsonl_are_handed_in_and_bad_ones_named(tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(raw_mail(1))
    (tmp_path / "two.mbox").write_bytes(
        b"".join(b"From ada Sat Feb 28 10:00:00 2026\n" + raw_mail(n) + b"\n" for n in (2, 3))
    )
    (tmp_path / "three.jsonl").write_text(
        '{"from": "Ada <ada@example.org>", "subject": "Größe", "body": "Which size?"}\n'
        '{"subject": "nobody"}\nnot json\n{"from": "a@b.example", "subject": 5}\n'
    )
    (tmp_path / "image.eml").write_bytes(b"\x89PNG\x00\x00")
    (tmp_path / "empty.eml").write_bytes(b"")
    names = ["image.eml", "one.eml", "two.mbox", "three.jsonl", "empty.eml", "absent.eml"]
    result = submit([tmp_path / name for name in names], tmp_path, MAILBOX, now=NOW)
    assert len(result.submitted) == 4
    told = [(p.name.removeprefix(f"{tmp_path}/"), p.reason) for p in result.problems]
    assert told == [
        ("image.eml", "not a mail: none of the usual headers is there"),
        ("three.jsonl line 2", "field 'from' is missing"),
        ("three.jsonl line 3", "is not JSON"),
        ("three.jsonl line 4", "field 'subject' is not a string"),
        ("empty.eml", "is empty"),
        ("absent.eml", "cannot be read: No such file or directory"),
    ]
    for event in lines(IntakeFiles(tmp_path).events):
        jsonschema.validate(event, EVENT)


def test_a_header_cannot_be_smuggled_in_through_json(tmp_path: Path) -> None:
    line = {"from": "ada@example.org", "subject": "x\nPrecedence: bulk", "body": "y"}
    result = submit([("-", json.dumps(line).encode())], tmp_path, MAILBOX, now=NOW)
    assert set(result.submitted[0]["headers"]) == {"content-type"}
    assert result.submitted[0]["subject"] == "x Precedence: bulk"


def test_handing_in_twice_changes_nothing(tmp_path: Path) -> None:
    for expected in ((1, 0), (0, 1)):
        result = submit([("a.eml", raw_mail())], tmp_path, MAILBOX, now=NOW)
        assert (len(result.submitted), len(result.repeated)) == expected


def test_a_mail_handed_in_and_found_in_the_mailbox_is_one_event(tmp_path: Path) -> None:
    submit([("a.eml", raw_mail(1))], tmp_path, MAILBOX, now=NOW)
    assert service(tmp_path, page(graph_message(1))).poll() == 0


def test_whoever_places_the_mail_names_its_ids(tmp_path: Path) -> None:
    submit(
        [("a.eml", raw_mail())],
        tmp_path,
        MAILBOX,
        now=NOW,
        place=lambda e, _raw: {**e, "message_id": "graph-9"},
    )
    assert lines(IntakeFiles(tmp_path).events)[0]["message_id"] == "graph-9"


@pytest.mark.parametrize(
    "program",
    ["email_work_order_service", "intake_stream_processor", "pipeline_daemon", "publish_sender"],
)
def test_no_program_of_todays_path_starts_when_sending_is_switched_on(program: str) -> None:
    environment = {"PATH": os.environ["PATH"], "AUTO_SEND_ENABLED": "true"}
    done = subprocess.run(
        [sys.executable, "-m", f"swarm.legacy.{program}", "--once"],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "AUTO_SEND_ENABLED must be false" in done.stderr
