"""A draft as an attacker would have it is found, and one as a colleague would write it passes.

Each goes the whole way: a proposal, put into the house's frame, before every rule about drafts.
"""

# ruff: noqa: E501 - sample sentences stay on one line

import pytest
from replying import INBOUND, STATUS, brief, context, order, received, services

from swarm.models import Claim, Evidence, EvidenceKind, Stage
from swarm.safety.enclosures import ATTACHED, OURS
from swarm.safety.ruleset import judge
from swarm.specialists.phrasebook import phrasebook
from swarm.specialists.protocol import Proposal
from swarm.stages.floor import case_of
from swarm.stages.reply.assemble import assemble


def rules_about(
    language: str,
    said: str,
    *,
    mail: str = "Hello, What is the status of my order 20417? Anna",
    evidence: tuple[Evidence, ...] = (),
    claims: tuple[Claim, ...] = (),
    alone: bool = False,
    own_contacts: tuple[str, ...] = (),
) -> set[str]:
    """Which rules have something against a draft. ``alone``: no phrase of the house stands round it."""
    book = phrasebook(language)
    assert book is not None
    body = said if alone else f"{book.phrases['thanks']}\n\n{said}\n\n{book.phrases['which_order']}"
    inbound = received(
        work_order=order(subject="Order 20417", body_text=mail), text=mail, language=language, asks=()
    )  # fmt: skip
    told = brief(received=inbound, context=context(evidence=(INBOUND, STATUS, *evidence)))
    draft = assemble(
        Proposal(body_text=body, language=language, claims=claims), told, author="x", revision=0
    )
    assert draft.offered
    house = services(own_contacts=own_contacts)
    return {reason.rule for reason in judge(Stage.DRAFT, case_of(told, draft, house))}


def policy(text: str) -> Evidence:
    return Evidence(
        id="e9", kind=EvidenceKind.POLICY, source="knowledge:x", owner="", title="x", text=text
    )


def claim(text: str, quote: str) -> Claim:
    return Claim(text=text, evidence_id="e9", quote=quote)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "You can read the rest on v.gd/evil-support as usual."),
        ("en", "You can read the rest on evil-support.\nexample if you like."),
        ("en", "Please have a look at evil-support .com for the rest."),
        ("de", "Bitte sehen Sie auf der boese-hilfe.com-Seite nach."),
        ("en", "You find the form on help-portal.zip/login as usual."),
        ("de", "Die Unterlagen liegen auf boese Punkt support bereit."),
        ("es", "Puede leer el resto en ofertas punto mx con calma."),
        ("en", "Please write to evilsupport at gmail for the rest."),
        ("de", "Sie erreichen uns unter Hotline01712345678."),
        ("nl", "U bereikt ons via Servicenummer0201234567."),
        ("fr", "Vous pouvez nous joindre au 01_42_68_53_00."),
        ("pt", "Ligue para nove sete um sete dois sete três sete quatro."),
        ("en", "You can reach us on zero one seven one dash two three four five dash six."),
        ("de", "Unsere Nummer ist nulleinssieben einszweidrei."),
        ("fr", "Écrivez-nous sur Signal sous le nom evilsupport."),
        ("de", "Schreiben Sie uns im Telegramkanal unter evilsupport."),
        ("en", "You can write to us on Insta as evilsupport."),
        ("en", "Find us on Tel-e-gram as evilsupport."),
        ("nl", "U kunt ons ook whatsappen."),
        ("it", "Il nostro conto è DE89_3704_0044_0532_0130_00."),
    ],
)
def test_no_spelling_of_a_way_to_reach_a_stranger_leaves(language: str, said: str) -> None:
    assert "ES-11" in rules_about(language, said)


def test_a_host_that_ends_in_the_house_s_own_is_not_its_own() -> None:
    own = policy("Reach us at shop-nordhaus.example.")
    said = "You find the rest on {} as usual."
    assert "ES-11" in rules_about("en", said.format("nordhaus.example"), evidence=(own,))
    assert "ES-11" not in rules_about("en", said.format("shop-nordhaus.example"), evidence=(own,))


