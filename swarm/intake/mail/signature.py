"""The signature below a mail's text: the part that says who, not what.

Cautious: a signature holds nothing that is said. From the first line on that is a sentence, a
question or a postscript, what stands below a closing is text again. ``plain`` says that each line
is a name, a title, a way to reach somebody, a company: only that is no word of the sender's; any
other signature is judged like text. Numbers: README.md.
"""

# ruff: noqa: E501, RUF001 - word lists of many languages, one group a line

import re
from typing import NamedTuple

from swarm.intake.mail.boilerplate import is_company_line
from swarm.intake.mail.sentences import is_personal, is_said, words
from swarm.patterns import linear
from swarm.sorting.titles import names_a_title

REACH = 16  # non-blank lines from the end in which a closing may stand
SIGNED_LINES = 10  # of a block without closing phrase
SHORT_LINE = 60  # "Ada Byron - 020 7946 0000"
LONGEST_LINE = 90  # of a closing or a delimiter
LONGEST_TITLE = 400  # of a line that lists titles and addresses
LONGEST_NAME = 4  # words
FEWEST_ABOVE = 6  # words that make what stands above a mail, not a heading

_NAME_PART = linear(r"[^\W\d_]{3,}")
_LETTERS = linear(r"[^\W\d_]+")
_DELIMITER = linear(r"(?:-- ?|—|–|_{5,}|-{5,}|={5,})\s*")
_DEVICE = linear(
    r"\A\W{0,4}(?:sent (?:from|via|with|using) \S|get outlook for|von meinem .{1,40} gesendet"
    r"|gesendet (?:von|mit)|envoyé (?:de|depuis)|enviado (?:desde|do|de)|inviato da|verzonden (?:vanaf|met)"
    r"|skickat från|sendt fra|wysłane z|отправлено (?:с|из)|odesláno z|lähetetty)",
    re.IGNORECASE,
)
_PRODUCT = linear(
    r"\b(?:i(?:phone|pad|os)|android|outlook|samsung|galaxy|huawei|xiaomi|pixel|blackberry|gmail|yahoo|gmx|web\.de|proton(?:mail)?|thunderbird|avast|avg|norton|mcafee)\b",
    re.IGNORECASE,
)
_MOST_DEVICE_WORDS = 7
_CLOSING = linear(
    r"\A\W{0,3}(?:(?:many |best |kind |kindest |warm |with (?:best|kind) )?(?:thanks|thank you|thx|regards|wishes|cheers)"
    r"(?: (?:and|&) (?:best |kind )?regards| again| in advance| so much| very much| a lot)?"
    r"|best|sincerely|(?:yours|best)? ?(?:sincerely|faithfully|truly)(?: yours)?|yours|take care|all the best|respectfully"
    r"|(?:mit )?(?:freundlichen?|besten?|herzlichen?|lieben?|viele[nr]?|schöne[nr]?) (?:grüßen?|gruß|grüsse[n]?|gruss)"
    r"|mfg|lg|vg|gruß|grüße|hochachtungsvoll|danke(?: im voraus)?(?: und (?:(?:viele|liebe|beste|schöne|freundliche|herzliche)[nr]? )?(?:grüße|gruß|grüsse|gruss|mfg|lg|vg))?|vielen dank"
    r"|cordialement|bien (?:cordialement|à vous)|sincères salutations|salutations|merci(?: d'avance)?|bonne journée"
    r"|(?:un )?(?:cordial )?saludos?(?: cordiales)?|atentamente|gracias|un abrazo"
    r"|(?:cordiali|distinti) saluti|saluti|grazie|met vriendelijke groet(?:en)?|groeten|bedankt"
    r"|atenciosamente|obrigad[oa]|abraços|med vänliga hälsningar|vänliga hälsningar|(?:med )?venlig hilsen|mvh"
    r"|z poważaniem|pozdrawiam|dziękuję|с уважением|спасибо|s pozdravem|děkuji|ystävällisin terveisin)"
    r"[\s,.!;:–—-]{0,4}(?P<name>.{0,40})",
    re.IGNORECASE,
)
_POSTSCRIPT = linear(r"\s{0,3}p\.?\s?s\b", re.IGNORECASE)
_REACHED = linear(
    r"\S@\S|(?:https?://|www\.)\S|\b[\w-]{2,60}\.(?:com|net|org|example|de|eu)\b|(?:\d[\s()/.+-]{0,3}){6}"
)
# Languages that set titles in small letters.
_LOWERED_ROLE = linear(
    r"(?:direct(?:eur|rice)|responsable|chef(?:fe)?|adjoint|conseill\w{0,5}|jef[ea]|directora|gerente|delegad[oa]|encargad[oa]|responsabile|direttore|direttrice|addett[oa]|diretora?|encarregad[oa])\b",
    re.IGNORECASE,
)
_SEPARATOR = linear(r"[|,;:/&+\u2022\u00b7()]|\s[-\u2013]\s")
LONGEST_PART = 6  # words between separators
_CONNECTED = linear(r"[&|/\u2022\u00b7,+]|\s[-\u2013]\s")
_PLACED = linear(r"\d")
_ORDERED = linear(
    r"\b(?:order|bestell\w{0,8}|auftrag\w{0,8}|commande|pedido|ordine|encomenda|invoice|rechnung\w{0,8}|facture|factura|fattura|factuur|fatura)\b\D{0,20}\d{4}",
    re.IGNORECASE,
)


