"""Today's pipeline daemon: files in, files out, each work order once, whatever else happens."""

import json
from pathlib import Path

import pytest

from swarm.legacy.follow import Follower
from swarm.legacy.home import LegacyFiles
from swarm.legacy.jsonl import LineLog
from swarm.legacy.pipeline_daemon import PipelineDaemon

GOOD = {
    "schema_version": "1",
    "id": "<m1@example.org>",
    "mailbox": "service@example.com",
    "sender": {"address": "anna.keller@example.org", "name": "Anna Keller"},
    "subject": "Where is my order?",
    "body_text": "Hello,\nwhere is my order 10482?\nThanks, Anna",
    "received_at": "2026-01-05T10:00:00Z",
}


@pytest.fixture
def daemon(tmp_path: Path) -> PipelineDaemon:
    files = LegacyFiles(tmp_path)
    files.work_orders.parent.mkdir(parents=True)
    follower = Follower(files.work_orders, files.pipeline_state)
    return PipelineDaemon(files, follower, LineLog(files.outbox), "Customer Service")


def write(daemon: PipelineDaemon, **spoiled: object) -> None:
    with daemon.files.work_orders.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps({**GOOD, **spoiled}) + "\n")


def outbox(daemon: PipelineDaemon) -> list[dict[str, object]]:
    return [json.loads(line) for line in daemon.files.outbox.read_text("utf-8").splitlines()]


def test_a_question_becomes_a_draft_that_lists_it(daemon: PipelineDaemon) -> None:
    write(daemon)
    assert daemon.turn() == 1
    (entry,) = outbox(daemon)
    assert entry["decision"] == "draft"
    assert entry["subject"] == "Re: Where is my order?"
    assert "- where is my order 10482?" in str(entry["body_text"])


@pytest.mark.parametrize("text", ["", " \r\n "])
def test_a_mail_that_is_only_html_is_read_before_it_is_judged(
    daemon: PipelineDaemon, text: str
) -> None:
    page = "<style>p{color:red}</style><p>I will hand this to my <b>lawyer</b>.</p>"
    write(daemon, body_text=text, body_html=page)
    write(daemon, id="<m2@x>", body_text=text, body_html="<p>Where is 10482?</p>" + "<div>" * 9_000)
    write(daemon, id="<m3@x>", body_text=text, body_html="<div>" * 9_000 + "my lawyer")
    daemon.turn()
    first, second, third = outbox(daemon)
    assert (first["decision"], first["reasons"]) == ("escalate", ["legal"])
    assert "- Where is 10482?" in str(second["body_text"])
    assert (third["decision"], third["reasons"]) == ("escalate", ["legal"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("I will hand this to my lawyer.", "legal"),
        ("The cable burned my hand.", "safety"),
        ("Please let me speak to someone.", "human_requested"),
    ],
)
def test_a_keyword_escalates(daemon: PipelineDaemon, text: str, reason: str) -> None:
    write(daemon, body_text=text)
    daemon.turn()
    (entry,) = outbox(daemon)
    assert (entry["decision"], entry["reasons"]) == ("escalate", [reason])


def test_a_mail_without_a_sender_is_never_a_draft(daemon: PipelineDaemon) -> None:
    write(daemon, sender=None)
    daemon.turn()
    assert outbox(daemon)[0]["reasons"] == ["policy: no recipient"]


def test_a_lost_offset_file_repeats_no_work_order(daemon: PipelineDaemon) -> None:
    write(daemon)
    daemon.turn()
    daemon.files.pipeline_state.unlink()
    assert daemon.turn() == 1
    assert len(outbox(daemon)) == 1


def test_an_unreadable_line_does_not_stop_the_next(daemon: PipelineDaemon) -> None:
    daemon.files.work_orders.write_bytes(b'{"torn\n')
    write(daemon)
    daemon.turn()
    assert [entry["id"] for entry in outbox(daemon)] == [GOOD["id"]]


def test_the_heartbeat_tells_time_and_lag(daemon: PipelineDaemon) -> None:
    write(daemon)
    daemon.turn()
    beat = json.loads(daemon.files.pipeline_heartbeat.read_text("utf-8"))
    assert beat["lag_bytes"] == 0
    assert beat["at"].endswith("+00:00")
