"""The final bytes of a draft are made by code: framed once, escaped, marked, addressed."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replying import CUSTOMER, KEY, brief, context, order, received

from swarm.models import Address, Draft
from swarm.publishing.ledger.marker import draft_marker
from swarm.specialists.protocol import Proposal
from swarm.stages.reply.assemble import assemble


def draft_of(body: str, **changes: object) -> Draft:
    proposal = Proposal(body_text=body, language="en").model_copy(update=changes)
    return assemble(proposal, brief(), author="test", revision=0)


def test_a_draft_is_framed_once_and_ends_with_its_marker() -> None:
    draft = draft_of("Thank you.\n\nAll is well.")
    assert draft.body_text.split("\n\n") == [
        "Hello Anna Smith,",
        "Thank you.",
        "All is well.",
        "Kind regards\nCustomer Service",
        draft_marker(KEY),
    ]
    assert draft.body_html.endswith(f"<p>{draft_marker(KEY)}</p>")
    assert draft.to == (CUSTOMER,)
    assert draft.cc == ()
    assert draft.subject == "Re: Order 20417"


def test_a_frame_the_specialist_wrote_is_not_doubled() -> None:
    framed = draft_of("Hello Anna,\n\nThank you.\n\nKind regards\nCustomer Service")
    assert framed.body_text == draft_of("Thank you.").body_text


def test_a_sentence_that_merely_starts_like_a_greeting_stays() -> None:
    assert "Hello is what you wrote." in draft_of("Hello is what you wrote.").body_text


def test_markup_is_escaped() -> None:
    draft = draft_of('<img src="http://evil.example/x.png"><script>1</script> & more')
    assert "&lt;img src=&quot;" in draft.body_html
    assert set(re.findall(r"<[^>]+>", draft.body_html)) == {"<p>", "</p>", "<br>"}


@settings(deadline=None)
@given(st.text(max_size=300))
def test_no_text_makes_a_tag_or_drops_the_marker(body: str) -> None:
    draft = draft_of(body)
    assert set(re.findall(r"<[^>]*>", draft.body_html)) <= {"<p>", "</p>", "<br>"}
    assert draft.body_text.endswith("\n\n" + draft_marker(KEY))


def test_invisible_characters_do_not_reach_the_draft() -> None:
    assert "a\u200bb" not in draft_of("a\u200bb\u202ec").body_text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"decline": "beyond me"}, "beyond me"), ({"language": "pl"}, "language pl")],
)
def test_what_cannot_be_written_is_withheld(changes: dict[str, object], reason: str) -> None:
    draft = draft_of("text", **changes)
    assert draft.withheld is not None
    assert reason in draft.withheld
    assert "declined" not in draft.withheld  # the outcome says so
    assert draft.body_text == ""


def test_an_address_outside_the_context_withholds_the_draft() -> None:
    elsewhere = received(work_order=order(reply_to=(Address(address="x@evil.example"),)))
    given = brief(received=elsewhere, context=context())
    draft = assemble(Proposal(body_text="hi", language="en"), given, author="t", revision=0)
    assert draft.withheld is not None
    assert "ES-10" in draft.withheld
