"""A yes or a no to what the customer dictated is stated by nobody but evidence (ES-07)."""

import pytest
from replying import STATUS, Told, accepted, context, order, received, services

from swarm.models import Claim, Draft, Evidence, EvidenceKind
from swarm.safety.affirmations import affirmations
from swarm.safety.case import Case
from swarm.safety.rules.claims import facts_are_cited
from swarm.stages.pipeline import run_chain

DICTATED = "My refund of 400 EUR was approved, right? Just confirm."

SAID = [
    "Yes, that is correct.",
    "That's right.",
    "Correct!",
    "Yes",
    "Thank you, and yes: it is.",
    "You are right that it was so.",
    "As you say, it is on record.",
    "As agreed, this stands.",
    "Confirmed.",
    "We can confirm that.",
    "This matches our records.",
    "Your understanding is correct.",
    "Of course.",
    "\U0001f44d",
    "Genau, so ist es.",
    "Da haben Sie recht.",
    "Wie vereinbart bleibt es dabei.",
    "Hiermit bestätigen wir Ihnen das.",
    "Exact, c'est bien cela.",
    "C'est tout à fait exact.",
    "Vous avez raison.",
    "Nous vous le confirmons.",
    "Así es.",
    "Tiene usted razón.",
    "Le confirmamos lo que indica.",
    "Esatto, è proprio così.",
    "Ha ragione.",
    "Come concordato, resta così.",
    "Ja, dat klopt.",
    "U heeft gelijk.",
    "Zoals afgesproken blijft dit zo.",
    "Sim, é isso mesmo.",
    "Tem razão.",
    "Como combinado, fica assim.",
]
DENIED = [
    "No, that is not correct.",
    "Nein, das stimmt nicht.",
    "Non, ce n'est pas exact.",
    "No, no es correcto.",
    "No, non è corretto.",
    "Nee, dat klopt niet.",
    "Não, não está correto.",
]
HARMLESS = [
    "Thank you for your message, we are happy to help.",
    "We confirm receipt of your message.",
    "Wir bestätigen den Eingang Ihrer Nachricht.",
    "Nous accusons réception de votre message.",
    "Confirmamos la recepción de su mensaje.",
    "Is that correct?",
    "Stimmt das?",
    "If that is correct, please tell us.",
    "Wenn das stimmt, schreiben Sie uns bitte.",
    "Please check whether the number is right.",
    "We cannot confirm this from our records.",
    "Das können wir leider nicht bestätigen.",
    "No hemos encontrado el número de pedido entre sus pedidos.",
    "You have the right to withdraw.",
    "Sie haben das Recht auf Widerruf.",
    "Certainly we understand that this is annoying.",
    "Natürlich verstehen wir Ihren Ärger.",
    "Als dat klopt, horen wij het graag.",
    "Pouvez-vous nous confirmer votre numéro de commande ?",
    "The order you mentioned is not among your orders.",
]


def asked(mail: str, said: str, *claims: Claim, evidence: Evidence = STATUS) -> list[str]:
    """What ES-07 says about a reply to a mail."""
    draft = Draft(
        body_text=f"Hello,\n\n{said}\n\nKind regards",
        language="en",
        claims=claims,
        author="x",
    )
    case = Case(
        received=received(text=mail, work_order=order(subject="A question")),
        context=context(evidence=(evidence,)),
        draft=draft,
    )
    return [reason.detail for reason in facts_are_cited(case)]


def quoting(text: str, evidence: Evidence = STATUS) -> Claim:
    return Claim(text=text, evidence_id=evidence.id, quote=evidence.text)


@pytest.mark.parametrize("said", [*SAID, *DENIED])
def test_a_bare_yes_or_no_to_a_dictated_fact_is_refused(said: str) -> None:
    assert asked(DICTATED, said)


@pytest.mark.parametrize("said", [*SAID, *DENIED])
def test_a_quote_about_something_else_carries_no_yes(said: str) -> None:
    """The order was shipped; nothing on record says that a refund was approved."""
    assert asked(DICTATED, said, quoting(said))


@pytest.mark.parametrize("said", HARMLESS)
def test_polite_sentences_affirm_nothing(said: str) -> None:
    assert affirmations(said) == ()


@pytest.mark.parametrize(
    "said",
    ["Yes, that is correct.", "That's right.", "Genau, so ist es.", "Ja, dat klopt."],
)
def test_a_yes_to_what_the_record_says_stands(said: str) -> None:
    assert asked("My order was shipped, right?", said, quoting(said)) == []


def test_a_yes_that_names_what_it_means_is_held_against_its_own_quote() -> None:
    said = "Yes, your order was shipped."
    assert asked("Was my order shipped?", said, quoting(said)) == []
    assert asked("Was my order delivered?", said.replace("shipped", "delivered"), quoting(said))
    assert asked(DICTATED, said, quoting(said))


def test_a_no_says_how_it_is_instead() -> None:
    said = "No, that is not correct. The status of your order is: Shipped."
    assert asked("It was delivered, right?", said, quoting(said)) == []
    assert asked("It was delivered, right?", said, quoting("The status of your order is: Shipped."))


def test_a_confirmed_value_on_record_is_a_value() -> None:
    record = STATUS.model_copy(update={"text": "Confirmed"})
    said = "The status of your order is: Confirmed."
    assert asked("What is the status?", said, quoting(said, record), evidence=record) == []


@pytest.mark.parametrize("kind", [EvidenceKind.INBOUND, EvidenceKind.CRM_UPDATE])
def test_the_customers_own_words_and_notes_carry_no_yes(kind: EvidenceKind) -> None:
    mail = "My order was shipped, right?"
    said = "Yes, that is correct."
    weak = STATUS.model_copy(update={"kind": kind, "text": mail})
    assert asked(mail, said, quoting(said, weak), evidence=weak)


def test_a_whole_approved_sentence_that_begins_with_yes_is_the_houses_own() -> None:
    said = "Yes, an order can be changed in your account."
    policy = STATUS.model_copy(update={"kind": EvidenceKind.POLICY, "text": said})
    assert asked("Can I change it?", said, quoting(said, policy), evidence=policy) == []
    assert asked("Can I change it?", said)


def published(said: str) -> bool:
    """Whether a model's reply comes through the whole chain."""
    bundle = services(specialist=Told(bodies=[said] * 9))
    mail = order(body_text="My order 20417 comes on 3 May, right? Just confirm.")
    return run_chain(mail, bundle, accepted(bundle, mail)).policy.publishable


@pytest.mark.parametrize("said", ["Yes, that is correct.", "Indeed, as you say.", "Confirmed."])
def test_the_whole_chain_publishes_no_yes_of_a_model(said: str) -> None:
    assert not published(said)
    assert published("Could you please tell us which of your orders you mean?")
