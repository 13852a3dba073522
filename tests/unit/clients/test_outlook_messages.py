from datetime import UTC, datetime

import pytest

from swarm.clients.graph_http import prefer
from swarm.clients.outlook_inbound import WITHOUT_ID, inbound_message
from swarm.clients.outlook_messages import graph_message, html_to_text, thread_message
from swarm.errors import RemoteUnavailableError
from swarm.ourselves import Ourselves

OURS = Ourselves(mailbox="service@example.com", addresses=("Shop@Example.com",))
GOOD: dict[str, object] = {
    "id": "AAk1",
    "subject": "Order",
    "from": {"emailAddress": {"name": "Anna", "address": "Anna@Example.org"}},
    "toRecipients": [{"emailAddress": {"address": "service@example.com"}}],
    "sentDateTime": "2026-11-20T10:00:00Z",
    "body": {"contentType": "text", "content": "New\n> old"},
    "uniqueBody": {"contentType": "text", "content": "New"},
    "parentFolderId": "inbox-id",
}


def test_the_newest_part_is_what_counts() -> None:
    message = thread_message(graph_message(GOOD), ours=OURS, sent_folder="s")
    assert message.text == "New"
    assert message.sender.address == "Anna@Example.org"
    assert message.sent_at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert not message.from_us


def test_without_a_unique_body_the_whole_body_is_taken() -> None:
    without = {name: value for name, value in GOOD.items() if name != "uniqueBody"}
    assert graph_message(without).own_text() == "New\n> old"


def test_ours_is_what_the_mailbox_wrote_or_what_lies_in_sent_items() -> None:
    by_us = {**GOOD, "from": {"emailAddress": {"address": "SERVICE@example.com"}}}
    by_alias = {**GOOD, "from": {"emailAddress": {"address": "shop@example.com"}}}
    sent = {**GOOD, "parentFolderId": "sent-id"}
    for item in (by_us, by_alias, sent):
        message = graph_message(item)
        ours = thread_message(message, ours=OURS, sent_folder="sent-id")
        assert ours.from_us


def test_a_message_without_sender_or_subject_is_still_a_message() -> None:
    bare = graph_message({"id": "x", "from": None, "subject": None})
    assert bare.author().address == ""
    assert bare.own_text() == ""


def test_an_unreadable_message_raises_without_quoting_it() -> None:
    with pytest.raises(RemoteUnavailableError) as caught:
        graph_message({"id": "x", "subject": ["CANARY"]})
    assert "CANARY" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_booleans_of_a_delta_item_may_be_strings() -> None:
    read = inbound_message({"id": "x", "isRead": "true", "isDraft": "False"})
    assert (read.raw["isRead"], read.raw["isDraft"]) == (True, False)


def test_a_removed_item_carries_only_its_id() -> None:
    gone = inbound_message({"id": "x", "@removed": {"reason": "deleted"}})
    assert (gone.removed, dict(gone.raw)) == (True, {})


@pytest.mark.parametrize("item", [None, 7, [], {}, {"id": None}, {"id": 5, "subject": "Order"}])
def test_an_item_without_an_id_is_named_by_its_content_and_says_so(item: object) -> None:
    read = inbound_message(item)
    assert read.message_id == inbound_message(item).message_id
    assert read.message_id.startswith("without-id-")
    assert WITHOUT_ID in read.unread


def test_html_becomes_lines_without_style_and_script() -> None:
    markup = (
        "<head><style>p{}</style></head><p>One&amp;</p><div>Two<br>Three</div><script>x</script>"
    )
    assert html_to_text(markup) == "One&\nTwo\nThree"


def test_prefer_is_one_value_and_always_asks_for_immutable_ids() -> None:
    both = 'IdType="ImmutableId", outlook.body-content-type="text", odata.maxpagesize=50'
    assert prefer(body="text", page_size=50) == both
    assert prefer() == 'IdType="ImmutableId"'
