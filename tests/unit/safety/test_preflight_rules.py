"""At the last look: a good publication with one thing spoiled; None counts as a violation."""

import pytest

from swarm.safety.preflight_rules import PreflightFacts, preflight_reasons

GOOD = PreflightFacts(
    work_order_key="wo_" + "abcdefgh" * 3,
    auto_send=False,
    approved_draft_sha256="a" * 64,
    draft_sha256="a" * 64,
    to=("anna@example.com",),
    participants=("anna@example.com",),
    subject="Re: Order PO-20417",
    body_text="Hello,\n\nthank you.\n\nRef: SW-ABCDEFGH",
    body_html="<p>Hello,</p><p>thank you.</p><p>Ref: SW-ABCDEFGH</p>",
    in_reply_to="<1@example.com>",
    inbound_internet_message_id="<1@example.com>",
    conversation_id="c1",
    inbound_conversation_id="c1",
    head_at_snapshot="m1",
    head_now="m1",
    replied_by_us_since=False,
    own_material=("my order PO-20417",),
    drafts_found=0,
    answers_withdrawn=0,
)


def test_the_good_publication_may_leave() -> None:
    assert preflight_reasons(GOOD) == ()


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("ES-06", {"auto_send": True}),
        ("ES-06", {"auto_send": None}),
        ("ES-08", {"answers_withdrawn": 1}),
        ("ES-08", {"answers_withdrawn": None}),
        ("ES-09", {"own_material": ()}),
        ("ES-09", {"own_material": None}),
        ("ES-10", {"cc": ("stranger@example.net",)}),
        ("ES-10", {"to": ()}),
        ("ES-10", {"in_reply_to": None}),
        ("ES-10", {"in_reply_to": "<2@example.com>"}),
        ("ES-10", {"conversation_id": "c2"}),
        ("ES-10", {"conversation_id": None, "inbound_conversation_id": None}),
        ("ES-17", {"draft_sha256": "b" * 64}),
        ("ES-17", {"body_html": "<p>Something else</p>"}),
        ("ES-19", {"drafts_found": 1}),
        ("ES-19", {"drafts_found": None}),
        ("ES-20", {"head_now": "m2"}),
        ("ES-20", {"head_now": None}),
        ("ES-20", {"head_at_snapshot": None, "head_now": None}),
        ("ES-20", {"replied_by_us_since": True}),
        ("ES-20", {"replied_by_us_since": None}),
    ],
)
def test_one_spoiled_thing_holds_the_publication(rule: str, changes: dict[str, object]) -> None:
    assert {reason.rule for reason in preflight_reasons(GOOD.model_copy(update=changes))} == {rule}


def test_a_link_in_the_payload_holds_it() -> None:
    bad = GOOD.model_copy(
        update={"body_text": "https://evil.example", "body_html": "https://evil.example"}
    )
    assert {reason.rule for reason in preflight_reasons(bad)} == {"ES-11"}


def test_addresses_are_compared_without_case() -> None:
    assert preflight_reasons(GOOD.model_copy(update={"to": ("Anna@Example.com",)})) == ()
