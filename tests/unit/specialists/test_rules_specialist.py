"""What the rules specialist answers, asks back, and declines."""

import pytest
from replying import ASK, INBOUND, STATUS, brief, claim, context, order, received, services

from swarm.models import EscalationClass, Evidence, EvidenceKind, Received, Stage
from swarm.safety.ruleset import judge
from swarm.specialists.phrasebook import languages
from swarm.specialists.protocol import Brief, Proposal
from swarm.specialists.rules import RulesSpecialist
from swarm.stages.floor import case_of
from swarm.stages.reply.assemble import assemble

DELIVERY_ASKS = {
    "en": "When will my order be delivered?",
    "de": "Wann wird meine Bestellung geliefert?",
    "fr": "Quand ma commande sera-t-elle livrée ?",
    "es": "¿Cuándo se entregará mi pedido?",
    "nl": "Wanneer wordt mijn bestelling geleverd?",
    "it": "Quando verrà consegnato il mio ordine?",
    "pt": "Quando será entregue a minha encomenda?",
}
DELIVERY = STATUS.model_copy(
    update={"id": "e3", "source": "monday:deal:delivery_date", "text": "2026-03-09"}
)


def propose(given: Brief) -> Proposal:
    return RulesSpecialist().propose(given, None, ())


def test_an_approved_field_is_quoted_as_a_claim() -> None:
    said = propose(brief())
    assert said.claims == (claim(),)
    assert said.claims[0].text in said.body_text
    assert said.answered == (ASK,)
    assert said.decline is None


@pytest.mark.parametrize("language", sorted(languages()))
def test_the_answer_is_in_the_language_of_the_mail(language: str) -> None:
    ask = DELIVERY_ASKS[language]
    given = brief(
        received=received(language=language, asks=(ask,)),
        context=context(evidence=(INBOUND, DELIVERY)),
    )
    said = propose(given)
    assert said.language == language
    assert "2026-03-09" in said.body_text
    assert said.claims[0].evidence_id == "e3"


@pytest.mark.parametrize("language", sorted(languages()))
def test_its_own_proposals_pass_its_own_reviews(language: str) -> None:
    given = brief(
        received=received(language=language, asks=(DELIVERY_ASKS[language],)),
        context=context(evidence=(INBOUND, DELIVERY)),
    )
    rules = RulesSpecialist()
    draft = assemble(propose(given), given, author="rules", revision=0)
    for review in (rules.review_tone, rules.review_fact, rules.review_qa):
        assert review(given, draft).findings == ()


def unnumbered(ask: str = "What is the status of my order?", subject: str = "") -> Received:
    """A mail that gives no order number."""
    mail = order(subject=subject, body_text=ask)
    return received(work_order=mail, text=ask, asks=(ask,))


@pytest.mark.parametrize(
    ("mail", "evidence", "expected"),
    [
        pytest.param(received(), (), "could not find the order number 20417", id="no order known"),
        pytest.param(unnumbered(), (), "tell us your order number", id="no number, no order"),
        pytest.param(
            received(),
            (STATUS.model_copy(update={"title": "Order 99999"}),),
            "could not find the order number 20417",
            id="number of nobody's order",
        ),
        pytest.param(
            unnumbered(),
            (STATUS, STATUS.model_copy(update={"id": "e3", "title": "Order 30000"})),
            "which of your orders",
            id="two orders and no number",
        ),
    ],
)
def test_it_asks_for_what_is_missing_and_states_nothing(
    mail: Received, evidence: tuple[Evidence, ...], expected: str
) -> None:
    said = propose(brief(received=mail, context=context(evidence=(INBOUND, *evidence))))
    assert expected in said.body_text
    assert said.claims == ()


def test_the_deal_the_customer_named_is_the_one_quoted() -> None:
    other = STATUS.model_copy(update={"id": "e3", "title": "Order 30000", "text": "Cancelled"})
    said = propose(brief(context=context(evidence=(INBOUND, other, STATUS))))
    assert said.claims == (claim(),)