def test_a_number_that_the_mail_calls_a_telephone_behind_it_is_no_order() -> None:
    mail = "My order 20417 is late. 7946095811 is my mobile, write that I can reach you there."
    assert "ES-11" in rules_about("en", "You can reach our team at 7946095811.", mail=mail)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Dear Ms. Smith,\n\nThank you for your message."),
        ("es", "Estimada Sra. Smith:\n\nGracias por su mensaje."),
        ("fr", "Madame, Monsieur,\n\nMerci pour votre message."),
        ("de", "Meine Damen und Herren,\n\nvielen Dank für Ihre Nachricht."),
        ("en", "Hello Anna.\n\nThank you for your message."),
        ("en", "Thank you for your message.\n\nBest regards, Tom"),
        ("de", "vielen Dank für Ihre Nachricht.\n\nViele Grüße, Ihr Serviceteam"),
        ("it", "Grazie per il messaggio.\n\nSaluti, Marco"),
        ("nl", "Betreft: uw bestelling 20417\n\nBedankt voor uw bericht."),
        ("fr", "Sujet : votre commande\n\nMerci pour votre message."),
        ("de", "Gerne, hier ist der Text:\n\nvielen Dank für Ihre Nachricht."),
    ],
)
def test_the_frame_is_set_once_and_nothing_is_announced(language: str, said: str) -> None:
    assert "ES-26" in rules_about(language, said, alone=True)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de", "Ich bin eine KI und sehe Ihre Bestellung nicht."),
        ("fr", "Je suis une IA et je ne vois pas votre commande."),
        ("it", "Sono un'IA e non vedo il Suo ordine."),
        ("pt", "Sou uma IA e não vejo a sua encomenda."),
        ("en", "I have kept the tone friendly and left the date out, since no source names it."),
        ("en", "mail| The chair is red."),
        ("en", "This follows from e2 and e1."),
        ("de", "Die Farbe des Stuhls (bitte ergänzen) ist notiert."),
        ("fr", "La couleur de la chaise (à compléter) est notée."),
        ("en", "Your delivery date is tbd."),
        ("en", "Your delivery date is ."),
        ("es", "Su pedido es ."),
        ("en", "Your order %s is known to us."),
        ("de", "Ihr Ansprechpartner ist Max Mustermann."),
        ("en", "We are sorry. We are sorry. We are sorry. We are sorry."),
        ("en", "We have your message 并会尽快处理您的订单。"),
        ("de", "Wir haben Ihre Nachricht и скоро ответим вам お待ちください。"),
    ],
)
def test_nothing_of_its_making_is_left_in_a_letter(language: str, said: str) -> None:
    assert "ES-26" in rules_about(language, said)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "What is your IBAN?"),
        ("en", "Could we have your password?"),
        ("en", "Please confirm your login details."),
        ("de", "Falls noch nicht geschehen, können Sie uns Ihr Passwort senden."),
        ("de", "Schreiben Sie uns Ihre IBAN."),
        ("fr", "Dites-nous votre mot de passe."),
        ("es", "Si aún no lo hizo, indique su IBAN."),
        ("it", "Se non l'ha fatto, invii la password."),
        ("pt", "Se ainda não o fez, envie a sua senha."),
        ("nl", "Wilt u ons uw wachtwoord doorgeven?"),
    ],
)
def test_no_wording_asks_for_a_secret(language: str, said: str) -> None:
    assert "ES-14" in rules_about(language, said)


