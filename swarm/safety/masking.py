"""Secrets in text: found by shape and check digits, masked before any model reads them (ES-14).

A number alone is a secret only when its own check digits say so, or when the words before it do;
otherwise order numbers would vanish from prompts. Masking loses nothing a reply may need: a reply
never repeats a secret.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from swarm.patterns import linear

_CONTEXT = 48  # characters before a number in which its name may stand


class Secret(NamedTuple):
    """A secret at ``start:end``; ``kind`` is e.g. ``card``, ``iban``, ``us_ssn``, ``password``."""

    start: int
    end: int
    kind: str


def find_secrets(text: str) -> tuple[Secret, ...]:
    """Find secrets in ``text``, in order, none overlapping another."""
    found: list[Secret] = []
    for secret in sorted(_candidates(text), key=lambda s: (s.start, -s.end)):
        if not found or secret.start >= found[-1].end:
            found.append(secret)
    return tuple(found)


def mask(text: str) -> tuple[str, Mapping[str, str]]:
    """Replace each secret by a placeholder like ``[[CARD-1]]``; return text and placeholder->kind.

    The same secret always gets the same placeholder, so that a reader can tell two from one.
    """
    placeholders: dict[str, str] = {}
    kinds: dict[str, str] = {}
    parts: list[str] = []
    last = 0
    for secret in find_secrets(text):
        raw = same_secret(text[secret.start : secret.end])
        name = placeholders.setdefault(raw, f"[[{secret.kind.upper()}-{len(placeholders) + 1}]]")
        kinds[name] = secret.kind
        parts += [text[last : secret.start], name]
        last = secret.end
    return "".join([*parts, text[last:]]), kinds


def accounts_in(text: str) -> tuple[str, ...]:
    """Return the cards and account numbers of a text, IBANs also with wrong check digits."""
    secrets = [text[s.start : s.end] for s in find_secrets(text) if s.kind in ("card", "iban")]
    shapes = [found["secret"] for found in _KNOWN_IBAN.finditer(text)]
    return tuple(dict.fromkeys(same_secret(raw) for raw in (*secrets, *shapes)))


def same_secret(raw: str) -> str:
    """Return a secret without spaces and punctuation, for comparison."""
    return _SEPARATORS.sub("", raw).upper()


_SEPARATORS = linear(r"[^0-9A-Za-z]")
PLACEHOLDER = linear(r"\[\[[A-Z_]{2,20}-\d{1,4}\]\]")


def _candidates(text: str) -> Iterator[Secret]:
    for kind, shape, valid in _SHAPES:
        for match in shape.finditer(text):
            start = match.start("secret")
            for end in _ends(kind, match):
                if valid(same_secret(text[start:end])):
                    yield Secret(start, end, kind)
                    break
    for kind, shape, name, valid in _NAMED_NUMBERS:
        for match in shape.finditer(text):
            before = text[max(0, match.start() - _CONTEXT) : match.start()]
            if valid(same_secret(match.group())) and name.search(before):
                yield Secret(match.start(), match.end(), kind)


def _ends(kind: str, match: re.Match[str]) -> Iterator[int]:
    """Where the secret may end. A card's expiry stands behind it as one more group of figures."""
    end, raw = match.end("secret"), match["secret"]
    yield end
    if kind == "card":
        start = match.start("secret")
        yield from (start + n for n in range(len(raw) - 1, 11, -1) if not raw[n].isdigit())


# --- check digits ---------------------------------------------------------------------------------


def _luhn(digits: str) -> bool:
    total = 0
    for i, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if i % 2 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - Luhn's digit sum
    return total % 10 == 0


# Leading digits of the card schemes and the lengths each issues.
_CARD_SCHEMES = (
    (linear(r"4"), {13, 16, 19}),
    (linear(r"5[1-5]|2[2-7]"), {16}),
    (linear(r"3[47]"), {15}),
    (linear(r"3[0689]"), {14, 16}),
    (linear(r"35"), {16}),
    (linear(r"50|5[6-9]|6"), {12, 13, 14, 15, 16, 17, 18, 19}),
)


def _card(raw: str) -> bool:
    known = any(scheme.match(raw) and len(raw) in sizes for scheme, sizes in _CARD_SCHEMES)
    return known and len(set(raw)) > 1 and _luhn(raw)


_IBAN_LENGTHS = {
    "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20,
    "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26,
    "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15,
    "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19, "SK": 24, "TR": 26, "AE": 23, "SA": 24,
}  # fmt: skip


def _iban(raw: str) -> bool:
    expected = _IBAN_LENGTHS.get(raw[:2])
    if expected is not None and len(raw) != expected:
        return False
    return int("".join(str(int(c, 36)) for c in raw[4:] + raw[:4])) % 97 == 1


def _us_ssn(raw: str) -> bool:
    area, group, serial = raw[:3], raw[3:5], raw[5:]
    return area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"


def _de_tax_id(raw: str) -> bool:
    """ISO 7064 mod 11,10, and exactly one digit repeated among the first ten."""
    if raw[0] == "0" or len(set(raw[:10])) not in {8, 9}:
        return False
    product = 10
    for digit in raw[:10]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(raw[10])


def _fr_insee(raw: str) -> bool:
    number = raw[:13].replace("2A", "19").replace("2B", "18")
    return number.isdigit() and 97 - int(number) % 97 == int(raw[13:])


