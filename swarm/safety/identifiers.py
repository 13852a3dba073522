"""What points to a person or a case: addresses, phone numbers, reference numbers (ES-09).

A draft may only carry identifiers its own customer's material carries; anything else belongs, until
proven otherwise, to another customer.
"""

from collections.abc import Iterable, Iterator

from swarm.patterns import linear

_PUNCTUATION = linear(r"[^0-9a-z@]")
_EMAIL = linear(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_PHONE = linear(r"(?<![\w/])\+?\(?\d{1,4}\)?(?:[ /.\-]?\(?\d{2,5}\)?){2,5}(?!\w)")
_REFERENCE = linear(
    r"(?<![\w.,])#?(?:[A-Za-z]{1,6}[-_/ ]?)?\d[\d-]{3,24}[A-Za-z]{0,3}(?![\w])(?![.,]\d)"
    r"|\b(?=[A-Z0-9-]{6,24}\b)(?=[A-Z0-9-]{0,24}\d)(?=[A-Z0-9-]{0,24}[A-Z])[A-Z0-9-]{6,24}\b"
)
_DATE = linear(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}-\d{1,2}-\d{2,4}|\d{4}-\d{4}")
_ENOUGH_DIGITS = 5


def identifiers(text: str) -> tuple[str, ...]:
    """List the identifiers of a text in comparable form (lower case, no separators), in order."""
    found: dict[str, None] = {}
    end = 0
    for start, stop in sorted(_places(text), key=lambda place: (place[0], -place[1])):
        if stop > end:  # a number inside a longer one is no identifier of its own
            found.setdefault(comparable(text[start:stop]), None)
            end = stop
    return tuple(found)


def foreign_identifiers(text: str, own: Iterable[str]) -> tuple[str, ...]:
    """List identifiers of ``text`` that occur in none of the ``own`` texts."""
    material = comparable(" ".join(own))
    return tuple(one for one in identifiers(text) if one not in material)


def comparable(text: str) -> str:
    """Lower case without spaces and punctuation, but ``@`` kept."""
    return _PUNCTUATION.sub("", text.lower())


def _places(text: str) -> Iterator[tuple[int, int]]:
    for match in _EMAIL.finditer(text):
        yield match.span()
    for shape in (_PHONE, _REFERENCE):
        for match in shape.finditer(text):
            raw = match.group()
            digits = sum(c.isdigit() for c in raw)
            if digits >= _ENOUGH_DIGITS and not _DATE.fullmatch(raw.strip("#")):
                # "order 12345": the word before is no part of the number
                lead = raw.rfind(" ") + 1 if shape is _REFERENCE else 0
                yield match.start() + lead, match.end()
            elif digits == _ENOUGH_DIGITS - 1 and any(c in "#-" for c in raw):
                yield match.span()