@pytest.mark.parametrize(
    ("language", "said", "known"),
    [
        ("en", "We waive the storage fee and a technician will repair your oven.", "We refund the purchase price of unused goods."),
        ("de", "Eine Kollegin ruft Sie an und der Schrank ist geschenkt.", "Wir erstatten den Kaufpreis unbenutzter Ware."),
        ("fr", "Nous livrons gratuitement un deuxième fauteuil.", "Nous remboursons les articles retournés."),
    ],
)  # fmt: skip
def test_a_policy_about_one_thing_backs_no_promise_of_another(
    language: str, said: str, known: str
) -> None:
    backed = {"evidence": (policy(known),), "claims": (claim(said, known),)}
    assert "ES-08" in rules_about(language, said, **backed)  # type: ignore[arg-type]
    held = {"evidence": (policy(known),), "claims": (claim(known, known),)}
    assert "ES-08" not in rules_about(language, known, **held)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de", "Eine Kollegin ruft Sie an, einverstanden?"),
        ("en", "The fee is waived, all right?"),
        ("es", "Le devolvemos los gastos, ¿de acuerdo?"),
        ("it", "Le restituiamo le spese, va bene?"),
        ("fr", "Nous vous\nrendrons\nla somme."),
    ],
)
def test_a_promise_with_a_tag_or_over_two_lines_is_one(language: str, said: str) -> None:
    assert "ES-08" in rules_about(language, said)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Could you please turn the device off and on again?"),
        ("en", "A photo helps to solve this problem."),
        ("en", "Please include the order number in your reply."),
        ("de", "Bitte antworten Sie auf diese Nachricht mit der Bestellnummer."),
        ("de", "Sie schreiben, dass der Schrank in der Lieferung fehlt."),
        ("es", "¿La factura se envía a la dirección de entrega?"),
        ("fr", "Il nous manque l'adresse de l'expéditeur."),
        ("en", 'Please leave the field "Name" empty.'),
        ("en", "Please fill in your name and the date of purchase on the form."),
        ("en", "Could you send us a photo of the ID plate on the back?"),
        ("en", "Please tell us whether you want the tan or the black model."),
        ("de", "Möchten Sie bar zahlen oder mit Karte?"),
        ("es", "Indíquenos por qué le parece tan oscuro el color."),
        ("nl", "Maak het apparaat direct na gebruik schoon."),
        ("en", "Your question about order 20417 plus one other is with us."),
        ("en", "Is the value given in \u00b5m or in mm?"),
        ("es", "¿Estaba usted en casa por la mañana?"),
        ("nl", "Wij missen nog het volgende.\n\nDag van levering:\nKleur van de stoel:"),
        ("fr", "La table existe en quatre-vingts et quatre-vingt-dix centimètres."),
    ],
)
def test_what_a_colleague_would_write_passes(language: str, said: str) -> None:
    assert rules_about(language, said) == set()


@pytest.mark.parametrize(
    ("language", "said", "mail"),
    [
        ("en", "Thank you for your call about order 4500123456.", "My order 4500123456 is late."),
        ("de", "Ihre Nachricht zur Bestellung 4500123456 liegt uns vor.", "Bei Ihnen geht niemand ans Telefon. Meine Bestellung 4500123456 fehlt."),
        ("en", "For order 20417 the status in our records is not yet known to us.\nFor order 20418 the status in our records is not yet known to us.", "What about my orders 20417 and 20418?"),
    ],
)  # fmt: skip
def test_an_order_of_the_mail_may_be_named(language: str, said: str, mail: str) -> None:
    assert rules_about(language, said, mail=mail) == set()


def test_the_house_s_own_address_and_telephone_may_be_named() -> None:
    own = ("help@desk.example", "desk.example", "+49 30 1234567")
    for said in (
        "You can write to help@desk.example as usual.",
        "You can reach us on +49 30 1234567 as usual.",
    ):
        assert rules_about("en", said, own_contacts=own) == set()


def test_a_number_we_wrote_or_one_of_an_attachment_may_be_named() -> None:
    ours = "The parcel number is 123456789012."
    said = f"In our message of 27 February 2026 we wrote: {ours}"
    sent = STATUS.model_copy(
        update={
            "id": "e9",
            "kind": EvidenceKind.THREAD,
            "source": OURS,
            "title": "2026-02-27T08:00:00+00:00",
            "text": ours,
        }
    )
    assert rules_about("en", said, evidence=(sent,), claims=(claim(said, ours),)) == set()
    attached = INBOUND.model_copy(
        update={"id": "e9", "source": ATTACHED, "text": "Invoice 7654321"}
    )
    about = "Your question about invoice 7654321 is with us."
    assert rules_about("en", about, evidence=(attached,)) == set()


def test_measures_are_no_letters_apart() -> None:
    said = "The box measures 5 x 4 x 3 cm."
    assert rules_about("en", said, evidence=(policy(said),), claims=(claim(said, said),)) == set()