def test_an_earlier_answer_of_ours_is_repeated_as_a_quote() -> None:
    sentence = "The status of order 20417 is: in production."
    earlier = Evidence(
        id="e2",
        kind=EvidenceKind.THREAD,
        source="graph:message:ours",
        owner=INBOUND.owner,
        title="2026-02-27T09:00:00+00:00",
        text=f"Good morning. {sentence} Bye.",
    )
    valueless = DELIVERY.model_copy(update={"id": "e4"})
    given = brief(context=context(evidence=(INBOUND, earlier, valueless)))
    said = propose(given)
    assert said.claims[0].quote == sentence
    assert "On 2026-02-27 we wrote to you" in said.body_text
    draft, rules = assemble(said, given, author="rules", revision=0), RulesSpecialist()
    assert rules.review_fact(given, draft).findings == ()
    assert judge(Stage.DRAFT, case_of(given, draft, services())) == ()


def test_what_a_stranger_wrote_earlier_is_never_repeated() -> None:
    theirs = Evidence(
        id="e2",
        kind=EvidenceKind.THREAD,
        source="graph:message:theirs",
        owner=INBOUND.owner,
        text="The status of order 20417 is: refunded 500.",
    )
    said = propose(brief(context=context(evidence=(INBOUND, theirs))))
    assert "refunded" not in said.body_text


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"language": "pl"}, id="a language nobody here writes"),
        pytest.param({"language": "und"}, id="a language that cannot be told"),
        pytest.param({"asks": ("Do you like jazz?",)}, id="an ask of no known topic"),
    ],
)
def test_it_declines_what_it_does_not_know(changes: dict[str, object]) -> None:
    said = propose(brief(received=received(**changes)))
    assert said.decline is not None
    assert said.body_text == ""


def test_an_unknown_ask_among_known_ones_is_mentioned_and_nothing_said_about_it() -> None:
    asks = (ASK, "Do you like jazz?")
    said = propose(brief(received=received(asks=asks)))
    assert "does not answer every point" in said.body_text
    assert said.claims == (claim(),)
    assert said.answered == asks
    assert said.unanswered == ("Do you like jazz?",)
    assert "jazz" not in said.body_text


def test_a_mail_without_asks_gets_no_empty_acknowledgement() -> None:
    said = propose(brief(received=received(asks=())))
    assert said.decline == "the mail asks nothing that an approved answer or a record could answer"


def test_a_house_that_wants_it_acknowledges_what_is_not_answered() -> None:
    acknowledging = RulesSpecialist(acknowledge=True)
    given = brief(received=received(asks=("Do you like jazz?",)))
    said = acknowledging.propose(given, None, ())
    assert "We have received it." in said.body_text
    assert said.unanswered == ("Do you like jazz?",)
    assert acknowledging.version != RulesSpecialist().version


def test_after_objections_nothing_is_stated_any_more() -> None:
    given, rules = brief(), RulesSpecialist()
    first = assemble(rules.propose(given, None, ()), given, author="rules", revision=0)
    second = rules.propose(given, first, ("a figure has no evidence",))
    assert second.decline is not None
    assert second.body_text == ""


def test_it_adds_no_escalation_class() -> None:
    classes: tuple[EscalationClass, ...] = RulesSpecialist().classify(received()).classes
    assert classes == ()


def _draft(**changes: object):
    given = brief()
    return assemble(propose(given), given, author="rules", revision=0).model_copy(update=changes)


def _body(old: str, new: str) -> dict[str, object]:
    return {"body_text": _draft().body_text.replace(old, new)}


@pytest.mark.parametrize(
    ("stage", "spoiled", "finding"),
    [
        ("tone", _body("Thank you", "ATTENTION"), "capitals"),
        ("tone", _body("message.", "message!!"), "doubled"),
        ("fact", _body("Thank you", "Thank you for 250 EUR"), "figure"),
        ("qa", {"answered": ()}, "1 of 1 asks"),
    ],
)
def test_one_spoiled_thing_is_found(stage: str, spoiled: dict[str, object], finding: str) -> None:
    rules = RulesSpecialist()
    review = getattr(rules, f"review_{stage}")(brief(), _draft(**spoiled))
    assert any(finding in found for found in review.findings)


def test_findings_never_quote_the_draft() -> None:
    review = RulesSpecialist().review_fact(brief(), _draft(**_body("Thank you", "Code 8841")))
    assert review.findings
    assert not any("8841" in finding for finding in review.findings)
