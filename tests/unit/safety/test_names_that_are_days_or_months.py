"""A customer called Domenica, Sunday or April is greeted by that name, and by no other day."""

import pytest
from replying import CUSTOMER, brief, claim, order, received

from swarm.models import Draft
from swarm.safety.case import Case
from swarm.safety.drafts.form import form_findings
from swarm.safety.rules.claims import facts_are_cited
from swarm.specialists.protocol import Proposal
from swarm.stages.reply.assemble import assemble

NAMES = ["Domenica", "Sunday Adams", "April Jones", "Mai Tran", "Domenica Ricci"]


def greeted(name: str, said: str = "", *, mail: str = "When does it come?") -> tuple[Draft, Case]:
    """The draft that production assembles for a customer of this name."""
    mailed = order(sender=CUSTOMER.model_copy(update={"name": name}))
    given = brief(received=received(work_order=mailed, text=mail))
    status = claim()
    body = f"{status.text}\n\n{said}" if said else status.text
    proposal = Proposal(body_text=body, language="en", claims=(status,))
    draft = assemble(proposal, given, author="x", revision=0)
    return draft, Case(received=given.received, context=given.context, draft=draft)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_a_day_or_a_month_is_greeted(name: str) -> None:
    draft, case = greeted(name)
    assert draft.body_text.startswith(f"Hello {name},")
    assert facts_are_cited(case) == ()
    assert form_findings(draft, case.received, ("en",)) == ()


@pytest.mark.parametrize("name", ["Domenica", "Sunday Adams"])
def test_the_same_word_below_the_greeting_is_a_day(name: str) -> None:
    day = name.split(maxsplit=1)[0]
    _, case = greeted(name, f"It comes on {day}.")
    assert [reason.detail for reason in facts_are_cited(case)] == ["a date without a source"]


def test_a_day_that_is_not_the_customers_name_is_a_day_in_the_greeting_too() -> None:
    draft, case = greeted("Anna Smith")
    other = draft.model_copy(
        update={"body_text": draft.body_text.replace("Hello Anna Smith,", "Hello, on Sunday,")}
    )
    assert facts_are_cited(case.model_copy(update={"draft": other}))
