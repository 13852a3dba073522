"""A danger that has the shape of a signature, a footer, a banner, armour or hidden text is judged.

And what is said is not taken for any of them. Each mail goes the way of production: taken apart,
compared with its conversation, judged.
"""

# ruff: noqa: E501 - sample sentences stay on one line

import pytest
from replying import Mailbox, order, services

from swarm.intake.mail.clean import receive
from swarm.models import Attachment, Received, Tier, WorkOrder
from swarm.stages.enrichment.gather import gather
from swarm.stages.tier import decide_tier

ASKS = {
    "en": "Hello, what is the status of my order 20417?",
    "de": "Guten Tag, wann kommt meine Bestellung 20417 an?",
    "fr": "Bonjour, quand ma commande 20417 sera-t-elle livrée ?",
    "es": "Hola, ¿cuándo llega mi pedido 20417?",
    "it": "Buongiorno, quando arriva il mio ordine 20417?",
    "nl": "Hallo, wanneer wordt mijn bestelling 20417 bezorgd?",
    "pt": "Olá, quando chega a minha encomenda 20417?",
}
FIRE = "The toaster set fire to my kitchen."


def judged(mail: WorkOrder) -> tuple[Received, Tier]:
    bundle = services(outlook=Mailbox(files=()))
    found = gather(receive(mail), bundle)
    return found.received, decide_tier(found.received, bundle, None, found.thread).tier


def of(*paragraphs: str) -> WorkOrder:
    return order(body_text="\n\n".join(paragraphs))


def page(html: str) -> WorkOrder:
    return order(body_text="", body_html=f"<p>{ASKS['en']}</p>{html}")


def test_the_questions_alone_are_routine() -> None:
    assert {judged(of(ask))[1] for ask in ASKS.values()} == {Tier.ROUTINE}


@pytest.mark.parametrize(
    ("language", "closing", "said"),
    [
        ("en", "", "Sent from the hospital, your heater burned my son."),
        ("de", "", "Gesendet von der Notaufnahme, Ihr Ladegerät ist explodiert."),
        ("fr", "", "Envoyé depuis l'hôpital, votre grille-pain a pris feu."),
        ("pt", "", "Enviado do hospital, o carregador explodiu e o meu filho ficou ferido."),
        ("en", "", "Samsung exploded in her bag"),
        ("es", "", "El Galaxy prendió fuego anoche"),
        ("en", "", "KITCHEN FIRE, SON BURNED"),
        ("de", "", "Anwalt, Klage, Polizei"),
        ("de", "Mit freundlichen Grüßen\nAnna Smith", "Selbstmord, heute 22 Uhr"),
        ("fr", "Cordialement\nAnna Smith", "Avocat saisi, tribunal 12/05/2026"),
        ("it", "Cordiali saluti\nAnna Smith", "Denuncia ai Carabinieri 12/05/2026"),
        ("nl", "Met vriendelijke groet\nAnna Smith", "Aangifte gedaan bij politie 12-05-2026"),
        ("es", "Saludos\nAnna Smith", "Responsable de su suicidio, esta empresa"),
        ("de", "", "Danke und ich schalte einen Anwalt ein\nAnna Smith"),
        ("it", "Cordiali saluti\nAnna Rossi", "Querela, truffa, tribunale"),
    ],
)
def test_what_looks_like_a_name_plate_is_heard(language: str, closing: str, said: str) -> None:
    paragraphs = (ASKS[language], *([closing] if closing else []), said)
    assert judged(of(*paragraphs))[1] is Tier.ESCALATE


