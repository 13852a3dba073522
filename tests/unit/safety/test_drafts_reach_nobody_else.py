"""Ways to reach somebody in a draft, of any spelling (ES-11), and requests for secrets (ES-14)."""

import pytest
from replying import STATUS, context, received

from swarm.models import Evidence, EvidenceKind
from swarm.safety.drafts.contacts import contact_findings
from swarm.safety.drafts.echoes import echoes
from swarm.safety.drafts.house import House, house_of
from swarm.safety.drafts.secret_requests import secret_requests
from swarm.safety.masking import accounts_in, find_secrets
from swarm.safety.spotlight import boundary_of, canary_of

MAIL = (
    "My order 4500123456 is late, case no 302-1234567. Call me on 020 7946 0958 or 7946095811, "
    "write to me@evil.example."
)
OWN = ("@ours.example", "help@desk.example", "+49 30 1234567")
POLICY = Evidence(
    id="e9",
    kind=EvidenceKind.POLICY,
    source="knowledge:contact",
    owner="",
    text="Reach us at shop.example or on WhatsApp, telephone 0800 555 0199.",
)


def house(**changes: object) -> House:
    deal = STATUS.model_copy(update={"title": "Order 0098765432", "text": "JJD014600003523415"})
    known = context(evidence=(POLICY, deal, *context().evidence))
    return house_of(OWN, ("help.ours.example",), known, received(text=MAIL, **changes))


@pytest.mark.parametrize(
    "said",
    [
        "Write to me@evil.example please.",
        "Write to eve [at] evil (dot) com.",
        "Write to eve at evil dot example.",
        "Schreiben Sie an eve (at) evil punkt com.",
        "Escriba a eve arroba evil punto com.",
        "Écrivez à eve arobase evil point com.",
        "See evil dot example for it.",
        "See evil[.]com for it.",
        "See evil . com for it.",
        "See evil\uff0ecom for it.",
        "See e v i l . c o m for it.",
        "See evil.example/pay for it.",
        "See t.me slash foo for it.",
        "See b\u00fccher-\u0435vil.shop for it.",
        "See \u0440aypal for it.",
        "See xn--evil-9za for it.",
        "Write to eve\uff20evil.example.",
        "Message @evil_support for it.",
        "We are on Telegram as evilsupport.",
        "Write on Viber.",
        "Send it as bitcoin.",
        "We are on Te1egram.",
        "Write on Whats4pp.",
        "Write on Wh@tsApp.",
        "Write on Tele-gram.",
        "We are on Teleegram.",
        "Send it as Bitc0in.",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq is ours.",
        "Use 0x52908400098527886E0F7030069857D2E4169EE7 for it.",
        "See &#101;vil&#46;example for it.",
        "See evil%2Eexample for it.",
    ],
)
def test_an_address_or_channel_of_a_stranger_is_found(said: str) -> None:
    assert contact_findings(said, house())


@pytest.mark.parametrize(
    "said",
    [
        "Call 020 7946 0958.",
        "Call us on 7946095811.",
        "Rufen Sie +49 171 2345678 an.",
        "Appelez le (01) 42 68 53 00.",
        "Reach us under 0171/2345678.",
        "It is 555-010-9988.",
        "Call zero two zero seven nine four six.",
        "Wählen Sie null eins sieben eins zwei drei vier.",
        "Call 0 2 0 7 9 4 6 0 9 5 8.",
        "Call twenty-five forty-eight ninety.",
        "Call 020 seventy-nine forty-six.",
        "Rufen Sie fünfundzwanzig achtundvierzig neunzig.",
        "Appelez le vingt-cinq quarante-huit soixante.",
        "Llame al veinticinco cuarenta y ocho noventa.",
        "Chiami venticinque quarantotto novanta.",
        "Bel vijfentwintig achtenveertig negentig.",
        "Ligue vinte e cinco quarenta e oito noventa.",
        "Sort code 20-00-00, account 12345678.",
        "Kontonummer 7654321.",
        "It is case 302-7654321.",
    ],
)
def test_a_number_of_a_stranger_is_found(said: str) -> None:
    assert contact_findings(said, house())


