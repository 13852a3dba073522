import base64
import logging
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from swarm.clients.bounded_http import AnswerTooLargeError
from swarm.clients.graph_http import AT_ONCE
from swarm.clients.outlook import GraphOutlook
from swarm.clients.outlook_messages import DISPATCH_KEY_PROPERTY
from swarm.clients.protocol import DeltaExpiredError
from swarm.errors import RateLimitedError, RemoteRefusedError, RemoteUnavailableError
from swarm.host_slots import HostSlots
from swarm.installation.feeding import InboxDouble
from swarm.legacy.events import event_from_eml
from swarm.sandbox.graph.mailbox import new_conversation_id
from swarm.sandbox.server import RunningSandbox
from swarm.settings import GraphSettings

pytestmark = pytest.mark.integration
ANNA = "anna.keller@example.org"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def start_conversation(sandbox: RunningSandbox, count: int = 1) -> str:
    conversation = new_conversation_id()
    for number in range(count):
        at = LONG_AGO + timedelta(minutes=number)
        text = f"Message {number}"
        sandbox.seed_mail(
            ANNA, subject="Order", body_text=text, conversation_id=conversation, received_at=at
        )
    return conversation


# --- conversation ---------------------------------------------------------------------------------


def test_a_conversation_is_oldest_first_with_plain_text_of_the_newest_part(
    sandbox: RunningSandbox, outlook: GraphOutlook
) -> None:
    conversation = start_conversation(sandbox)
    quoted = "<blockquote>the whole history</blockquote>"
    reply = {"body_html": "<p>We look &amp; see</p>", "quoted_html": quoted, "from_us": True}
    sandbox.seed_mail(ANNA, conversation_id=conversation, **reply)
    first, second = outlook.conversation(conversation)
    assert (first.text, first.from_us) == ("Message 0", False)
    assert (second.text, second.from_us) == ("We look & see", True)


def test_drafts_deleted_and_junk_are_left_out_and_other_folders_are_not(
    sandbox: RunningSandbox, outlook: GraphOutlook
) -> None:
    conversation = start_conversation(sandbox)
    for folder in ("deleteditems", "junkemail", "archive"):
        sandbox.seed_mail(ANNA, body_text=folder, conversation_id=conversation, folder=folder)
    sandbox.seed_mail(ANNA, conversation_id=conversation, folder="drafts", is_draft=True)
    texts = {message.text for message in outlook.conversation(conversation)}
    assert texts == {"Message 0", "archive"}


@pytest.mark.fault("T42")
def test_a_long_conversation_is_followed_over_its_pages(
    sandbox: RunningSandbox, outlook: GraphOutlook
) -> None:
    conversation = start_conversation(sandbox, 53)
    texts = [message.text for message in outlook.conversation(conversation)]
    assert texts == [f"Message {number}" for number in range(53)]


def test_ids_with_quotes_and_slashes_reach_graph_as_they_are(
    sandbox: RunningSandbox, outlook: GraphOutlook
) -> None:
    conversation = "AAQk+/=o'brien&x=1#?"
    sandbox.seed_mail(ANNA, body_text="found", conversation_id=conversation)
    assert [message.text for message in outlook.conversation(conversation)] == ["found"]


def test_an_unknown_conversation_is_empty_and_not_an_error(outlook: GraphOutlook) -> None:
    assert outlook.conversation(new_conversation_id()) == ()


def test_ids_are_immutable_ones(sandbox: RunningSandbox, outlook: GraphOutlook) -> None:
    conversation = start_conversation(sandbox)
    (before,) = outlook.conversation(conversation)
    moved = sandbox.human("move", before.message_id, folder="archive")
    (after,) = outlook.conversation(conversation)
    assert before.message_id == after.message_id
    assert outlook.rest_id(after.message_id) == moved["restId"]


def test_labels_of_attachments_are_listed(sandbox: RunningSandbox, outlook: GraphOutlook) -> None:
    label = {"name": "a.pdf", "contentType": "application/pdf", "size": 7, "isInline": False}
    mail = sandbox.seed_mail(ANNA, attachments=[label])
    (found,) = outlook.attachments(str(mail["id"]))
    assert (found.name, found.content_type, found.size) == ("a.pdf", "application/pdf", 7)


def attached(sandbox: RunningSandbox, content: bytes) -> str:
    encoded = base64.b64encode(content).decode()
    label = {"name": "a b/ü.txt", "contentType": "text/plain", "size": len(content)}
    return str(sandbox.seed_mail(ANNA, attachments=[{**label, "contentBytes": encoded}])["id"])


