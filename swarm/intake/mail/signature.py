"""The signature below a mail's text: the part that says who, not what.

Cautious: what is taken for a signature leaves the text that is judged, so a block that holds a
question or long sentences stays. Numbers: README.md.
"""

# ruff: noqa: E501, RUF001 - word lists of many languages, one group a line

import re

from swarm.patterns import linear

REACH = 16  # non-blank lines from the end in which a closing may stand
SIGNED_LINES = 8  # of a block without closing phrase
SHORT_LINE = 45  # "Ada Byron - 020 7946 0000"
LONGEST_LINE = 90  # of a signature block; sentences are longer

_NAME_PART = linear(r"[^\W\d_]{3,}")
_LETTERS = linear(r"[^\W\d_]+")
_DELIMITER = linear(r"(?:-- ?|—|–|_{5,}|-{5,}|={5,})\s*")
_DEVICE = linear(
    r"\A\W{0,4}(?:sent (?:from|via|with|using) (?:my |the |a )?\S|get outlook for|von meinem .{1,40} gesendet"
    r"|gesendet (?:von|mit)|envoyé (?:de|depuis)|enviado (?:desde|do|de)|inviato da|verzonden (?:vanaf|met)"
    r"|skickat från|sendt fra|wysłane z|отправлено (?:с|из)|odesláno z|lähetetty)",
    re.IGNORECASE,
)
_CLOSING = linear(
    r"\A\W{0,3}(?:(?:many |best |kind |kindest |warm |with (?:best|kind) )?(?:thanks|thank you|thx|regards|wishes|cheers)"
    r"(?: (?:and|&) (?:best |kind )?regards| again| in advance| so much| very much| a lot)?"
    r"|best|sincerely|(?:yours|best)? ?(?:sincerely|faithfully|truly)(?: yours)?|yours|take care|all the best|respectfully"
    r"|(?:mit )?(?:freundlichen?|besten?|herzlichen?|lieben?|viele[nr]?|schöne[nr]?) (?:grüßen?|gruß|grüsse[n]?|gruss)"
    r"|mfg|lg|vg|gruß|grüße|hochachtungsvoll|danke(?: (?:und|im voraus).{0,30})?|vielen dank"
    r"|cordialement|bien (?:cordialement|à vous)|sincères salutations|salutations|merci(?: d'avance)?|bonne journée"
    r"|(?:un )?(?:cordial )?saludos?(?: cordiales)?|atentamente|gracias|un abrazo"
    r"|(?:cordiali|distinti) saluti|saluti|grazie|met vriendelijke groet(?:en)?|groeten|bedankt"
    r"|atenciosamente|obrigad[oa]|abraços|med vänliga hälsningar|vänliga hälsningar|(?:med )?venlig hilsen|mvh"
    r"|z poważaniem|pozdrawiam|dziękuję|с уважением|спасибо|s pozdravem|děkuji|ystävällisin terveisin)"
    r"[\s,.!;:–—-]{0,4}(?P<name>.{0,40})",
    re.IGNORECASE,
)
_POSTSCRIPT = linear(r"\s{0,3}p\.?\s?s\b", re.IGNORECASE)


def split_signature(text: str, sender_name: str = "") -> tuple[str, str]:
    """Return the text without its signature, and the signature (empty when there is none).

    ``sender_name`` helps where no closing phrase stands before the name.
    """
    lines = text.split("\n")
    for cut in (_delimiter(lines), _device(lines), _closing(lines), _named(lines, sender_name)):
        if cut is not None:
            above = "\n".join(lines[:cut]).strip()
            return (above, "\n".join(lines[cut:]).strip()) if above else (text, "")
    return text, ""


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
    tail = _tail(lines)
    for index in tail:
        if _DELIMITER.fullmatch(lines[index][:LONGEST_LINE]) and _looks_signed(lines[index + 1 :]):
            return index
    return None


def _device(lines: list[str]) -> int | None:
    tail = _tail(lines)
    for index in tail[-3:]:
        if _DEVICE.match(lines[index][:LONGEST_LINE]) and _looks_signed(lines[index:]):
            return index
    return None


def _closing(lines: list[str]) -> int | None:
    for index in _tail(lines):
        line = lines[index].strip()
        found = _CLOSING.fullmatch(line) if len(line) <= LONGEST_LINE else None
        if found and _is_name(found["name"]) and _looks_signed(lines[index + 1 :]):
            signed = found["name"].strip(" .!") or "".join(lines[index + 1 :]).strip()
            return index if signed else None  # a bare "Thank you!" is said, not signed
    return None


def _named(lines: list[str], sender_name: str) -> int | None:
    """A last block that begins with the sender's own name, as in "Ada Byron / Engines Ltd"."""
    names = {word.casefold() for word in _NAME_PART.findall(sender_name[:200])}
    for index in reversed(_tail(lines)[-SIGNED_LINES:]):
        words = _LETTERS.findall(lines[index][:LONGEST_LINE])
        if words and words[0].casefold() in names and len(lines[index]) <= SHORT_LINE:
            return index if _looks_signed(lines[index:]) else None
    return None


def _is_name(rest: str) -> bool:
    """What stands behind "Thanks," on its line: nothing, or a name of up to three capitalised words."""
    words = rest.strip(" ,.!").split()
    return len(words) <= 3 and all(word[:1].isupper() for word in words)  # noqa: PLR2004


def _looks_signed(block: list[str]) -> bool:
    lines = [line.strip() for line in block if line.strip()]
    return not any(
        line.endswith("?") or len(line) > LONGEST_LINE or _POSTSCRIPT.match(line) for line in lines
    )
