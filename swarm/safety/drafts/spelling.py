"""Addresses as people hide them: "evil dot example", "evil [at] example", full-width signs, letters
apart, letters of other scripts. Read here as what a reader would type."""

import re
import unicodedata

from swarm.patterns import linear
from swarm.safety.links import plain_forms

_SIGNS = str.maketrans(
    "\u3002\uff61\u2024\u2027\u00b7\u2215\u2044", "....." + "//", "\u20e3\ufe0e\ufe0f"
)  # the last are the caps of keys and what chooses a picture
_AT_WORDS = r"at|arroba|arobase|chiocciola|apenstaartje|apestaartje|klammeraffe|\u00e4t"
_DOT_WORDS = r"dot|punkt|point|punto|ponto|punt"
_ENDINGS = (
    r"com|net|org|info|biz|io|xyz|shop|online|site|store|app|dev|example|test|invalid|eu|uk|ru|cn"
    r"|support|club|help|page|cloud|live|link|click|top|world|website|space|tech|mobi|gmbh|berlin"
)
_PROVIDERS = r"g-?mail|hotmail|outlook|yahoo|gmx|icloud|proton-?mail"
_OPENS, _CLOSES = r"[ \t]{0,2}[\[({<*_-]{1,2}[ \t]{0,2}", r"[ \t]{0,2}[\])}>*_-]{1,2}[ \t]{0,2}"
_AT_IN_BRACKETS = linear(rf"{_OPENS}(?:{_AT_WORDS}|@){_CLOSES}", re.IGNORECASE)
_DOT_IN_BRACKETS = linear(rf"{_OPENS}(?:{_DOT_WORDS}|\.){_CLOSES}", re.IGNORECASE)
_ENGLISH_DOT = linear(r"(?<=\w)[ \t]{1,3}dot[ \t]{1,3}(?=\w)", re.IGNORECASE)
_DOT = linear(
    rf"(?<=\w)[ \t]{{1,3}}(?:{_DOT_WORDS}|\.)[ \t]{{1,3}}(?=(?:{_ENDINGS})\b)", re.IGNORECASE
)
# Only small letters, and only endings that are no words, begin a line so.
_DOT_APART = linear(
    rf"(?<=\w)[ \t]{{1,3}}\.(?=(?:{_ENDINGS})\b)|(?<=\w)\.[ \t]{{0,2}}\n[ \t]{{0,2}}"
    r"(?=(?:com|net|org|biz|example|test|invalid)\b)"
)
# A country's ending is a word, too ("punto de venta"): it ends the clause, or fits the language.
_COUNTRY_DOT = linear(
    r"(?<=\w)[ \t]{1,3}(?:(?:punkt|punto|point|ponto|punt)[ \t]{1,3}"
    r"(?=[a-z]{2}[ \t]{0,3}(?:[.,;:!?)]|$))"
    r"|punkt[ \t]{1,3}(?=(?:de|at|ch)\b)|punto[ \t]{1,3}(?=(?:it|mx|ar|cl|co|pe|ve|uy)\b)"
    r"|point[ \t]{1,3}(?=(?:fr|be|ch)\b)"
    r"|punt[ \t]{1,3}(?=(?:nl|be)\b)|ponto[ \t]{1,3}(?=(?:pt|br)\b))",
    re.IGNORECASE | re.MULTILINE,
)
_NAME_OF_A_SIGN = linear(
    r"\b(?:arroba|arobase|chiocciola|apenstaartje|apestaartje|klammeraffe|at[ -]sign|slash"
    rf"|schr\u00e4gstrich|at[ -](?:{_PROVIDERS}))\b",
    re.IGNORECASE,
)
_AT = linear(
    rf"(?<=\w)[ \t]{{1,3}}(?:{_AT_WORDS}|@)[ \t]{{1,3}}(?=[\w-]{{1,63}}\.\w)", re.IGNORECASE
)
_APART = linear(r"(?<!\w)(?:\w[ \t.@_*-]{1,3}){4}\w(?!\w)")
_MEASURE = linear(r"\d(?: ?[x*] ?\d){1,4}(?: ?[x*])?", re.IGNORECASE)
_MIXED = linear(
    r"[A-Za-z][\w-]{0,40}[\u0370-\u03ff\u0400-\u052f]|[\u0370-\u03ff\u0400-\u052f][\w-]{0,40}[A-Za-z]"
)
_DIGIT = linear(r"\d")


def read_aloud(text: str) -> str:
    """Return a text with hidden and spelled signs as the signs they stand for."""
    micro = plain_forms(text)[-1].replace("\u00b5", "u")  # NFKC makes a Greek letter of it
    plain = unicodedata.normalize("NFKC", micro).translate(_SIGNS)
    plain = _DOT_IN_BRACKETS.sub(".", _AT_IN_BRACKETS.sub("@", plain))
    plain = _COUNTRY_DOT.sub(".", _DOT.sub(".", _ENGLISH_DOT.sub(".", _DOT_APART.sub(".", plain))))
    return _AT.sub("@", plain)


def names_a_sign(text: str) -> bool:
    """Whether a sign of addresses is called by its name; nobody does but to spell one."""
    return _NAME_OF_A_SIGN.search(text) is not None


def letters_apart(text: str) -> bool:
    """Whether a word or number is written letter by letter; "5 x 4 x 3" is a measure."""
    runs = (found.group() for found in _APART.finditer(text))
    return any(not _initials(run) and not _MEASURE.fullmatch(run) for run in runs)


def _initials(run: str) -> bool:
    """``1. 2. 3.`` is no word; figures apart are a number."""
    return run.count(".") >= 4 and not _DIGIT.search(run)  # noqa: PLR2004 - "U. S. A. F."


def scripts_mixed(text: str) -> bool:
    """Whether one word is made of Latin and of Greek or Cyrillic letters."""
    return _MIXED.search(text) is not None
