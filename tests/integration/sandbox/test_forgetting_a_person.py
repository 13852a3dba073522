"""The doubles forget what is a person's, and nothing of whoever merely speaks of him."""

import httpx
import pytest

from swarm.sandbox.server import RunningSandbox

pytestmark = pytest.mark.integration

HIM, HER = "zeno.quirk@forget.example", "ida.berg@forget.example"
KEY, OTHER = "wo_" + "z" * 24, "wo_" + "i" * 24


def ids(sandbox: RunningSandbox) -> set[str]:
    return {str(message["id"]) for message in sandbox.messages()}


def test_a_mail_that_mentions_him_stays_and_his_own_go(sandbox: RunningSandbox) -> None:
    def seed(sender: str, **more: object) -> str:
        return str(sandbox.seed_mail(sender, subject="s", **more)["id"])

    his = {
        seed(HIM.upper(), body_text="Where is it?"),
        seed("form@web.example", body_text="Where is it?", reply_to=[HIM]),
        seed(HIM, body_text="We look.", from_us=True),
        seed("x@forget.example", internet_message_id="<1@x>"),
    }
    hers = {
        seed(HER, body_text=f"Ask {HIM} about it."),
        seed(HER, body_text="See the mail.", cc=[HIM]),
        seed(HER, body_text="Re", headers={"References": "<1@x>"}),
        seed(HER, internet_message_id="<1@x>"),
    }
    whom = {"address": HIM, "ids": [], "keys": [], "signed": [["<1@x>", "x@forget.example"]]}
    assert sandbox.forget(whom) == len(his)
    assert not his & ids(sandbox)
    assert hers <= ids(sandbox)


def test_drafts_go_by_their_work_order_and_not_by_what_they_quote(sandbox: RunningSandbox) -> None:
    url = sandbox.environment["ZAPIER_HOOK_URL"]
    mailbox = sandbox.environment["GRAPH_MAILBOX"]
    for key, to in ((KEY, "a@forget.example"), (OTHER, HER)):
        payload = {"idempotency_key": key, "mailbox": mailbox, "subject": key, "to": to,
                   "body_text": f"You and {HIM} will hear from us."}  # fmt: skip
        httpx.post(url, json=payload).raise_for_status()
    deadline = 100
    while len([d for d in sandbox.drafts() if d["subject"] in {KEY, OTHER}]) < 2 and deadline:
        deadline -= 1
        httpx.get(sandbox.url)
    sandbox.forget({"address": HIM, "keys": [KEY]})
    assert [d["subject"] for d in sandbox.drafts() if d["subject"] in {KEY, OTHER}] == [OTHER]
    assert [d["payload"]["idempotency_key"] for d in sandbox.deliveries()] == [OTHER]  # type: ignore[index]


def test_his_contact_goes_with_its_deals_and_hers_stays(
    sandbox: RunningSandbox, monday: httpx.Client
) -> None:
    his = sandbox.add_contact("Zeno Quirk", HIM)
    hers = sandbox.add_contact("Ida Berg", HER, phone=f"via {HIM}")
    alone = sandbox.add_deal("Alone", his)
    note = sandbox.add_deal(f"Mentions {HIM}", hers)
    assert sandbox.forget({"address": HIM}) == 2
    asked = {"query": f"{{ items(ids: [{his}, {hers}, {alone}, {note}]) {{ id }} }}"}
    found = monday.post("/v2", json=asked).json()["data"]["items"]
    assert {item["id"] for item in found} == {hers, note}