def test_an_attachment_is_fetched_as_it_is(sandbox: RunningSandbox, outlook: GraphOutlook) -> None:
    mail = attached(sandbox, b"Order\x00 \xff 10482")
    (found,) = outlook.enclosures(mail)
    data = outlook.attachment_bytes(mail, found.attachment_id, most_bytes=99)
    assert data == b"Order\x00 \xff 10482"


def test_an_attachment_larger_than_wanted_is_not_read(
    sandbox: RunningSandbox, outlook: GraphOutlook
) -> None:
    mail = attached(sandbox, b"x" * 100_000)
    (found,) = outlook.enclosures(mail)
    with pytest.raises(AnswerTooLargeError):
        outlook.attachment_bytes(mail, found.attachment_id, most_bytes=99_999)


def test_an_attachment_that_is_not_there_is_refused(
    sandbox: RunningSandbox, outlook: GraphOutlook
) -> None:
    with pytest.raises(RemoteRefusedError):
        outlook.attachment_bytes(attached(sandbox, b"x"), "none", most_bytes=9)


def test_a_mail_handed_in_brings_its_files_into_the_double(
    sandbox: RunningSandbox, outlook: GraphOutlook
) -> None:
    raw = (
        b"From: Ada <ada@example.org>\nSubject: x\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nHello\n"
        b"--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\n"
        b"Order 10482\n--b--\n"
    )
    event = event_from_eml(raw, sandbox.environment["GRAPH_MAILBOX"], now=datetime.now(UTC))
    inbox = InboxDouble(sandbox.url)
    placed = inbox.place(event, raw)
    inbox._control.close()
    message = str(placed["message_id"])
    (found,) = outlook.enclosures(message)
    assert outlook.attachment_bytes(message, found.attachment_id, most_bytes=99) == b"Order 10482"


# --- our own drafts -------------------------------------------------------------------------------


def draft(sandbox: RunningSandbox, conversation: str, markup: str) -> str:
    mail = sandbox.seed_mail(
        ANNA,
        conversation_id=conversation,
        body_html=markup,
        is_draft=True,
        folder="drafts",
        from_us=True,
    )
    return str(mail["id"])


ELSEWHERE = "a-conversation-without-drafts"


def find(
    outlook: GraphOutlook,
    conversation: str | None,
    key: str = "wo_none",
    marker: str = "[ref:m1]",
) -> list[tuple[str, str]]:
    found = outlook.find_dispatched(
        key=key,
        conversation_id=conversation,
        marker=marker,
        since=datetime.now(UTC) - timedelta(seconds=5),
    )
    return [(each.message_id, each.folder) for each in found]


def test_a_draft_is_found_by_its_marker_then_exactly_by_its_property(
    sandbox: RunningSandbox, outlook: GraphOutlook
) -> None:
    conversation = start_conversation(sandbox)
    made = draft(sandbox, conversation, "<p>Hello <span style='display:none'>[ref:m1]</span></p>")
    assert find(outlook, conversation) == [(made, "drafts")]
    outlook.mark_dispatched(made, "wo_1")
    outlook.mark_dispatched(made, "wo_1")
    assert find(outlook, ELSEWHERE, "WO_1") == [(made, "drafts")]
    (seen,) = sandbox.drafts(conversation_id=conversation)
    assert seen["properties"] == {DISPATCH_KEY_PROPERTY: "wo_1"}


def test_a_draft_of_a_mail_without_a_conversation_is_found_among_the_drafts(
    sandbox: RunningSandbox, outlook: GraphOutlook
) -> None:
    draft(sandbox, start_conversation(sandbox), "<p>[ref:another]</p>")
    made = draft(sandbox, start_conversation(sandbox), "<p>[ref:alone]</p>")
    assert find(outlook, None, marker="[ref:alone]") == [(made, "drafts")]


@pytest.mark.parametrize(
    ("operation", "more", "folder"),
    [
        ("edit", {"body_html": "<p>All rewritten</p>"}, "drafts"),
        ("send", {}, "sentitems"),
        ("move", {"folder": "archive"}, "archive"),
        ("delete", {}, "deleteditems"),
    ],
)
def test_a_marked_draft_is_found_whatever_a_person_did_with_it(
    sandbox: RunningSandbox,
    outlook: GraphOutlook,
    operation: str,
    more: dict[str, str],
    folder: str,
) -> None:
    made = draft(sandbox, start_conversation(sandbox), "[ref:m1]")
    outlook.mark_dispatched(made, f"wo_{operation}")
    sandbox.human(operation, made, **more)
    assert find(outlook, ELSEWHERE, f"wo_{operation}") == [(made, folder)]


def test_a_purged_draft_is_not_found(sandbox: RunningSandbox, outlook: GraphOutlook) -> None:
    conversation = start_conversation(sandbox)
    made = draft(sandbox, conversation, "[ref:m1]")
    sandbox.human("purge", made)
    assert find(outlook, conversation) == []


