"""Whom to answer is doubted; what is leant on and missing escalates; who stays in copy."""

import pytest
from replying import MAILBOX, NOW, order

from swarm.models import Address, Attachment, AttachmentText, Lookup, Thread
from swarm.ourselves import Ourselves
from swarm.safety.copies import asks_to_keep_copies
from swarm.safety.enclosures import leans_on_attachment, unread_enclosures, unread_files
from swarm.safety.envelope import envelope_reasons

US = Ourselves(mailbox=MAILBOX)  # service@ours.example
FORM = "Name: Ada Kern\nE-Mail: ada@kunde.example\nMessage:\nWhen will it come?"


def doubts(sender: str, *reply_to: str, text: str = "When?", name: str = "") -> str:
    mail = order(
        sender=Address(address=sender, name=name),
        reply_to=tuple(Address(address=each) for each in reply_to),
    )
    target = mail.reply_to[0] if reply_to else mail.sender
    return "; ".join(reason.detail for reason in envelope_reasons(mail, target, text, US))


@pytest.mark.parametrize(
    ("sender", "reply_to", "text", "why"),
    [
        ("noreply@ours.example", (), FORM, "nobody reads"),
        ("no-reply@shop.example", (), "When?", "nobody reads"),
        ("web@ours.example", (), FORM, "a form wrote it"),
        ("leads@forms.example", (), FORM, "a form wrote it"),
        ("ada@kunde.example", ("noreply@kunde.example",), "When?", "nobody reads"),
        ("ada@kunde.example", ("ada@evil.example",), "When?", "another domain"),
        ("ada@gmail.com", ("mallory@gmail.com",), "When?", "another domain"),
        ("ada@a.onmicrosoft.com", ("eve@b.onmicrosoft.com",), "When?", "another domain"),
        ("ada@kunde.example", ("ada@kunde.example", "x@evil.example"), "When?", "another domain"),
        ("ada@kunde.example", (MAILBOX,), "When?", "to ourselves"),
    ],
)
def test_whom_to_answer_is_doubtful(
    sender: str, reply_to: tuple[str, ...], text: str, why: str
) -> None:
    assert why in doubts(sender, *reply_to, text=text)


@pytest.mark.parametrize(
    ("sender", "reply_to", "text"),
    [
        ("ada@kunde.example", (), "When?"),
        ("ada@kunde.example", ("ada@kunde.example",), "When?"),
        ("ada@mail.kunde.example", ("team@kunde.example",), "When?"),
        (MAILBOX, ("ada@kunde.example",), FORM),
        ("noreply@ours.example", ("ada@kunde.example",), FORM),
        ("ada@kunde.example", (), FORM),
        ("ada@kunde.example", (), "When?\n\nAda Kern\nTel: 030 1\nE-Mail: info@kunde.example"),
    ],
)
def test_an_ordinary_envelope_and_our_own_form_are_not_doubted(
    sender: str, reply_to: tuple[str, ...], text: str
) -> None:
    assert doubts(sender, *reply_to, text=text) == ""


def test_a_name_that_is_somebody_elses_address_is_doubted() -> None:
    assert "somebody else" in doubts("a@evil.example", name="boss@victim.example,")
    assert doubts("ada@kunde.example", name="ada@kunde.example") == ""


LEANING = (
    "The number is on the attached confirmation.",
    "Please see attachment.",
    "I have attached a photo of the damage.",
    "Find enclosed my receipt.",
    "Die Nummer steht im Anhang.",
    "Anbei die Rechnung.",
    "Das Foto finden Sie in der Anlage.",
    "Vous trouverez la facture en pièce jointe.",
    "Le numéro est sur le document ci-joint.",
    "Adjunto la factura.",
    "El número está en el archivo adjunto.",
    "In allegato trovate la ricevuta.",
    "Allego la foto.",
    "Zie bijlage.",
    "De factuur is bijgevoegd.",
    "Segue em anexo a fatura.",
    "O número está no documento anexo.",
)
PLAIN = (
    "When will my order be delivered?",
    "There was no attachment in your mail.",
    "I have become very attached to this lamp.",
    "The handle is attached to the door with two screws.",
    "Die Klimaanlage ist defekt, wann kommt die Lieferung?",
    "Wann kommt mein Anhänger?",
    "Quand arrivera ma commande ?",
    "Nous avons rejoint le magasin hier.",
    "¿Cuándo llega mi pedido?",
    "Quando arriva il mio ordine?",
    "Wanneer komt mijn bestelling?",
    "Quando chega a minha encomenda?",
)


@pytest.mark.parametrize("text", LEANING)
def test_a_mail_that_leans_on_its_attachment_is_told(text: str) -> None:
    assert leans_on_attachment(text)


@pytest.mark.parametrize("text", PLAIN)
def test_a_mail_that_does_not_is_not(text: str) -> None:
    assert not leans_on_attachment(text)


FILE = Attachment(name="a.pdf", content_type="application/pdf", size=7)
SEAL = Attachment(name="smime.p7s", content_type="application/pkcs7-signature", size=7)
SHOT = Attachment(name="shot.png", content_type="image/png", size=7, inline=True)


def thread(*problems: str) -> Thread:
    files = tuple(
        AttachmentText(name="a.pdf", content_type="application/pdf", size=7, problem=each)
        for each in problems
    )
    return Thread(lookup=Lookup.HIT, attachments=files, taken_at=NOW)


@pytest.mark.parametrize(
    ("files", "found", "why"),
    [
        ((FILE,), thread("it is too large"), "1 of it could not be read"),
        ((FILE,), None, "1 of it could not be read"),
        ((FILE, FILE), thread(""), "1 of it could not be read"),
        ((), thread(), "there is none"),
        ((SEAL,), thread(), "there is none"),
        ((SHOT,), thread(), "a picture"),
        ((FILE,), thread(""), ""),
    ],
)
def test_a_mail_that_leans_on_what_nobody_read_escalates(
    files: tuple[Attachment, ...], found: Thread | None, why: str
) -> None:
    reasons = unread_enclosures(
        order(attachments=files), found, "The number is on the attached file."
    )
    assert bool(reasons) is bool(why)
    assert all(why in reason.detail for reason in reasons)


def test_files_that_nobody_read_are_counted() -> None:
    assert unread_files(order(attachments=(FILE, SEAL, SHOT)), None) == 1
    assert unread_files(order(attachments=(FILE,)), thread("")) == 0


COPIED = {"boss@kunde.example", "bob@kunde.example"}


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Please keep my boss in copy.", True),
        ("Please keep everybody in cc.", True),
        ("Please reply all.", True),
        ("Could you cc Bob and keep him in the loop?", True),
        ("Please keep bob@kunde.example in cc.", True),
        ("Bitte lassen Sie meinen Chef in Kopie.", True),
        ("Bitte an alle antworten.", True),
        ("Merci de laisser mon collègue en copie.", True),
        ("Por favor, mantengan a Bob en copia.", True),
        ("Vi prego di tenere Bob in copia.", True),
        ("Houd Bob in cc graag.", True),
        ("Por favor mantenha o Bob em cópia.", True),
        ("Please do not cc my boss.", False),
        ("Please send me a copy of the invoice.", False),
        ("When will it come?", False),
        ("Please keep eve@evil.example informed of the delivery date.", False),
        ("Please keep bob@kunde.example and eve@evil.example in cc.", False),
    ],
)
def test_a_wish_to_keep_the_copies_is_told(text: str, asks: bool) -> None:
    assert asks_to_keep_copies(text, COPIED) is asks
