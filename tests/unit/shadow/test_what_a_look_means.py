"""The whole decision about a person's act, case by case, over what a look can show."""

from datetime import UTC, datetime, timedelta

import pytest

from swarm.clients.protocol import ConversationMessage
from swarm.shadow.outcomes.judged import SETTLING, given_up, judged
from swarm.store.reply_outcomes import ReplyFound, Waiting

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
RECEIVED = NOW - timedelta(hours=3)
TEXT = "Hello Jane,\n\nyour parcel left on Monday and should reach you within two days."
MARKER = "Ref: SW-AAAAAAAA"
OTHER = "I rang the depot: they will bring it on Friday evening."
JANE = "jane@customer.example"


def waiting(**changes: object) -> Waiting:
    good = {
        "work_order_key": "wo_" + "a" * 24,
        "publisher": "swarm",
        "act": "open",
        "conversation_id": "c",
        "draft_id": "d",
        "offered_at": NOW - timedelta(hours=2),
        "opened_at": NOW - timedelta(hours=2),
        "acted_at": None,
        "received_at": RECEIVED,
        "now": NOW,
        "body_text": f"{TEXT}\n\n{MARKER}",
        "body_html": "",
        "customers": (JANE,),
        "inbound_id": "in",
    }
    return Waiting.model_validate({**good, **changes})


def message(name: str, **changes: object) -> ConversationMessage:
    good = {
        "message_id": name,
        "folder": "sentitems",
        "is_draft": False,
        "from_us": True,
        "recipients": (JANE,),
        "text": TEXT,
        "at": NOW - timedelta(hours=1),
        "modified_at": NOW - timedelta(hours=1),
    }
    return ConversationMessage.model_validate({**good, **changes})


STANDING = message("d", folder="drafts", is_draft=True)
BINNED = message("d", folder="deleteditems", is_draft=True)
ANSWER = message("x", text=OTHER)


def look(*seen: ConversationMessage, **changes: object) -> ReplyFound:
    return judged(waiting(**changes), seen, "Customer Service", settling=SETTLING)


@pytest.mark.parametrize(
    ("seen", "act", "settled"),
    [
        ([STANDING], "open", False),
        ([message("d")], "sent_unchanged", True),
        ([message("d", folder="archive")], "sent_unchanged", True),
        ([message("d", folder="deleteditems")], "sent_unchanged", True),  # sent, then tidied away
        ([message("d", text=TEXT.replace("two", "three"))], "sent_edited", True),
        ([message("d", text=OTHER)], "rewritten", True),
        ([BINNED], "discarded", False),
        ([BINNED, ANSWER], "discarded", True),
        ([STANDING, ANSWER], "answered_otherwise", False),
        ([ANSWER], "answered_otherwise", True),
        ([message("x")], "sent_unchanged", True),  # anew, without the reference
        ([message("x", text=f"{OTHER}\n\n{MARKER}")], "rewritten", True),
        ([message("d"), message("e", text=f"{TEXT}\n\n{MARKER}")], "sent_unchanged", True),
        ([STANDING, message("x", text=f"{TEXT}\n\n{MARKER}")], "sent_unchanged", True),
        ([], "open", False),
    ],
)
def test_what_is_seen_of_an_offered_draft(
    seen: list[ConversationMessage], act: str, settled: bool
) -> None:
    found = look(*seen)
    assert (found.act, found.settled) == (act, settled)


@pytest.mark.parametrize(
    "other",
    [
        message("in", text=OTHER),  # the mail itself, from our own web form
        message("x", text=OTHER, at=RECEIVED - timedelta(minutes=1)),  # before his mail
        message("x", text=OTHER, recipients=("robin@example.com",)),  # a forward
        message("x", text=OTHER, from_us=False),  # the customer again
        message("x", text=OTHER, is_draft=True, folder="drafts"),  # a colleague still writes
        message("x", text=f"{OTHER}\n\nRef: SW-ZZZZZZZZ"),  # the draft for another mail of his
    ],
)
def test_what_is_no_answer_to_this_mail(other: ConversationMessage) -> None:
    assert look(STANDING, other).act == "open"
    assert look(other, publisher=None, draft_id=None, body_text="").act == "open"


def test_a_draft_of_ours_that_the_ledger_does_not_know_is_known_by_its_reference() -> None:
    nothing = {"publisher": None, "draft_id": None, "body_text": ""}
    standing = message("d", text=f"{TEXT}\n\n{MARKER}", folder="drafts", is_draft=True)
    assert look(standing, **nothing).act == "open"
    found = look(message("d", text=f"{TEXT}\n\n{MARKER}"), **nothing)
    assert (found.act, bool(found.sent_text)) == ("unknown", True), "sent, and an answer"


def test_an_answer_within_the_second_of_the_mail_came_after_it() -> None:
    at = RECEIVED
    later = RECEIVED + timedelta(microseconds=500_000)
    assert look(message("x", text=OTHER, at=at), received_at=later).act == "answered_otherwise"


def test_a_draft_that_went_to_somebody_else_reached_nobody() -> None:
    found = look(message("d", recipients=("robin@example.com",)))
    assert (found.act, found.settled) == ("discarded", False)
    assert "somebody else" in found.detail


def test_a_draft_that_vanished_is_waited_for_and_then_unknown_and_may_still_be_found() -> None:
    first = look()
    assert (first.act, first.acted_at) == ("open", NOW)
    gone = {"acted_at": NOW - SETTLING, "act": "open"}
    assert look(**gone).act == "unknown"
    assert look(message("d"), acted_at=NOW - SETTLING, act="unknown").act == "sent_unchanged"


@pytest.mark.parametrize("act", ["discarded", "answered_otherwise"])
def test_what_was_seen_before_everything_vanished_stays(act: str) -> None:
    found = look(act=act, detail="as seen", sent_text="x", similarity=0.5)
    assert (found.act, found.detail, found.sent_text, found.similarity) == (
        act,
        "as seen",
        "x",
        0.5,
    )


def test_after_fourteen_days_what_is_known_stays_and_the_rest_is_unknown() -> None:
    long_ago = NOW - timedelta(days=14)
    assert look(STANDING, offered_at=long_ago).act == "unknown"
    assert look(STANDING, offered_at=long_ago).settled
    assert look(BINNED, offered_at=long_ago).settled
    assert given_up(waiting()) is None
    ended = given_up(waiting(offered_at=long_ago))
    assert ended is not None
    assert (ended.act, ended.settled) == ("unknown", True)
    known = given_up(waiting(offered_at=long_ago, act="discarded"))
    assert known is not None
    assert (known.act, known.settled) == ("discarded", True)


def test_a_reply_to_a_draft_nobody_has_on_record_is_kept_and_not_compared() -> None:
    found = look(message("d"), body_text="", body_html="")
    assert (found.act, found.similarity) == ("unknown", None)
    assert found.sent_text
