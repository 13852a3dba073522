"""Factual tokens of a text: amounts, percentages, dates, numbers, statuses, names (ES-07).

A fact has the set of values it may mean (``1.234`` is a thousand or a fraction); a quote supports
it when it states a fact of the same kind with a common value. Whether a *sentence* follows from its
quote is the fact reviewer's question; that no figure appears from nowhere is asked here, by code.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from swarm.patterns import linear
from swarm.safety.doubt import doubts
from swarm.safety.lexicon import load, word_class
from swarm.safety.matching import Matcher
from swarm.safety.remembering import remembered
from swarm.safety.spelled_facts import spelled_days, spelled_numbers
from swarm.safety.words import fold, words_of


class Fact(NamedTuple):
    """A factual token at ``start:end`` and the values it may stand for."""

    start: int
    end: int
    kind: str
    values: frozenset[str]


_NUMBER = r"\d{1,3}(?:[ \u00a0.,'\u2019]\d{3}){1,5}(?:[.,]\d{1,2})?(?!\d)|\d{1,15}(?:[.,]\d{1,3})?"
_CURRENCY = (
    r"€|\$|£|¥|EUR|USD|GBP|CHF|JPY|PLN|SEK|NOK|DKK|BRL|R\$|euros?|dollars?|pounds?|francs?|pfund"
)
_SPACING = linear(r"[ \u00a0'\u2019]")
_POINTS = linear(r"[.,]")
_AMOUNT = linear(
    rf"(?:(?:{_CURRENCY})[ \u00a0]?(?P<after>{_NUMBER}))|(?<![\d.,])(?P<before>{_NUMBER})(?:,-)?"
    rf"[ \u00a0]?(?:{_CURRENCY})(?!\w)",
    re.IGNORECASE,
)
_PERCENT = linear(
    rf"(?<![\d.,])(?P<value>{_NUMBER})[ \u00a0]?(?:%|percent|per cent|prozent|pour ?cent|"
    r"por ciento|per cento|procent|por cento)",
    re.IGNORECASE,
)
_ISO_DATE = linear(r"(?<!\d)(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?!\d)")
_NUMERIC_DATE = linear(
    r"(?<![\d.])(?P<a>\d{1,2})[./-](?P<b>\d{1,2})[./-](?P<y>\d{4}|\d{2})?(?![\d/-])"
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier enero gennaio januari janeiro",
            "february feb februar fevrier février febrero febbraio februari fevereiro",
            "march mar marz märz mars marzo maart marco março",
            "april apr avril abril aprile",
            "may mai mayo maggio mei maio",
            "june jun juni juin junio giugno junho",
            "july jul juli juillet julio luglio julho",
            "august aug aout août agosto augustus",
            "september sep sept septembre septiembre settembre setembro",
            "october oct oktober octobre octubre ottobre outubro",
            "november nov novembre noviembre novembro",
            "december dec dezember decembre décembre diciembre dicembre dezembro",
        ),
        start=1,
    )
    for name in names.split()
}
# By name: with any word for a month, "from 12 March" was read as "from 12" and the date was lost.
_WORD_DATE = linear(
    r"(?<!\w)(?:(?P<d1>\d{1,2})(?:\.|st|nd|rd|th|er|º|ª)?\s{1,3}(?:of\s|de\s|di\s)?)?"
    rf"(?P<m>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})(?!\w)"
    r"\.?(?:\s{1,3}(?P<d2>\d{1,2})(?:st|nd|rd|th)?(?!\d))?"
    r"(?:,?\s{1,3}(?:de\s|of\s)?(?P<y>\d{4}))?",
    re.IGNORECASE,
)
_PLAIN_NUMBER = linear(rf"(?<![\w.,#-])(?:{_NUMBER})(?![\w-])")
_LIST_NUMBER = linear(r"^[ \t]{0,8}(?P<number>\d{1,2})[.)](?=\s)", re.MULTILINE)
_CAPITALISED = r"[^\W\d_a-z][^\W\d_]{1,30}(?:[ -][^\W\d_a-z][^\W\d_]{1,30}){0,2}"
_NAME = linear(
    r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Herr|Herrn|Frau|Monsieur|Madame|Mme|Señora?|Sra?|Signora?|Sig|"
    rf"Dhr|Mevrouw|Mevr|Senhora?)\.?\s{{1,3}}(?P<name>{_CAPITALISED})"
    r"|\b(?:colleague|technician|driver|manager|named|called|Kolleg(?:e|in)|Techniker(?:in)?|"
    rf"coll[eè]gue|colega|collega)\s{{1,3}}(?P<other>{_CAPITALISED})"
)
_NEGATING = frozenset(word_class("not", "facts")) - {"without", "none", "sans", "sin", "senza"}
_NEGATED_WITHIN = 3
_DOUBT_WITHIN = 6


@remembered
def facts(text: str) -> tuple[Fact, ...]:
    """List the factual tokens of a text, in order; each counts once, as its most telling kind."""
    found: list[Fact] = []
    taken = bytearray(len(text))  # a map of places: comparing facts pairwise would be quadratic
    for source in (_amounts, _percentages, _dates, _spelled, _statuses, _names, _numbers):
        for fact in source(text):
            if not any(taken[fact.start : fact.end]):
                taken[fact.start : fact.end] = b"\1" * (fact.end - fact.start)
                found.append(fact)
    return tuple(sorted(found, key=lambda fact: fact.start))


def supported(fact: Fact, quote: str) -> bool:
    """Whether ``quote`` states the same kind of fact with a common value."""
    values = {value for one in facts(quote) if one.kind == fact.kind for value in one.values}
    if fact.kind == "number":
        values |= {value for one in facts(quote) for value in one.values}
    if fact.kind == "name":
        return any(fold(value) in fold(quote) for value in fact.values)
    return not values.isdisjoint(fact.values)


def is_a_word_of_time(fact: Fact, text: str) -> bool:
    """Whether a date is one word without a figure, which may be somebody's name: "Sunday"."""
    return fact.kind == "date" and text[fact.start : fact.end].isalpha()


