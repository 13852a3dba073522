"""Somebody else's lines under their names and dialects, and what does not fit."""

import json
from pathlib import Path

import pytest

from swarm.errors import MalformedInputError
from swarm.models import EscalationClass
from swarm.shadow.history.lines import (
    LabelLine,
    Misfit,
    OrderLine,
    OutcomeLine,
    SentLine,
    label_line,
    order_line,
    outcome_line,
    sent_line,
)
from swarm.shadow.history.mapping import Mapping, mapping_of

SECRET = "a secret of tests"

THEIRS = """
[order]
id = "ticket.number"
mailbox = { value = "service@example.com" }
conversation_id = ["x.thread"]
sender = "ticket.from"
to = { at = "ticket.to", split = ";" }
subject = { at = "ticket.title", default = "(none)" }
body_text = "ticket.messages.0.text"
received_at = { at = "ticket.created", date = "%d.%m.%Y %H:%M", zone = "Europe/Berlin" }

[outcome]
id = "nr"
decision = { at = "result", map = { OK = "draft", HANDOVER = "escalate" } }
reasons = { at = "why", split = ",", default = [] }
recipient = "mail"
body_text = "answer"
decided_at = { at = "ts", date = "epoch_ms" }

[sent]
id = "nr"
text = "final"
sent_at = { at = "ts", date = "epoch" }

[label]
id = "nr"
classes = { at = "topic", map = { lawyer = "legal", burn = "safety" }, default = [] }
"""


@pytest.fixture
def theirs(tmp_path: Path) -> Mapping:
    file = tmp_path / "theirs.toml"
    file.write_text(THEIRS)
    return mapping_of(file)


def ticket(**changes: object) -> bytes:
    made: dict[str, object] = {
        "number": 4711,
        "from": "Anna Berg <anna@customer.example>",
        "to": "service@example.com; Help <help@example.com>",
        "title": "Hours",
        "messages": [{"text": "When are you open?"}],
        "created": "02.03.2026 10:00",
        **changes,
    }
    return json.dumps({"ticket": made, "x.thread": "c-1"}).encode()


def test_a_work_order_is_read_under_its_own_names(theirs: Mapping) -> None:
    read = order_line(ticket(), theirs, SECRET)
    assert isinstance(read, OrderLine)
    order = read.order
    assert (order.original_id, order.subject, order.body_text) == (
        "4711",
        "Hours",
        "When are you open?",
    )
    assert (order.sender.address, order.sender.name) == ("anna@customer.example", "Anna Berg")
    assert [party.address for party in order.to] == ["service@example.com", "help@example.com"]
    assert order.ref.conversation_id == "c-1"
    assert order.received_at.isoformat() == "2026-03-02T09:00:00+00:00"
    assert order.source == "history"


def test_what_is_absent_or_null_has_its_default(theirs: Mapping) -> None:
    read = order_line(ticket(title=None), theirs, SECRET)
    assert isinstance(read, OrderLine)
    assert read.order.subject == "(none)"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (ticket(created="2 March"), "received_at: no date of the form the mapping says"),
        (ticket(number=None), "missing id"),
        (ticket(number="x" * 600), "oversized id"),
        (ticket(**{"from": ""}), "schema: sender: string_too_short"),
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"ticket":{"number":1,"number":2}}', "duplicate JSON key"),
        (b"\xff", "invalid UTF-8"),
        (b"", "empty line"),
    ],
)
def test_a_line_that_does_not_fit_says_why_without_quoting_it(
    theirs: Mapping, line: bytes, reason: str
) -> None:
    assert order_line(line, theirs, SECRET) == Misfit(reason)


def test_an_outcome_in_their_words(theirs: Mapping) -> None:
    line = {"nr": 4711, "result": "HANDOVER", "why": "legal, fact: x", "ts": 1772442000000}
    read = outcome_line(json.dumps(line).encode(), theirs)
    assert isinstance(read, OutcomeLine)
    assert (read.id, read.decision, read.reasons) == ("4711", "escalate", ("legal", "fact: x"))
    assert read.decided_at is not None
    assert read.decided_at.isoformat() == "2026-03-02T09:00:00+00:00"


def test_a_word_nobody_mapped_is_no_guess(theirs: Mapping) -> None:
    line = json.dumps({"nr": 1, "result": "MAYBE"}).encode()
    assert outcome_line(line, theirs) == Misfit("decision: a word the mapping does not know")


def test_what_was_sent_and_what_was_thrown_away(theirs: Mapping) -> None:
    sent = sent_line(json.dumps({"nr": 1, "final": "We open at nine."}).encode(), theirs)
    assert isinstance(sent, SentLine)
    assert sent_line(json.dumps({"nr": 1}).encode(), theirs) == Misfit("text: missing")
    thrown = sent_line(json.dumps({"nr": 1, "act": "discarded"}).encode(), theirs)
    assert isinstance(thrown, SentLine)
    assert thrown.text is None


def test_a_label_is_classes_or_none(theirs: Mapping) -> None:
    read = label_line(json.dumps({"nr": 1, "topic": ["lawyer", "burn"]}).encode(), theirs)
    assert isinstance(read, LabelLine)
    assert set(read.classes) == {EscalationClass.LEGAL, EscalationClass.SAFETY}
    none = label_line(json.dumps({"nr": 1}).encode(), theirs)
    assert isinstance(none, LabelLine)
    assert none.classes == ()


def test_without_a_mapping_a_missing_label_is_no_label_of_none() -> None:
    assert label_line(b'{"id":"1"}', mapping_of(None)) == Misfit("classes: missing")
    strange = label_line(b'{"id":"1","classes":["angry"]}', mapping_of(None))
    assert isinstance(strange, Misfit)


def test_without_a_mapping_the_names_are_those_of_todays_files() -> None:
    line = {
        "schema_version": "1", "id": "a", "mailbox": "service@example.com",
        "sender": {"address": "a@b.example"}, "subject": "s", "source": "outlook",
        "received_at": "2026-03-02T09:00:00Z",
    }  # fmt: skip
    read = order_line(json.dumps(line).encode(), mapping_of(None), SECRET)
    assert isinstance(read, OrderLine)
    assert read.order.source == "outlook"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[orders]\nid = 'x'", "knows no table [orders]"),
        ("[order]\nidentity = 'x'", "[order] knows no field identity"),
        ("[order]\nid = { from = 'x' }", "[order] id"),
        ("[order]\nreceived_at = { at = 'x', zone = 'Mars/Olympus' }", "no time zone"),
        ("[order", "Expected"),
    ],
)
def test_a_mapping_with_a_mistake_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(MalformedInputError) as refused:
        mapping_of(file)
    assert words in refused.value.message


def test_the_mapping_of_the_documentation_can_be_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "history.md").read_text("utf-8")
    example = page.split("```toml\n", 1)[1].split("```", 1)[0]
    file = tmp_path / "example.toml"
    file.write_text(example)
    assert mapping_of(file).fields["order"]["id"].at
