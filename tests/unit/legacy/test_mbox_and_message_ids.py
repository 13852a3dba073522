"""Where one mail of an mbox ends, and what its name is however its sender wrote it."""

# ruff: noqa: E501 - sample mails stay on one line

from datetime import UTC, datetime
from pathlib import Path

import pytest

from swarm.legacy.events import event_from_eml
from swarm.legacy.graph_events import event_from_graph
from swarm.legacy.mbox import mails_of_mbox
from swarm.legacy.submit import submit

NOW = datetime(2026, 11, 3, tzinfo=UTC)
MAILBOX = "service@example.com"


def mail(number: int, body: str = "Where is it?", *, headers: str = "") -> str:
    return (
        f"From: ada@kunde.example\nSubject: Order {number}\nMessage-ID: <{number}@kunde.example>\n"
        f"{headers}\n{body}\n\n"
    )


SEPARATORS = {
    "address and date": "From ada@kunde.example Tue Nov  3 09:12:00 2026\n",
    "a dash": "From - Tue Nov 03 09:12:00 2026\n",
    "a name": "From ada Sat Feb 28 10:00:00 2026\n",
    "a zone before the year": "From 1790@xxx Tue Nov 03 09:12:00 +0000 2026\n",
    "a date as in mails": "From ada@kunde.example Tue, 3 Nov 2026 09:12:00 +0100\n",
    "an address alone": "From ada@kunde.example\n",
    "line ends of Windows": "From ada@kunde.example Tue Nov  3 09:12:00 2026\r\n",
}


@pytest.mark.parametrize("name", SEPARATORS)
def test_a_separator_as_programs_write_it_begins_a_mail(name: str) -> None:
    box = "".join(SEPARATORS[name] + mail(n) for n in (1, 2, 3))
    assert len(mails_of_mbox(box.encode())) == 3


BODIES = {
    "a sentence": "Hello,\n\nFrom what your colleague said, I will sue you.\n\nAda",
    "a sentence with an address": "Hi\n\nFrom ada@kunde.example I heard that you lie.\nDate: never\n",
    "an address alone": "Write to me\n\nFrom bob@kunde.example\n\nI will sue you.\n",
    "a date but no mail behind it": "I waited\n\nFrom Tue Nov  3 09:12:00 2026\n\non. I will sue you.\n",
    "a header-like line behind it": "Hi\n\nFrom my side:\nSubject: to change, I will sue you.\n",
    "a masked one": "Hello,\n\n>From what your colleague said, I will sue you.\n",
}


@pytest.mark.parametrize("name", BODIES)
def test_a_line_of_the_text_ends_no_mail(name: str) -> None:
    box = "From a@b.example Tue Nov  3 09:12:00 2026\n" + mail(1, BODIES[name])
    box += "From a@b.example Tue Nov  3 09:12:00 2026\n" + mail(2)
    first, second = mails_of_mbox(box.encode())
    assert BODIES[name].replace("\n>From", "\nFrom").strip().encode() in first
    assert b"Order 2" in second


def test_what_stands_before_the_first_mail_is_named_and_not_dropped(tmp_path: Path) -> None:
    box = "I will sue you.\n\n" + SEPARATORS["a dash"] + mail(1)
    done = submit([("a.mbox", box.encode())], tmp_path, MAILBOX, now=NOW)
    assert len(done.submitted) == 1
    assert [problem.name for problem in done.problems] == ["a.mbox mail 1"]


def identity(message_id: str, *, hops: int = 0, body: str = "Where is it?", file: str = "") -> str:
    received = "".join(f"Received: from h{n} by h{n + 1}; Tue, 03 Nov 2026\n" for n in range(hops))
    raw = f"{received}From: Ada <ada@kunde.example>\nSubject: Order 7\nDate: Tue, 03 Nov 2026 09:12:00 +0100\n"
    raw += f"Message-ID: {message_id}\n" if message_id else ""
    raw += f'Content-Type: application/pdf; name="{file}"\n' if file else ""
    return event_from_eml((raw + "\n" + body).encode(), MAILBOX, now=NOW)["id"]


@pytest.mark.parametrize(
    "written",
    [
        "abc@kunde.example",
        "abc@kunde.example (added by hand)",
        "  abc@kunde.example ",
        "<abc@kunde.example",
    ],
)
def test_a_message_id_is_the_same_with_and_without_brackets(written: str) -> None:
    assert identity(written) == identity("<abc@kunde.example>", hops=3)


@pytest.mark.parametrize("none", ["", "<>", "1", "Tue, 03 Nov"])
def test_a_mail_without_a_name_is_the_same_after_another_hop(none: str) -> None:
    assert identity(none, hops=1) == identity(none, hops=2, body="Where  is it?\r\n")
    assert identity(none) != identity(none, body="Where is my other one?")
    assert identity(none, file="a.pdf") != identity(none, file="b.pdf")


def test_a_bare_name_is_the_same_from_graph_and_from_a_file() -> None:
    raw = {"internetMessageId": "abc@kunde.example", "subject": "Order 7",
           "from": {"emailAddress": {"address": "ada@kunde.example"}}}  # fmt: skip
    assert event_from_graph(raw, MAILBOX, message="m1", now=NOW)["id"] == identity(
        "<abc@kunde.example>"
    )


def test_what_a_mail_answers_is_found_without_brackets() -> None:
    raw = b"From: a@kunde.example\nSubject: x\nIn-Reply-To: q@kunde.example\nReferences: p@kunde.example q@kunde.example\n\nx"
    event = event_from_eml(raw, MAILBOX, now=NOW)
    assert event["in_reply_to"] == "<q@kunde.example>"
    assert event["references"] == ["<p@kunde.example>", "<q@kunde.example>"]