def _amounts(text: str) -> Iterator[Fact]:
    for match in _AMOUNT.finditer(text):
        values = _readings(match["after"] or match["before"])
        yield Fact(match.start(), match.end(), "amount", values)


def _percentages(text: str) -> Iterator[Fact]:
    for match in _PERCENT.finditer(text):
        yield Fact(match.start(), match.end(), "percent", _readings(match["value"]))


def _readings(raw: str) -> frozenset[str]:
    """Every number a figure may mean: with its last separator as decimal point, and without."""
    bare = _SPACING.sub("", raw)
    whole = _POINTS.sub("", bare)
    readings = set()
    last = max(bare.rfind("."), bare.rfind(","))
    places = len(bare) - last - 1 if last >= 0 else 0
    if last >= 0:
        readings.add(Decimal(_POINTS.sub("", bare[:last]) + "." + bare[last + 1 :]))
    if last < 0 or places == 3:  # noqa: PLR2004 - a group of thousands
        readings.add(Decimal(whole))
    return frozenset(str(value.normalize()) for value in readings)


def _dates(text: str) -> Iterator[Fact]:
    for match in _ISO_DATE.finditer(text):
        yield from _date(match, [(int(match["y"]), int(match["m"]), int(match["d"]))])
    for match in _NUMERIC_DATE.finditer(text):
        year = int(match["y"]) if match["y"] else 0
        year += 2000 if 0 < year < 100 else 0  # noqa: PLR2004 - two-digit years
        a, b = int(match["a"]), int(match["b"])
        yield from _date(match, [(year, b, a), (year, a, b)])
    for match in _WORD_DATE.finditer(text):
        month = _MONTHS.get(fold(match["m"]))
        day = match["d1"] or match["d2"]
        if month and day:
            yield from _date(match, [(int(match["y"] or 0), month, int(day))])


def _date(match: re.Match[str], readings: list[tuple[int, int, int]]) -> Iterator[Fact]:
    possible = {(y, m, d) for y, m, d in readings if 1 <= m <= 12 and 1 <= d <= 31}  # noqa: PLR2004
    # A date without a year agrees with that day of any year; both forms are kept as values.
    values = {f"{m:02}-{d:02}" for y, m, d in possible if not y}
    values |= {f"{y}-{m:02}-{d:02}" for y, m, d in possible if y}
    if values:
        yield Fact(match.start(), match.end(), "date", frozenset(values))


def _spelled(text: str) -> Iterator[Fact]:
    for start, end, kind, words in spelled_numbers(text):
        yield Fact(start, end, kind, frozenset({words}))
    for start, end, words in spelled_days(text):
        yield Fact(start, end, "date", frozenset({words}))


def _statuses(text: str) -> Iterator[Fact]:
    words = words_of(text)
    places = {word.start: index for index, word in enumerate(words)}
    for hit in _status_matcher().hits(words, every=True):
        at = places[hit.start]
        first = max(0, at - _DOUBT_WITHIN)
        here = [n for n in range(first, at) if words[n].sentence == words[at].sentence]
        if any(doubts(words, n) for n in here):
            continue
        negated = any(words[n].text in _NEGATING for n in here[-_NEGATED_WITHIN:])
        value = f"not {hit.phrase.label}" if negated else hit.phrase.label
        yield Fact(hit.start, hit.end, "status", frozenset({value}))


@cache
def _status_matcher() -> Matcher:
    return Matcher(load("status"))


def _names(text: str) -> Iterator[Fact]:
    for match in _NAME.finditer(text):
        name = match["name"] or match["other"]
        yield Fact(match.start(), match.end(), "name", frozenset({name}))


def _numbers(text: str) -> Iterator[Fact]:
    listed = {match.start("number") for match in _LIST_NUMBER.finditer(text)}
    for match in _PLAIN_NUMBER.finditer(text):
        if match.start() not in listed:
            yield Fact(match.start(), match.end(), "number", _readings(match.group()))
