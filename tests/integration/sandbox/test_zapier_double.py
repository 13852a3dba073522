"""The hook says yes to everything; what becomes of it is another matter."""

import httpx
import pytest

from swarm.sandbox.server import RunningSandbox

pytestmark = pytest.mark.integration


def post(sandbox: RunningSandbox, **more: str) -> dict[str, str]:
    mail = sandbox.seed_mail("anna.keller@example.org", subject="Order", body_text="Where?")
    payload = {
        "mailbox": sandbox.environment["GRAPH_MAILBOX"],
        "message_id": str(mail["id"]),
        "conversation_id": str(mail["conversationId"]),
        "body_html": "<p>Here</p>",
        **more,
    }
    answer = httpx.post(sandbox.environment["ZAPIER_HOOK_URL"], json=payload)
    assert answer.status_code == 200
    assert set(answer.json()) == {"id", "request_id", "attempt", "status"}
    assert answer.json()["status"] == "success"
    return {"conversation_id": payload["conversation_id"]}


def states(sandbox: RunningSandbox) -> list[object]:
    return [delivery["state"] for delivery in sandbox.deliveries()]


def test_a_delivery_becomes_a_reply_draft(sandbox: RunningSandbox) -> None:
    where = post(sandbox)
    (draft,) = sandbox.wait_for_drafts(1, **where)
    body = draft["body"]
    assert isinstance(body, dict)
    assert draft["subject"] == "RE: Order"
    assert str(body["content"]).startswith("<p>Here</p>")
    assert "Where?" in str(body["content"])


@pytest.mark.parametrize(("kind", "state"), [("lose", "lost"), ("paused", "paused")])
def test_a_lost_or_paused_delivery_is_accepted_and_never_drafted(
    sandbox: RunningSandbox, kind: str, state: str
) -> None:
    sandbox.fault("zapier", kind, times=1)
    lost = post(sandbox)
    after = post(sandbox)
    sandbox.wait_for_drafts(1, **after)
    assert states(sandbox)[-2] == state
    assert sandbox.drafts(**lost) == []


def test_a_duplicate_delivery_makes_two_drafts(sandbox: RunningSandbox) -> None:
    sandbox.fault("zapier", "duplicate", times=1)
    assert len(sandbox.wait_for_drafts(2, **post(sandbox))) == 2


def test_a_replay_makes_a_second_draft(sandbox: RunningSandbox) -> None:
    where = post(sandbox)
    sandbox.wait_for_drafts(1, **where)
    sandbox.replay(sandbox.deliveries()[-1]["id"])
    assert len(sandbox.wait_for_drafts(2, **where)) == 2


def test_a_delayed_delivery_waits_its_time(sandbox: RunningSandbox) -> None:
    sandbox.fault("zapier", "delay", times=1, seconds=0.5)
    late = post(sandbox)
    early = post(sandbox)
    sandbox.wait_for_drafts(1, **early)
    assert sandbox.drafts(**late) == []
    assert len(sandbox.wait_for_drafts(1, **late)) == 1


def test_an_unknown_original_still_gives_a_draft_and_says_so(sandbox: RunningSandbox) -> None:
    where = post(sandbox, message_id="AAkALg-none", conversation_id="unknown-conversation")
    (draft,) = sandbox.wait_for_drafts(1, **where)
    assert draft["conversationId"] == "unknown-conversation"
    assert "unknown" in str(sandbox.deliveries()[-1]["detail"])


def test_an_empty_body_is_ignored_and_answered_all_the_same(sandbox: RunningSandbox) -> None:
    before = len(sandbox.deliveries())
    assert httpx.post(sandbox.environment["ZAPIER_HOOK_URL"]).json()["status"] == "success"
    assert len(sandbox.deliveries()) == before