def _es_dni(raw: str) -> bool:
    digits = raw[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23] == raw[-1]


def _nl_bsn(raw: str) -> bool:
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return sum(int(d) * w for d, w in zip(raw, weights, strict=True)) % 11 == 0


def _pt_nif(raw: str) -> bool:
    check = 11 - sum(int(d) * w for d, w in zip(raw[:8], range(9, 1, -1), strict=True)) % 11
    return (0 if check > 9 else check) == int(raw[8])  # noqa: PLR2004 - 10 and 11 become 0


def _always(_: str) -> bool:
    return True


# --- shapes ---------------------------------------------------------------------------------------

_SEP = r"[ \u00a0.\-]?"
# By country and length: without it the words after an account number would be read as part of it.
_KNOWN_IBAN = linear(
    r"\b(?P<secret>"
    + "|".join(
        rf"{country}\d{{2}}(?:[ \u00a0-]?[A-Z0-9]){{{length - 4}}}"
        for country, length in _IBAN_LENGTHS.items()
    )
    + r")(?![A-Z0-9])",
    re.IGNORECASE,
)
_SHAPES: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("card", linear(rf"(?<![\w.])(?P<secret>\d(?:{_SEP}\d){{11,18}})(?!\w)"), _card),
    ("iban", _KNOWN_IBAN, _iban),
    ("iban", linear(
        r"\b(?P<secret>[A-Z]{2}\d{2}(?:[ \u00a0-]?[A-Z0-9]){11,30})\b", re.IGNORECASE), _iban),
    ("us_ssn", linear(r"(?<![\w-])(?P<secret>\d{3}-\d{2}-\d{4})(?![\w-])"), _us_ssn),
    ("uk_nino", linear(
        r"\b(?P<secret>(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
        r"(?: ?\d{2}){3} ?[A-D])\b"), _always),
    ("fr_insee", linear(
        r"\b(?P<secret>[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2})\b"), _fr_insee),
    ("es_dni", linear(r"\b(?P<secret>[XYZ\d]-?\d{7}-?[A-Z])\b"), _es_dni),
    ("it_codice_fiscale", linear(
        r"\b(?P<secret>[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z])\b", re.IGNORECASE), _always),
    ("password", linear(
        r"\b(?:password|passwort|kennwort|passwd|pwd|passphrase|passcode|mot de passe|"
        r"contrase(?:ñ|n)a|wachtwoord|palavra[- ]passe|senha|pin|pin code|"
            r"cvv2?|cvc2?|cvn)\b"
        r"(?:[ \t]{0,3}(?:is|ist|lautet|est|es|è|code|:|=|\u00e9)){1,2}[ \t]{0,3}[\"'\u201c]?"
        r"(?P<secret>(?!\[\[)[^\s\"'<>]{3,64})", re.IGNORECASE), _always),
    ("api_key", linear(
        r"\b(?P<secret>(?:sk|pk|rk)[-_](?:live|test|proj|ant)?[-_]?[A-Za-z0-9_-]{16,200}|"
        r"(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{30,80}|github_pat_\w{30,100}|"
        r"xox[abprs]-[A-Za-z0-9-]{10,100}|AIza[\w-]{35}|glpat-[\w-]{20,40}|"
        r"eyJ[\w-]{10,2000}\.eyJ[\w-]{10,2000}\.[\w-]{10,1000})"), _always),
    ("api_key", linear(
        r"\b(?:api[ _-]?key|secret[ _-]?key|access[ _-]?token|client[ _-]?secret|bearer)\b"
        r"[ \t]{0,3}(?:is|ist|:|=)?[ \t]{0,3}[\"']?(?P<secret>[A-Za-z0-9_\-./+=]{16,200})",
        re.IGNORECASE), _always),
    ("private_key", linear(
        r"(?P<secret>-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[A-Za-z0-9+/=\s]{0,8000}"
        r"(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?)"), _always),
)  # fmt: skip

_NINE = linear(r"(?<![\w-])\d{3}[ .-]?\d{3}[ .-]?\d{3}(?![\w-])")
_ELEVEN = linear(r"(?<![\w-])\d{2}[ .]?\d{3}[ .]?\d{3}[ .]?\d{3}(?![\w-])")
_NAMED_NUMBERS = (
    ("us_ssn", linear(r"(?<![\w-])\d{3}[ -]?\d{2}[ -]?\d{4}(?![\w-])"),
     linear(r"\bssn\b|social security", re.IGNORECASE), _us_ssn),
    ("de_tax_id", _ELEVEN,
     linear(r"steuer|tax id|idnr|\btin\b", re.IGNORECASE), _de_tax_id),
    ("nl_bsn", _NINE, linear(r"\bbsn\b|burgerservice|sofi", re.IGNORECASE), _nl_bsn),
    ("pt_nif", _NINE, linear(r"\bnif\b|contribuinte|fiscal", re.IGNORECASE), _pt_nif),
    ("passport", linear(r"\b[A-Z0-9]{8,9}\b"),
     linear(r"passport|reisepass|passeport|pasaporte|passaporto|paspoort|passaporte|"
                r"ausweis", re.IGNORECASE), lambda raw: any(c.isdigit() for c in raw)),
)  # fmt: skip