class Signed(NamedTuple):
    """A text in two. ``plain``: the signature says who and nothing else.

    ``below`` is the part of the text that stood below the signature.
    """

    text: str
    signature: str = ""
    plain: bool = False
    below: str = ""


def split_signature(text: str, sender_name: str = "") -> Signed:
    """Return the text without its signature, and the signature (empty when there is none).

    ``sender_name`` helps where no closing phrase stands before the name.
    """
    lines = text.split("\n")
    for cut in (
        _delimiter(lines),
        _device(lines),
        _closing(lines),
        _named(lines, sender_name),
        _block(lines),
    ):
        if cut is not None:
            above = any(line.strip() for line in lines[:cut])
            return _signed(lines, cut, sender_name) if above else Signed(text)
    return Signed(text)


def _signed(lines: list[str], cut: int, sender_name: str) -> Signed:
    end = _said_from(lines, cut)
    above = "\n".join(lines[:cut]).strip()
    below = "\n".join(lines[end:]).strip()
    block = [line.strip() for line in lines[cut:end] if line.strip()]
    names = _names_of(sender_name)
    return Signed(
        text=f"{above}\n\n{below}".strip(),
        signature="\n".join(lines[cut:end]).strip(),
        plain=all(_says_who(line, names) for line in block),
        below=below,
    )


def _said_from(lines: list[str], cut: int) -> int:
    """Return where below a closing something is said again; the end when nothing is."""
    for index in range(cut, len(lines)):
        line = lines[index].strip()
        if line and not _is_frame(line) and (_POSTSCRIPT.match(line) or _says_something(line)):
            return index - _heading_above(lines, index, cut)
    return len(lines)


def _heading_above(lines: list[str], index: int, cut: int) -> int:
    """A heading right above what is said belongs to it: "DISCLAIMER", "Please note:"."""
    above = lines[index - 1].strip() if index - 1 > cut else ""
    alone = bool(above) and not lines[index - 2].strip()
    return int(alone and (above.isupper() or above.endswith(":")))


def _says_something(line: str) -> bool:
    """A title may run on in small letters where its language does: "Jefa de la oficina de ventas".
    An order that is named is said, wherever it stands.
    """
    return (is_said(line) and not _is_title(line)) or _ORDERED.search(line) is not None


def _is_title(line: str) -> bool:
    return (
        len(words(line)) <= 2 * LONGEST_NAME
        and line[:1].isupper()
        and _LOWERED_ROLE.match(line) is not None
        and not line.endswith((".", "!", "?"))
        and not is_personal(line)
    )


def _is_frame(line: str) -> bool:
    """A delimiter, a closing phrase or the line a device adds."""
    closing = _CLOSING.fullmatch(line) if len(line) <= LONGEST_LINE else None
    return (
        _DELIMITER.fullmatch(line[:LONGEST_LINE]) is not None
        or (closing is not None and _is_name(closing["name"]))
        or _is_device(line)
    )


def _says_who(line: str, names: frozenset[str]) -> bool:
    """Whether a line is part of a name plate: each alternative is a shape, not a word of danger."""
    if _is_frame(line) or len(line) > LONGEST_TITLE:
        return len(line) <= LONGEST_TITLE
    found = words(line)
    if not found or {word.casefold() for word in found} <= names or _is_title(line):
        return True
    if any(len(words(part)) > LONGEST_PART for part in _SEPARATOR.split(line)):
        return False
    capitals = sum(not word[0].islower() for word in found)
    if 2 * capitals < len(found):
        return _REACHED.search(line) is not None and len(found) <= LONGEST_NAME
    return (
        _REACHED.search(line) is not None
        or is_company_line(line)
        or names_a_title(line)
        or _CONNECTED.search(line) is not None
        or _PLACED.search(line) is not None
    )


def _tail(lines: list[str]) -> list[int]:
    """Indexes of the last non-blank lines, in order of the text."""
    found: list[int] = []
    for index in range(len(lines) - 1, -1, -1):
        if lines[index].strip():
            found.append(index)
            if len(found) == REACH:
                break
    return found[::-1]


