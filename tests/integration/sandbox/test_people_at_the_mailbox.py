"""The sandbox's people behave as Outlook does, by hand and by seed; judged without our clients."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from swarm.sandbox.automatic import ACTS, Automatic
from swarm.sandbox.graph.mailbox import Mailboxes
from swarm.sandbox.graph.people import People
from swarm.sandbox.server import RunningSandbox
from swarm.sandbox.state import State

IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}
MAILBOX = "service@sandbox.example"

Draft = Callable[..., dict[str, object]]


@pytest.fixture
def draft(sandbox: RunningSandbox, graph: httpx.Client) -> Draft:
    """Draft a reply as Zapier does; returns the draft as Graph shows it."""

    def make() -> dict[str, object]:
        mail = sandbox.seed_mail("jane@customer.example", subject="A parcel", body_text="Where?")
        answer = graph.post(
            f"/messages/{mail['id']}/createReply",
            json={"comment": "<p>It is on its way.</p>"},
            headers=IMMUTABLE,
        )
        answer.raise_for_status()
        shown: dict[str, object] = answer.json()
        return shown

    return make


def shown(graph: httpx.Client, message: object) -> dict[str, object] | None:
    answer = graph.get(f"/messages/{message}", headers=IMMUTABLE)
    return None if answer.status_code == 404 else answer.json()


def folder(graph: httpx.Client, name: str) -> str:
    return str(graph.get(f"/mailFolders/{name}").json()["id"])


def test_a_sent_draft_keeps_its_immutable_id_in_sent_items(
    sandbox: RunningSandbox, graph: httpx.Client, draft: Draft
) -> None:
    made = draft()
    sandbox.human("send", made["id"])
    sent = shown(graph, made["id"])
    assert sent is not None
    assert (sent["isDraft"], sent["parentFolderId"]) == (False, folder(graph, "sentitems"))
    assert sent["id"] == made["id"]


def test_an_edited_draft_still_quotes_the_mail_it_answers(
    sandbox: RunningSandbox, graph: httpx.Client, draft: Draft
) -> None:
    made = draft()
    before = str(made["body"]["content"])  # type: ignore[index]
    sandbox.human("send", made["id"], body_html="<p>It is lost.</p>")
    sent = shown(graph, made["id"])
    assert sent is not None
    after = str(sent["body"]["content"])  # type: ignore[index]
    assert after == before.replace("<p>It is on its way.</p>", "<p>It is lost.</p>")


def test_a_late_copy_lies_nowhere_until_it_arrives(
    sandbox: RunningSandbox, graph: httpx.Client, draft: Draft
) -> None:
    made = draft()
    sandbox.human("send", made["id"], copy_after=3600)
    assert shown(graph, made["id"]) is None
    listed = graph.get(
        "/messages", params={"$filter": f"conversationId eq '{made['conversationId']}'"}
    ).json()["value"]
    assert len(listed) == 1
    sandbox.configure(arrive=True)
    arrived = shown(graph, made["id"])
    assert arrived is not None
    assert arrived["parentFolderId"] == folder(graph, "sentitems")


def test_sent_as_the_shared_mailbox_the_copy_lies_with_the_agent(
    sandbox: RunningSandbox, graph: httpx.Client, draft: Draft
) -> None:
    made = draft()
    sandbox.human("send_as", made["id"], agent="robin@example.com")
    assert shown(graph, made["id"]) is None
    (copy,) = sandbox.messages(mailbox="robin@example.com", folder="sentitems")
    assert copy["conversationId"] == made["conversationId"]


def test_an_answer_leaves_the_draft_and_goes_to_the_customer(
    sandbox: RunningSandbox, draft: Draft
) -> None:
    made = draft()
    answer = sandbox.human("answer", made["id"], body_html="<p>It is lost.</p>")
    assert answer["folder"] == "sentitems"
    assert answer["toRecipients"] == made["toRecipients"]
    assert [d["id"] for d in sandbox.drafts() if d["id"] == made["id"]] == [made["id"]]


def test_from_another_client_the_draft_is_gone_and_a_new_mail_was_sent(
    sandbox: RunningSandbox, graph: httpx.Client, draft: Draft
) -> None:
    made = draft()
    sent = sandbox.human("send_elsewhere", made["id"])
    assert sent["id"] != made["id"]
    assert sent["uniqueHtml"] == "<p>It is on its way.</p>"
    assert shown(graph, made["id"]) is None


def test_people_are_no_way_to_send_for_a_client(sandbox: RunningSandbox, draft: Draft) -> None:
    before = sandbox.counts()["send_attempts"]
    sandbox.human("send", draft()["id"])
    assert sandbox.counts()["send_attempts"] == before


# --- the automatic human --------------------------------------------------------------------------


@pytest.fixture
def mailboxes(tmp_path: Path) -> Iterator[Mailboxes]:
    state = State(tmp_path)
    yield Mailboxes(state)
    state.close()


ODDS = dict.fromkeys(ACTS, 1.0)


def worked(mailboxes: Mailboxes, seed: str, mails: list[int], *, at_once: bool) -> dict[str, str]:
    """Let him work the drafts of some mails, all at once or one by one; returns act by mail."""
    human = Automatic(People(mailboxes), mailboxes)
    human.configure({"seed": seed, "odds": ODDS})
    names: dict[str, str] = {}
    for number in mails:
        header = {"name": "In-Reply-To", "value": f"<{number}@customer.example>"}
        made = mailboxes.add(
            MAILBOX, "drafts", {"uniqueHtml": "<p>Yes.</p>", "headers": [header]}, is_draft=True
        )
        names[made.immutable_id] = str(number)
        if not at_once:
            human.look(MAILBOX)
    human.look(MAILBOX)
    return {names[draft]: act for draft, act in human.done.items() if draft in names}


def test_the_same_seed_does_the_same_to_the_same_drafts_whenever_he_looks(
    mailboxes: Mailboxes,
) -> None:
    mails = list(range(40))
    first = worked(mailboxes, "7", mails, at_once=True)
    again = worked(mailboxes, "7", mails[::-1], at_once=False)
    assert first == again
    assert len(first) == 40
    assert worked(mailboxes, "8", mails, at_once=True) != first
    assert set(first.values()) > {"unchanged", "discarded"}


def test_the_odds_are_kept_over_many_drafts(mailboxes: Mailboxes) -> None:
    human = Automatic(People(mailboxes), mailboxes)
    human.configure({"seed": "1", "odds": {"unchanged": 3, "discarded": 1}})
    for number in range(200):
        header = {"name": "In-Reply-To", "value": f"<{number}@x>"}
        mailboxes.add(MAILBOX, "drafts", {"headers": [header]}, is_draft=True)
    while human.look(MAILBOX):
        pass
    done = list(human.done.values())
    assert len(done) == 200
    assert 120 <= done.count("unchanged") <= 180
    assert done.count("unchanged") + done.count("discarded") == 200


def test_he_waits_as_long_as_he_is_told(mailboxes: Mailboxes) -> None:
    human = Automatic(People(mailboxes), mailboxes)
    human.configure({"seed": "1", "odds": {"unchanged": 1}, "delay_seconds": 3600})
    mailboxes.add(MAILBOX, "drafts", {}, is_draft=True)
    assert human.look(MAILBOX) == 0
    human.configure({"delay_seconds": 0})
    assert human.look(MAILBOX) == 1


def test_he_answers_mails_without_a_draft_himself(mailboxes: Mailboxes) -> None:
    human = Automatic(People(mailboxes), mailboxes)
    human.configure({"seed": "1", "unanswered": 1, "unanswered_after": 0})
    alone = mailboxes.add(MAILBOX, "inbox", {"from": {"emailAddress": {"address": "a@b.example"}}})
    drafted = mailboxes.add(MAILBOX, "inbox", {})
    conversation = drafted.conversation_id
    mailboxes.add(MAILBOX, "drafts", {}, is_draft=True, conversation_id=conversation)
    human.look(MAILBOX)
    assert human.done[alone.immutable_id] == "undrafted"
    assert drafted.immutable_id not in human.done


def test_he_rests_until_he_is_given_odds_and_an_unknown_act_is_refused(
    sandbox: RunningSandbox,
) -> None:
    assert sandbox.human_auto()["odds"] == {}
    with pytest.raises(ValueError, match="unknown act"):
        sandbox.human_auto(odds={"sing": 1})


def test_he_works_while_the_server_runs(sandbox: RunningSandbox, draft: Draft) -> None:
    made = draft()
    sandbox.human_auto(seed="1", odds={"discarded": 1})
    try:
        deleted = sandbox.wait_for_drafts(1, folder="deleteditems")
    finally:
        sandbox.human_auto(odds={})
    assert made["id"] in {each["id"] for each in deleted}