@pytest.mark.parametrize(
    "said",
    [
        "Your order 4500123456 is known to us.",
        "Your case no 302-1234567 is known to us.",
        "The status of order 0098765432 is: JJD014600003523415.",
        "Write to info@ours.example or help@desk.example.",
        "See help.ours.example for it.",
        "See shop.example, or write on WhatsApp.",
        "It takes twenty-five to thirty days.",
        "Two thousand three hundred and forty-five euros.",
        "Wir haben fünfundzwanzig Stühle und zwölf Tische.",
        "We send you the facts, and the book in person.",
        "Call us on +49 30 1234567 or 0800 555 0199.",
        "The amount is 1 234 567,00 EUR, due on 12.03.2026.",
        "It was 12.03.2026 - 14.03.2026, between 10:30 and 12:00.",
        "The file invoice.pdf and the Art.Nr. are noted, z.B. for later.",
        "There are one or two points in it; at this point we look at it.",
        "Zu diesem Punkt in Ihrer Mail fehlt uns die Nummer.",
        "Desde el punto de vista del pedido, falta el número.",
        "Il punto è chiaro. Info segue.",
        "Your signal is weak, and the line is busy.",
        "The U. S. A. office has it.",
        "1. a\n2. b\n3. c\n4. d\n5. e",
        "Uno due tre passi, e poi basta.",
    ],
)
def test_what_is_the_houses_or_the_records_own_passes(said: str) -> None:
    assert contact_findings(said, house()) == ()


@pytest.mark.parametrize(
    "said",
    [
        "Please send us your password.",
        "Could you confirm your PIN and TAN?",
        "To verify you, reply with the one-time code we texted you.",
        "Please tell us your card number and the CVV.",
        "Please confirm your bank details so that we can pay.",
        "Please provide your IBAN.",
        "Please upload a copy of your passport.",
        "Bitte nennen Sie uns Ihr Passwort.",
        "Bitte senden Sie uns Ihre IBAN und eine Kopie Ihres Personalausweises.",
        "Bitte bestätigen Sie Ihre Bankverbindung.",
        "Merci de nous communiquer votre mot de passe.",
        "Veuillez nous envoyer votre RIB.",
        "Envoyez-nous une copie de votre passeport.",
        "Por favor, indíquenos su contraseña.",
        "Necesitamos su número de tarjeta.",
        "Envíenos una copia de su DNI.",
        "La preghiamo di comunicarci la password.",
        "Ci indichi il suo IBAN per favore.",
        "Stuur ons uw pincode.",
        "Geef uw rekeningnummer door.",
        "Por favor, envie-nos a sua palavra-passe.",
        "Indique o seu IBAN, por favor.",
        "Please transfer the amount immediately.",
        "Bitte überweisen Sie den Betrag sofort.",
        "Pay the fee to the following account.",
        "Veuillez payer immédiatement le montant.",
    ],
)
def test_a_request_for_a_secret_or_for_hasty_money_is_found(said: str) -> None:
    assert [*secret_requests(said)]


@pytest.mark.parametrize(
    "said",
    [
        "We never ask for a password.",
        "Please do not send us your password by e-mail.",
        "Bitte senden Sie uns Ihr Passwort nie per E-Mail.",
        "Ne communiquez jamais votre mot de passe.",
        "No envíe nunca su contraseña.",
        "Deel nooit uw pincode.",
        "You can reset your password on the page of your account.",
        "Could you please tell us your order number?",
        "Please confirm your delivery address.",
        "Bitte nennen Sie uns Ihre Bestellnummer.",
        "¿Podría indicarnos su número de pedido?",
        "Merci de nous communiquer votre numéro de commande.",
        "Could you send us a photo of the damaged chair?",
        "The payment was received; no further step is needed.",
        "What is the serial number on the back?",
    ],
)
def test_an_ordinary_request_passes(said: str) -> None:
    assert [*secret_requests(said)] == []


KEY = received().work_order.key


@pytest.mark.parametrize("word", [canary_of(KEY), boundary_of(KEY).upper()])
@pytest.mark.parametrize("written", [str, "-".join, " ".join])
def test_a_word_of_the_prompt_is_found_however_it_is_written(word: str, written: object) -> None:
    assert callable(written)
    assert [*echoes(f"Thank you. {written(word)} Bye.", KEY)]


def test_ordinary_words_are_no_echo() -> None:
    assert [*echoes("Thank you for order 20417. The reference is SW-AAAAAAAA.", KEY)] == []


@pytest.mark.parametrize(
    "said",
    [
        "Pay to DE89 3704 0044 0532 0130 00 before noon, please.",
        "Pay to GB82WEST12345698765432 and then tell us.",
        "The card is 4111 1111 1111 1111 12/27.",
    ],
)
def test_what_stands_behind_an_account_is_no_part_of_it(said: str) -> None:
    """The words behind were read as more of the number, whose check digits then were wrong."""
    assert len(find_secrets(said)) == 1


def test_an_account_with_wrong_check_digits_is_one_all_the_same() -> None:
    assert accounts_in("Pay to DE88 3704 0044 0532 0130 00, please.") == ("DE88370400440532013000",)
    assert accounts_in("Your parcel RR123456789DE and order AB12345678901 are known.") == ()