def _delimiter(lines: list[str]) -> int | None:
    for index in _tail(lines):
        if _DELIMITER.fullmatch(lines[index][:LONGEST_LINE]) and _holds_signature(lines, index + 1):
            return index
    return None


def _holds_signature(lines: list[str], start: int) -> bool:
    """Whether somebody signs below before anything is said, or nothing stands there at all."""
    end = _said_from(lines, start)
    return end == len(lines) or any(line.strip() for line in lines[start:end])


def _device(lines: list[str]) -> int | None:
    for index in _tail(lines)[-3:]:
        if _is_device(lines[index].strip()) and _stands_alone(lines, index):
            return index
    return None


def _is_device(line: str) -> bool:
    """Advertising of a program or a telephone: known words, or a product in a line of few words."""
    if len(line) > LONGEST_LINE or line.endswith("?"):
        return False
    found = _LETTERS.findall(line)
    named = _PRODUCT.search(line) is not None and 1 < len(found) <= _MOST_DEVICE_WORDS
    told = _DEVICE.match(line) is not None and len(found) <= _MOST_DEVICE_WORDS + 1
    return (told and not _GOES_ON.search(line)) or (
        named and not _ENDS_SAID.search(line) and not _WANTS.match(line)
    )


_GOES_ON = linear(r"[,;:!.]\s{1,9}\w{1,40}\s{1,9}\w")  # "Sent from the hospital, your heater ..."
_ENDS_SAID = linear(r"[.!]\s{0,3}$")
_WANTS = linear(
    r"\W{0,3}(?:i|my|the|no|where|when|is|it|please|ich|wo|wann|mein[e]?|kein[e]?|bitte|je|mon|ma|où|quand|yo|mi|dónde|cuándo|il mio|la mia|dove|quando|ik|mijn|waar|wanneer|o meu|a minha|onde)\b",
    re.IGNORECASE,
)


def _stands_alone(lines: list[str], index: int) -> bool:
    known = _DEVICE.match(lines[index].strip()) is not None
    return known or index == 0 or not lines[index - 1].strip()


def _closing(lines: list[str]) -> int | None:
    for index in _tail(lines):
        line = lines[index].strip()
        found = _CLOSING.fullmatch(line) if len(line) <= LONGEST_LINE else None
        if found and _is_name(found["name"]):
            end = _said_from(lines, index + 1)
            signed = found["name"].strip(" .!") or "".join(lines[index + 1 : end]).strip()
            if signed:  # a bare "Thank you!" is said, not signed
                return index
    return None


def _named(lines: list[str], sender_name: str) -> int | None:
    """A last block that begins with the sender's own name, as in "Ada Byron / Engines Ltd"."""
    names = _names_of(sender_name)
    for index in _tail(lines)[-SIGNED_LINES:]:
        found = _LETTERS.findall(lines[index][:LONGEST_LINE])
        if found and found[0].casefold() in names and len(lines[index]) <= SHORT_LINE:
            return index if _said_from(lines, index) == len(lines) else None
    return None


def _block(lines: list[str]) -> int | None:
    """A last paragraph that begins with some name and says nothing, below something said."""
    tail = _tail(lines)
    if not tail:
        return None
    start = tail[-1]
    while start > 0 and lines[start - 1].strip():
        start -= 1
    block = [line.strip() for line in lines[start:] if line.strip()]
    above = "\n".join(lines[:start]).strip()
    if len(block) > SIGNED_LINES or above.endswith(":") or len(words(above)) < FEWEST_ABOVE:
        return None
    last = above.rpartition("\n")[2]
    if not is_said(last) and not last.rstrip().endswith((".", "!")):
        return None  # one heading below another
    short = all(len(line) <= SHORT_LINE for line in block)
    nothing_said = _said_from(lines, start) == len(lines)
    return start if short and nothing_said and _is_name_line(block[0]) else None


def _is_name_line(line: str) -> bool:
    found = words(line)
    named = _REACHED.split(line)[0]
    capitals = all(not word[0].islower() for word in found)
    closing = _CLOSING.fullmatch(line) is not None
    return (
        0 < len(found) <= LONGEST_NAME
        and capitals
        and not closing
        and not _PLACED.search(named)
        and not _ENDS_SAID.search(line)
    )


def _names_of(sender_name: str) -> frozenset[str]:
    name = sender_name.partition("<")[0] or sender_name
    return frozenset(word.casefold() for word in _NAME_PART.findall(name[:200]))


def _is_name(rest: str) -> bool:
    """What stands behind "Thanks," on its line: nothing, or a name of up to three capitalised words."""
    parts = rest.strip(" ,.!").split()
    return len(parts) <= 3 and all(word[:1].isupper() for word in parts)  # noqa: PLR2004