def test_a_customer_who_quotes_our_marker_is_not_our_draft(
    sandbox: RunningSandbox, outlook: GraphOutlook
) -> None:
    conversation = start_conversation(sandbox)
    sandbox.seed_mail(ANNA, body_html="<p>You wrote [ref:m1]</p>", conversation_id=conversation)
    assert find(outlook, conversation) == []


def test_a_later_reply_of_ours_that_quotes_the_marker_is_no_second_draft(
    sandbox: RunningSandbox, outlook: GraphOutlook
) -> None:
    conversation = start_conversation(sandbox)
    made = draft(sandbox, conversation, "<p>[ref:m1]</p>")
    later = {"body_html": "<p>By the way</p>", "quoted_html": "<blockquote>[ref:m1]</blockquote>"}
    sandbox.seed_mail(ANNA, conversation_id=conversation, from_us=True, **later)
    assert find(outlook, conversation) == [(made, "drafts")]


def test_drafts_from_before_the_intent_are_not_ours(
    sandbox: RunningSandbox, outlook: GraphOutlook
) -> None:
    conversation = start_conversation(sandbox)
    sandbox.seed_mail(
        ANNA,
        conversation_id=conversation,
        body_html="[ref:m1]",
        received_at=datetime.now(UTC) - timedelta(minutes=5),
        from_us=True,
    )
    assert find(outlook, conversation) == []


def test_a_duplicate_beside_a_marked_draft_is_seen(
    sandbox: RunningSandbox, outlook: GraphOutlook
) -> None:
    conversation = start_conversation(sandbox)
    first = draft(sandbox, conversation, "[ref:m1]")
    outlook.mark_dispatched(first, "wo_dup")
    second = draft(sandbox, conversation, "[ref:m1]")
    found = find(outlook, conversation, "wo_dup")
    assert sorted(found) == sorted([(first, "drafts"), (second, "drafts")])


def test_what_was_sent_is_never_changed(sandbox: RunningSandbox, outlook: GraphOutlook) -> None:
    made = draft(sandbox, start_conversation(sandbox), "[ref:m1]")
    sandbox.human("send", made)
    outlook.mark_dispatched(made, "wo_sent")
    assert find(outlook, ELSEWHERE, "wo_sent") == []
    assert sandbox.counts()["send_attempts"] == 0


# --- delta ----------------------------------------------------------------------------------------


def sweep(outlook: GraphOutlook, link: str | None, since: datetime) -> tuple[list[str], str]:
    page = outlook.delta(link, since=since)
    seen = [message.message_id for message in page.messages if not message.removed]
    while page.delta_link is None:
        page = outlook.delta(page.next_link, since=since)
        seen += [message.message_id for message in page.messages if not message.removed]
    return seen, page.delta_link


def test_delta_gives_each_new_mail_and_afterwards_only_newer_ones(
    sandbox: RunningSandbox, outlook: GraphOutlook
) -> None:
    since = datetime.now(UTC) + timedelta(days=1)
    at = since + timedelta(minutes=1)
    seeded = {str(sandbox.seed_mail(ANNA, received_at=at)["id"]) for _ in range(120)}
    first, link = sweep(outlook, None, since)
    assert len(first) == 120
    assert set(first) == seeded
    assert sweep(outlook, link, since)[0] == []
    newer = sandbox.seed_mail(ANNA, received_at=at, headers={"In-Reply-To": "<x@example.org>"})
    (found,) = outlook.delta(link, since=since).messages
    assert found.message_id == newer["id"]
    assert found.raw["internetMessageHeaders"] == [
        {"name": "In-Reply-To", "value": "<x@example.org>"}
    ]


def test_delta_survives_duplicates_removals_and_string_booleans(
    sandbox: RunningSandbox, outlook: GraphOutlook
) -> None:
    since = datetime.now(UTC) + timedelta(days=3)
    at = since + timedelta(minutes=1)
    gone = sandbox.seed_mail(ANNA, received_at=at)
    _, link = sweep(outlook, None, since)
    sandbox.human("move", gone["id"], folder="archive")
    sandbox.seed_mail(ANNA, received_at=at)
    sandbox.fault("graph", "delta_duplicates", times=1)
    sandbox.fault("graph", "string_booleans", times=1)
    page = outlook.delta(link, since=since)
    kinds = [(message.removed, message.raw.get("isRead")) for message in page.messages]
    assert (True, None) in kinds
    assert (False, False) in kinds
    assert len(page.messages) == 3


