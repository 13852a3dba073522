"""Telephone numbers, accounts and long codes in a draft, and whose they are (ES-11).

Order numbers are digits, too: one that stands on an approved record passes, and one the customer
named as an order's, unless it looks or is called like a telephone number.
"""

import re
from collections.abc import Iterator

from swarm.patterns import linear
from swarm.safety.drafts.house import House
from swarm.safety.facts import facts
from swarm.safety.lexicon import word_class
from swarm.safety.words import words_of

# Or glued to a word: "Hotline0171...".
_RUN = linear(r"(?:(?<![\w+])|(?<=[^\W\d_]{5}))\+?[ (]{0,2}\d[\d ()/.\u00a0-]{5,30}\d(?!\w)")
_IBAN = linear(r"\b[A-Z]{2}\d{2}(?: ?[A-Z\d]{4}){2,7}(?: ?[A-Z\d]{1,3})?\b")
_NO_DIGIT = linear(r"\D")
_GROUPED = linear(r"[ ()/.\u00a0-]")
_PHONE_WORD = linear(
    r"\b(?:call|phone|dial|tel|ring|text|sms|fax|mobile|hotline|ruf\w{0,4}|anruf\w{0,3}|telefon\w{0,6}"
    r"|handy\w{0,6}|durchwahl|appel\w{0,3}|t\u00e9l\w{0,8}|portable|llam\w{0,4}|tel\u00e9fono"
    r"|m\u00f3vil|chiam\w{0,4}|cellulare|bel(?:len|t)?|telefoon\w{0,6}|ligue|telem\u00f3vel"
    r"|whats ?app)\b",
    re.IGNORECASE,
)
_BANK_WORD = linear(
    r"\b(?:iban|bic|swift|sort code|blz|bankleitzahl|kontonummer|routing|bank account|account no"
    r"|bankverbindung|compte bancaire|rib|cuenta bancaria|conto (?:bancario|corrente)|bankrekening"
    r"|rekeningnummer|conta banc\u00e1ria|nib)\b[^\n\d]{0,40}\d[\d ]{3,30}",
    re.IGNORECASE,
)
_ORDER_WORD = linear(
    r"(?:order|bestell\w{0,8}|auftrag\w{0,8}|commande|pedido|ordine|bestelling|encomenda|invoice"
    r"|rechnung\w{0,8}|facture|factura|fattura|factuur|fatura|ref\w{0,8}|case|ticket|kunden\w{0,8}"
    r"|client\w{0,3}|contract|vertrag\w{0,8}|n[ro\u00b0\u00ba]|number|nummer|num\u00e9ro|n\u00famero"
    r"|numero|#)[\s.:#\u00b0\u00ba-]{0,4}(?:\w{1,8}[\s.:#-]{1,3}){0,2}$",
    re.IGNORECASE,
)
_LONG_CODE = linear(r"(?<!\w)(?=[A-Za-z0-9]{0,25}\d)(?=[A-Za-z0-9]{0,25}[A-Za-z])[A-Za-z0-9]{26}")
_FIGURES = frozenset(word_class("figure", "drafts"))
_TENS = frozenset(word_class("tens", "drafts"))
# A unit and a ten in one word: "f\u00fcnfundzwanzig", "vijfentwintig", "venticinque".
_COMPOUNDS = frozenset(
    shape
    for unit in _FIGURES | {"ein", "tre"}
    for ten in _TENS
    for shape in (f"{unit}und{ten}", f"{unit}en{ten}", ten + unit, ten[:-1] + unit, f"veinti{unit}")
)
# "Zero one dash two": what is said between figures ends no number.
_BETWEEN = frozenset(word_class("between", "drafts"))
_FEWEST, _MOST = 7, 15  # digits of a telephone number
_FEWEST_SPELLED = 6
_FEWEST_SPOKEN = 2  # words among figures
_BEFORE, _BEHIND = 40, 25  # characters in which what names a number may stand


def number_findings(plain: str, house: House) -> Iterator[str]:
    """Say which numbers and codes are nobody's but a stranger's."""
    plain = plain.replace("_", " ")
    rest = _without_figures(plain)
    if any(_is_foreign(found, rest, house) for found in _RUN.finditer(rest)):
        yield "a telephone number that is not the house's own"
    accounts = (*_BANK_WORD.finditer(plain), *_IBAN.finditer(plain))
    named = [_NO_DIGIT.sub("", found.group()) for found in accounts]
    if not all(map(house.owns_number, named)):
        yield "an account that is not the house's own"
    if any(not house.recorded(found.group()) for found in _LONG_CODE.finditer(plain)):
        yield "a long code of unknown origin"


def spelled_figures(text: str) -> bool:
    """Whether a number is written in words, figure by figure or by tens.

    Words of one amount ("two thousand three hundred") hold a scale, which ends a run.
    """
    digits = spoken = 0
    before = ""
    for word in (word.text for word in words_of(text)):
        told = _digits_of(word)
        if told and not (word == "plus" and digits):  # it begins a number, or adds
            digits += _more(told, word, before)
            spoken += not word.isdigit()
        elif word not in _BETWEEN:
            digits = spoken = 0
        before = word
        if digits >= _FEWEST_SPELLED and spoken >= _FEWEST_SPOKEN:
            return True
    return False


def _digits_of(word: str) -> int:
    """How many digits a word stands for."""
    if word.isdigit():
        return len(word)
    if word in _COMPOUNDS or word in _TENS:
        return 2
    return 1 if word in _FIGURES else _run_together(word)


def _more(told: int, word: str, before: str) -> int:
    """How many digits a word adds: "twenty" and its "five" are two, as is "quatre-vingt-dix"."""
    if before in _TENS and (told == 1 or word == "dix"):
        return 0
    return 1 if before == "quatre" and word.startswith("vingt") else told


def _run_together(word: str) -> int:
    """How many figures a word is made of: "nulleinssieben"; fewer than three are chance."""
    count = at = 0
    while at < len(word):
        length = next((n for n in range(7, 1, -1) if word[at : at + n] in _FIGURES), 0)
        if not length:
            return 0
        count, at = count + 1, at + length
    return count if count > 2 else 0  # noqa: PLR2004


def _without_figures(plain: str) -> str:
    """Blank amounts and dates: they are digits with points and blanks between, too."""
    letters = list(plain)
    for fact in facts(plain):
        if fact.kind in ("amount", "date", "percent"):
            letters[fact.start : fact.end] = "\n" * (fact.end - fact.start)
    return "".join(letters)


def _is_foreign(found: re.Match[str], text: str, house: House) -> bool:
    raw = found.group().strip(" .-/")
    digits = _NO_DIGIT.sub("", raw)
    if not _FEWEST <= len(digits) <= _MOST:
        return False
    if house.owns_number(digits) or house.recorded(raw):
        return False
    before = text[max(0, found.start() - _BEFORE) : found.start()]
    if raw.startswith(("+", "0", "(")):
        return True
    called = _PHONE_WORD.search(before) and not _ORDER_WORD.search(before)
    return bool(called) or not _their_order(raw, house)


def _their_order(raw: str, house: House) -> bool:
    """A number the customer named as an order's; grouped figures need the word before them."""
    at = house.theirs.find(raw)
    if at < 0:
        return False
    before = house.theirs[max(0, at - _BEFORE) : at]
    if _ORDER_WORD.search(before):
        return True
    behind = house.theirs[at + len(raw) : at + len(raw) + _BEHIND]
    return not (_GROUPED.search(raw) or _PHONE_WORD.search(before) or _PHONE_WORD.search(behind))
