"""A fact without a figure is a fact, a spelled address an address, a blank of any shape a blank."""

import pytest
from replying import ASK, INBOUND

from swarm.models import Claim
from swarm.safety.drafts.chatter import chatter
from swarm.safety.drafts.contacts import contact_findings
from swarm.safety.drafts.house import House
from swarm.safety.drafts.secret_requests import secret_requests
from swarm.safety.drafts.unfinished import unfinished
from swarm.safety.facts import facts, supported
from swarm.safety.rules.carriers import uncarried

HOUSE = House(("service@ours.example",), "", "", "")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Your order arrives tomorrow.", "date"),
        ("Ihre Bestellung kommt am Freitag an.", "date"),
        ("Sie kommt morgen an.", "date"),
        ("Votre commande arrive vendredi.", "date"),
        ("Su pedido llega el viernes.", "date"),
        ("Il suo ordine arriva domani.", "date"),
        ("A sua encomenda chega amanh\u00e3.", "date"),
        ("We send it in three working days.", "date"),
        ("De termijn is over twee weken voorbij.", "date"),
        ("The amount is two hundred and fifty euros.", "amount"),
        ("El importe es de cien euros.", "amount"),
        ("Das sind zweihundertf\u00fcnfzig Euro.", "amount"),
        ("It is fifty percent.", "percent"),
    ],
)
def test_a_value_in_words_needs_a_source_that_says_it(text: str, kind: str) -> None:
    (fact,) = facts(text)
    assert fact.kind == kind
    assert supported(fact, f"so: {text}")
    assert not supported(fact, "We will see.")


@pytest.mark.parametrize(
    "text",
    [
        "Guten Morgen, vielen Dank f\u00fcr Ihre Nachricht.",
        "Goedemorgen, dank voor uw bericht.",
        "Which of the two orders do you mean?",
        "In which currency, euros or dollars?",
        "Ein Kollege sieht sich das an.",
        "Un moment, s'il vous pla\u00eet.",
        "In one of your mails you ask for the euro price.",
    ],
)
def test_small_words_are_no_facts(text: str) -> None:
    assert not facts(text)


@pytest.mark.parametrize("said", ["It arrives in 3 days", "It is 50 quid", "It arrives on Friday"])
def test_the_customers_word_carries_neither_how_many_nor_when(said: str) -> None:
    theirs = INBOUND.model_copy(update={"text": f"{said}, please confirm. {ASK}"})
    assert list(uncarried(Claim(text=said, evidence_id="e1", quote=said), theirs))


def test_the_customers_word_still_names_an_order() -> None:
    claim = Claim(text="You ask about order 20417.", evidence_id="e1", quote="my order 20417")
    assert not list(uncarried(claim, INBOUND))


@pytest.mark.parametrize(
    "text",
    [
        "Scriva a eva chiocciola male punto it per il resto.",
        "Schreiben Sie an eva Klammeraffe boese Punkt de bitte.",
        "\u00c9crivez \u00e0 eva arobase mal point fr merci.",
        "Escriba a eva arroba malo punto es.",
        "Please look at bit ly slash evil for the rest.",
        "Schrijf naar eva apenstaartje kwaad punt nl graag.",
        "Call " + "\ufe0f\u20e3".join("079460958") + "\ufe0f\u20e3",
    ],
)
def test_an_address_spelled_in_any_language_is_found(text: str) -> None:
    assert contact_findings(text, HOUSE)


@pytest.mark.parametrize(
    "text",
    [
        "Puede recogerlo en un punto de venta.",
        "Vous le trouverez dans un point de vente.",
        "Der Punkt der Lieferung ist offen.",
        "Il punto e la virgola.",
        "Este es un punto es decir un detalle.",
    ],
)
def test_a_point_in_a_sentence_is_no_address(text: str) -> None:
    assert not contact_findings(text, HOUSE)


@pytest.mark.parametrize(
    "text",
    [
        "Your order arrives on DD/MM/YYYY.",
        "Ihre Bestellung kommt am TT.MM.JJJJ an.",
        "Votre commande arrive le jj/mm/aaaa.",
        "Thank you, \u3010\u59d3\u540d\u3011.",
        "Thank you, ##NAME##.",
        "Your number is: ...",
    ],
)
def test_a_blank_of_any_shape_is_found(text: str) -> None:
    assert list(unfinished(text))


def test_an_address_of_a_file_and_a_date_are_no_blanks() -> None:
    assert not list(unfinished("It was sent on 12/03/2026. One thing more ... thank you #20417#."))


@pytest.mark.parametrize(
    "text",
    [
        "Sure! Here is the reply:\n\nThank you.",
        "Hier die Antwort an den Kunden:\n\nVielen Dank.",
        "Voici la r\u00e9ponse :\n\nMerci.",
        "I am a virtual assistant and cannot look this up.",
    ],
)
def test_a_model_that_announces_its_reply_is_heard(text: str) -> None:
    assert list(chatter(text))


def test_a_list_that_is_announced_is_no_chatter() -> None:
    assert not list(chatter("We need the following to go on:\n\n- the number of your order"))


@pytest.mark.parametrize(
    "text",
    [
        "Kindly let us know the three digits on the back of your card.",
        "Just read us the six figures that arrived by text message.",
        "Nennen Sie uns die sechs Ziffern aus der SMS.",
        "Bitte nennen Sie uns den Geburtsnamen: Geburtsname Ihrer Mutter.",
        "Pouvez-vous nous lire le code re\u00e7u ?",
        "Noemt u ons de drie cijfers op uw kaart.",
    ],
)
def test_a_secret_that_is_described_is_asked_for_all_the_same(text: str) -> None:
    assert list(secret_requests(text))