def test_an_expired_delta_token_says_so(sandbox: RunningSandbox, outlook: GraphOutlook) -> None:
    since = datetime.now(UTC) + timedelta(days=9)
    _, link = sweep(outlook, None, since)
    sandbox.configure(expire_delta=True)
    with pytest.raises(DeltaExpiredError):
        outlook.delta(link, since=since)


def test_a_link_to_a_foreign_host_is_not_followed(
    sandbox: RunningSandbox, outlook: GraphOutlook
) -> None:
    with pytest.raises(RemoteRefusedError, match="foreign host"):
        outlook.delta("http://foreign.example.net/v1.0/delta?x=1", since=LONG_AGO)
    conversation = start_conversation(sandbox, 51)
    sandbox.fault("graph", "foreign_next_link", times=1)
    with pytest.raises(RemoteRefusedError, match="foreign host"):
        outlook.conversation(conversation)


# --- trouble --------------------------------------------------------------------------------------


@pytest.mark.fault("T42")
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("status", {"status": 429}),
        ("status", {"status": 429, "retry_after": "0"}),
        ("status", {"status": 502}),
        ("status", {"status": 503}),
        ("status", {"status": 504}),
        ("reset", {}),
    ],
)
def test_reading_goes_on_after_passing_trouble(
    sandbox: RunningSandbox, outlook: GraphOutlook, kind: str, options: dict[str, object]
) -> None:
    conversation = start_conversation(sandbox)
    sandbox.fault("graph", kind, times=2, **options)
    assert len(outlook.conversation(conversation)) == 1


@pytest.mark.fault("T42")
def test_trouble_that_stays_is_transient_and_trying_is_bounded(
    sandbox: RunningSandbox, outlook: GraphOutlook
) -> None:
    sandbox.fault("graph", "status", status=503)
    before = sandbox.counts()["calls"]
    with pytest.raises(RemoteUnavailableError):
        outlook.conversation("x")
    after = sandbox.counts()["calls"]
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert after["graph"] - before["graph"] == 4


def test_a_wait_longer_than_our_patience_is_handed_on(
    sandbox: RunningSandbox, outlook: GraphOutlook
) -> None:
    sandbox.fault("graph", "status", times=1, status=429, retry_after="600")
    with pytest.raises(RateLimitedError) as caught:
        outlook.conversation("x")
    assert caught.value.retry_after == 600


def test_stale_tokens_are_replaced_without_anybody_noticing(
    sandbox: RunningSandbox, outlook: GraphOutlook
) -> None:
    conversation = start_conversation(sandbox)
    outlook.conversation(conversation)
    sandbox.configure(revoke_tokens=True)
    assert len(outlook.conversation(conversation)) == 1


def test_a_refusal_names_code_and_request_ids_but_no_mailbox_id_or_text(
    outlook: GraphOutlook, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    unknown = "-".join(("AAkALg", "unknown", "id"))
    with pytest.raises(RemoteRefusedError, match="ErrorItemNotFound") as caught:
        outlook.mark_dispatched(unknown, "wo_1")
    told = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert "request-id" in str(caught.value)
    assert "client-request-id" in str(caught.value)
    assert unknown not in told
    assert "service@example.com" not in told


def test_no_more_than_four_requests_run_at_once_over_all_programs_of_a_host(
    sandbox: RunningSandbox, graph_settings: GraphSettings, tmp_path: Path
) -> None:
    conversation = start_conversation(sandbox)
    # A client of its own for each program; what they share is a folder.
    ours = [
        GraphOutlook(graph_settings, slots=HostSlots(tmp_path, "graph", AT_ONCE)) for _ in range(3)
    ]
    sandbox.fault("graph", "latency", times=24, seconds=0.05)
    with ExitStack() as closed, ThreadPoolExecutor(12) as pool:
        for each in ours:
            closed.callback(each.close)
        asked = [pool.submit(ours[n % 3].conversation, conversation) for n in range(12)]
        found = [each.result() for each in asked]
    most = sandbox.counts()["most_concurrent"]
    assert isinstance(most, dict)
    assert most["graph"] == AT_ONCE
    assert all(len(messages) == 1 for messages in found)


def test_ids_that_graph_did_not_confirm_as_immutable_are_logged(
    sandbox: RunningSandbox, outlook: GraphOutlook, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.fault("graph", "no_preference_applied", times=1)
    outlook.conversation("x")
    assert "did not confirm immutable ids" in caplog.text


def test_a_wrong_secret_is_a_refusal(graph_settings: GraphSettings) -> None:
    wrong = graph_settings.model_copy(update={"client_id": "nobody"})
    client = GraphOutlook(wrong)
    with pytest.raises(RemoteRefusedError, match="unauthorized_client"):
        client.conversation("x")
    client.close()
