"""Secrets are masked by their check digits; identifiers are compared without their punctuation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm.safety.identifiers import foreign_identifiers, identifiers
from swarm.safety.masking import find_secrets, mask

SECRETS = {
    "4111 1111 1111 1111": "card",
    "5500-0000-0000-0004": "card",
    "378282246310005": "card",
    "DE89 3704 0044 0532 0130 00": "iban",
    "gb82west12345698765432": "iban",
    "FR14 2004 1010 0505 0001 3M02 606": "iban",
    "078-05-1120": "us_ssn",
    "my SSN is 078051120": "us_ssn",
    "AB 12 34 56 C": "uk_nino",
    "Steuer-ID 86 095 742 719": "de_tax_id",
    "1 84 12 76 451 089 46": "fr_insee",
    "12345678Z": "es_dni",
    "RSSMRA85T10A562S": "it_codice_fiscale",
    "BSN 111222333": "nl_bsn",
    "NIF 123456789": "pt_nif",
    "my password is hunter22": "password",
    "Das Passwort lautet: hunter22": "password",
    "PIN: 4711": "password",
    "AKIAIOSFODNN7EXAMPLE": "api_key",
    "ghp_" + "a1B2" * 9: "api_key",
    "api_key = 0123456789abcdef0123": "api_key",
}
HARMLESS = (
    "Order 4111 1111 1111 1112",
    "Order number 123456789012",
    "DE89 3704 0044 0532 0130 01",
    "Call +49 30 1234567 on 12 March 2026",
    "I forgot my password, please help",
    "000-12-3456",
    "12345678A",
    "The part number is 86 095 742 719",
    "PO-20417 and INV-2026-0001",
)


@pytest.mark.parametrize(("text", "kind"), SECRETS.items())
def test_a_secret_is_found_and_masked(text: str, kind: str) -> None:
    masked, kinds = mask(f"Hello, {text}. Thanks")
    assert set(kinds.values()) == {kind}
    (placeholder,) = kinds
    assert placeholder in masked
    assert find_secrets(masked) == ()


@pytest.mark.parametrize("text", HARMLESS)
def test_a_number_without_its_check_digits_stays(text: str) -> None:
    assert mask(text) == (text, {})


def test_the_same_secret_gets_the_same_placeholder() -> None:
    masked, kinds = mask("4111 1111 1111 1111 and 4111111111111111 and 5500000000000004")
    assert masked == "[[CARD-1]] and [[CARD-1]] and [[CARD-2]]"
    assert len(kinds) == 2


@given(st.text(max_size=300))
def test_masking_never_breaks_and_keeps_what_is_no_secret(text: str) -> None:
    masked, kinds = mask(text)
    assert (masked == text) == (not kinds)


def test_identifiers_are_addresses_and_numbers_of_five_digits() -> None:
    text = (
        "Ask eva@example.net or +49 30 1234567 about order PO-20417 of 12 March 2026, 2026-03-12."
    )
    assert set(identifiers(text)) == {"eva@examplenet", "49301234567", "po20417"}


def test_an_identifier_of_the_customers_own_material_is_not_foreign() -> None:
    assert foreign_identifiers("Order PO-20417", ["my order po 20417"]) == ()
    assert foreign_identifiers("Order PO-20418", ["my order po 20417"]) == ("po20418",)