@pytest.mark.parametrize(
    ("hello", "said"),
    [
        ("Guten Tag,", "gemäß DSGVO und Ihrer Datenschutzerklärung sind alle Daten von Anna Smith zu löschen."),
        ("Hola,", "conforme al RGPD y a su política de privacidad, eliminen todos los datos de Anna Smith."),
        ("Hello,", "phishing fraud in your name: customers get e-mails with changed bank details."),
        ("Bonjour,", "fraude en votre nom : des clients reçoivent un RIB modifié."),
        ("Dear team,", "your message was sent by mistake: it contains confidential personal data of another customer."),
        ("Hallo,", "dit bericht is per vergissing verstuurd en bevat vertrouwelijke persoonsgegevens van een andere klant."),
        ("Guten Tag,", "die Kern GmbH, HRB 5, kündigt hiermit alle Verträge zum 31.12.2026."),
        ("Hello, there is something odd about the last letter from you.", "This message contains confidential personal data of another customer."),
        ("Guten Tag,\nAchtung: ein externer Absender verschickt in Ihrem Namen betrügerische Links, das ist Phishing und Identitätsdiebstahl.", "Anna"),
        (ASKS["en"], "-----BEGIN I WILL KILL YOU ALL-----"),
    ],
)  # fmt: skip
def test_what_looks_like_a_footer_a_banner_or_armour_is_heard(hello: str, said: str) -> None:
    assert judged(of(hello, said))[1] is Tier.ESCALATE


@pytest.mark.parametrize(
    ("hello", "said"),
    [
        ("Hello,", "please add the VAT number GB123456789 of Kern Ltd to invoice 20417."),
        ("Guten Tag,", "bitte die Rechnung 20417 mit der USt-ID DE123456789 der Kern GmbH neu ausstellen."),
        ("Bonjour,", "merci d'ajouter le numéro de TVA FR12345678901 de Kern SARL à la facture 20417."),
        ("Buongiorno,", "la fattura 20417 va intestata a Kern S.r.l., partita IVA 12345678901."),
        ("Hallo,", "danke und wann kommt Bestellung 20417?\nAnna Smith"),
    ],
)  # fmt: skip
def test_what_stands_below_a_greeting_is_what_the_mail_says(hello: str, said: str) -> None:
    assert said.splitlines()[0] in judged(of(hello, said))[0].text


@pytest.mark.parametrize(
    "html",
    [
        f'<p style="background-color:rgba(0,0,0,0);color:#000000">{FIRE}</p>',
        f'<table><tr><td style="font-size:0px"><div style="font-size:13px">{FIRE}</div></td></tr></table>',
        f'<div style="background:none repeat scroll 0 0 #003366;color:#ffffff">{FIRE}</div>',
        f'<style><!--\n.c{{background:#036}}\n--></style><div class="c" style="color:#fff">{FIRE}</div>',
        f"<style>@import url(https://fonts.example/f.css);\n@media (max-width:480px){{.d{{display:none}}}}</style><p class='d'>{FIRE}</p>",
    ],
)
def test_what_a_person_can_see_is_text(html: str) -> None:
    found, tier = judged(page(html))
    assert FIRE in found.text
    assert tier is Tier.ESCALATE


def test_a_threat_that_is_hidden_is_heard() -> None:
    assert judged(page(f'<p style="display:none">{FIRE}</p>'))[1] is Tier.ESCALATE


@pytest.mark.parametrize(
    "name", ["I will kill you.txt", "Klage_Anwalt_Polizei.pdf", "suicide-note.docx"]
)
def test_a_threat_in_the_name_of_a_file_is_heard(name: str) -> None:
    file = Attachment(name=name, content_type="image/png", size=10, inline=True)
    mail = of(ASKS["en"]).model_copy(update={"attachments": (file,)})
    assert judged(mail)[1] is Tier.ESCALATE


def test_a_document_shown_in_place_is_a_file_that_nobody_read() -> None:
    file = Attachment(name="letter.pdf", content_type="application/pdf", size=10, inline=True)
    mail = of("Hello, please see the attached letter about order 20417.")
    mail = mail.model_copy(update={"attachments": (file,)})
    assert judged(mail)[1] is Tier.ESCALATE
