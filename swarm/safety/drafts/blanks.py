"""Values that are none: markers, masks, lines to write on, "N/A", a letter for a figure."""

import re

from swarm.patterns import linear

_MARKER = linear(
    r"\bTODO\b|\b(?:TBD|tbd|TBC|tbc|TBA|tba)\b|\bFIXME\b|(?<!\S)%[sd]\b"
    r"|\bXX{1,40}\b|\bx{3,40}\b|\bX-X{1,40}"
)
# "(bitte erg\u00e4nzen)": an order to whoever finishes the letter.
_ORDER = linear(
    r"\((?:bitte |please |merci de |por favor )?(?:erg\u00e4nzen|eintragen|einf\u00fcgen|nachtragen"
    r"|compl\u00e9ter|\u00e0 compl\u00e9ter|\u00e0 pr\u00e9ciser|(?:a|por) completar|da completare"
    r"|da inserire|in te vullen|invullen|aanvullen|nog aanvullen|a preencher|preencher"
    r"|to be (?:completed|confirmed|added|filled in|announced)|complete|fill in|add|insert)\b",
    re.IGNORECASE,
)
_LINE = linear(
    r"(?<!\w)_{2}|_{3}|(?<!\S)_(?!\S)|\*{3}|[\u2022\u00b7\u2219\u25a0-\u25ff\u2610]{2}"
    r"|\.{5}|\u2026\u2026|(?:\? ?){3}|#{3}"
)
# A date or time whose figures are still letters, in the languages of the house, or all zero.
_MASK = linear(
    r"\b(?:[DTJG]{1,2}[./-]M{1,2}[./-][YJA]{2,4}|[YJA]{4}-M{2}-[DTJG]{2})\b|:\s?(?:\.{3}|\u2026)"
    r"|\b(?:[YJA]{4}|H{2}[:.]M{2})\b|\b0{2}[./-]0{2}[./-]0{2,4}\b|\b0{4}-0{2}-0{2}\b"
    r"|\bX{1,4}(?:[./-]X{1,4}){1,3}\b|\b(?:X ){2,8}X\b|(?<![\d.,])0{5,40}(?!\d|[.,]\d)",
    re.IGNORECASE,
)
_IS = (
    r"(?:\b(?:is|are|was|on|am|ist|sind|lautet|est|sont|es|son|\u00e8|sono|\u00e9|s\u00e3o|zijn|em)"
    r"[ \t]{1,3}|:[ \t]{0,3})"
)
_ABSENT = linear(
    r"(?<![\w/.])(?:n/a|n\.a\.|n\.v\.t\.|n\.d\.|k\. ?a\.|s/o)(?![\w/])"
    rf"|{_IS}[-\u2013\u2014_?*](?:[ \t]?[-\u2013\u2014_?*]){{0,8}}[ \t]{{0,2}}(?:[.,;\n]|$)"
    r"|\b(?:is|are|ist|sind|lautet|est|es|sont|\u00e8|sono|\u00e9|s\u00e3o|zijn)[ \t]{1,3}"
    r"[.,](?!\d)"
    rf"|{_IS}(?:null|nil|nan|none|undefined)[ \t]{{0,2}}(?:[.,;\n]|$)",
    re.IGNORECASE | re.MULTILINE,
)
_CURRENCY = r"\u20ac|\$|\u00a3|eur|usd|gbp|chf|euros?"
_COUNTED = (
    r"%|percent|prozent|(?:working |business )?days|weeks|hours|(?:werk)?tagen?|wochen|stunden"
    r"|jours|semaines|d\u00edas|semanas|giorni|dagen|dias"
)
_LETTER = linear(
    rf"\b[xyz]{{1,3}}[ \u00a0]?(?:{_CURRENCY}|{_COUNTED})(?!\w)"
    rf"|(?<!\w)(?:{_CURRENCY})[ \u00a0]?[xyz]{{1,5}}\b"
    r"|\b(?:mr|mrs|ms|herr|frau|mme|sra?|sig|dhr)\.?[ \u00a0][xyz]{1,3}\b",
    re.IGNORECASE,
)


def left_blank(text: str) -> bool:
    """Whether something stands where a value was to be filled in."""
    patterns = (_MARKER, _ORDER, _LINE, _MASK, _ABSENT, _LETTER)
    return any(each.search(text) for each in patterns)
