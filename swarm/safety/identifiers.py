"""What points to a person or a case: addresses, phone numbers, reference numbers (ES-09).

A draft may only carry identifiers its own customer's material carries; anything else belongs, until
proven otherwise, to another customer.
"""

import re
from collections.abc import Iterable, Iterator

_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_PHONE = re.compile(r"(?<![\w/])\+?\(?\d{1,4}\)?(?:[ /.\-]?\(?\d{2,5}\)?){2,5}(?!\w)")
_REFERENCE = re.compile(
    r"(?<![\w.,])#?(?:[A-Za-z]{1,6}[-_/ ]?)?\d[\d-]{3,24}[A-Za-z]{0,3}(?![\w])(?![.,]\d)"
    r"|\b(?=[A-Z0-9-]{6,24}\b)(?=[A-Z0-9-]{0,24}\d)(?=[A-Z0-9-]{0,24}[A-Z])[A-Z0-9-]{6,24}\b"
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}-\d{1,2}-\d{2,4}|\d{4}-\d{4}")
_ENOUGH_DIGITS = 5


def identifiers(text: str) -> tuple[str, ...]:
    """List the identifiers of a text in comparable form (lower case, no separators), in order."""
    found: dict[str, None] = {}
    rest = _EMAIL.sub(" ", text)
    for raw in (*_EMAIL.findall(text), *_references(rest)):
        found.setdefault(comparable(raw), None)
    return tuple(found)


def foreign_identifiers(text: str, own: Iterable[str]) -> tuple[str, ...]:
    """List identifiers of ``text`` that occur in none of the ``own`` texts."""
    material = comparable(" ".join(own))
    return tuple(one for one in identifiers(text) if one not in material)


def comparable(text: str) -> str:
    """Lower case without spaces and punctuation, but ``@`` kept."""
    return re.sub(r"[^0-9a-z@]", "", text.lower())


def _references(text: str) -> Iterator[str]:
    for shape in (_PHONE, _REFERENCE):
        for match in shape.finditer(text):
            raw = match.group()
            digits = sum(c.isdigit() for c in raw)
            if digits >= _ENOUGH_DIGITS and not _DATE.fullmatch(raw.strip("#")):
                # "order 12345": the word before is no part of the number
                yield raw.split(" ")[-1] if shape is _REFERENCE else raw
            elif digits == 4 and not _YEAR.fullmatch(raw) and any(c in "#-" for c in raw):  # noqa: PLR2004
                yield raw
