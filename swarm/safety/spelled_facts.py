"""Facts that are written without a figure: "tomorrow", "on Friday", "a hundred euros", "in three days".

A value said in words is its own words: a quote supports it when it says it in the same ones.
What is written in figures is read in ``facts.py``.
"""

# ruff: noqa: E501 - word lists of many languages, one group a line

import re
from collections.abc import Iterator

from swarm.patterns import linear
from swarm.safety.words import fold

_DAYS = "|".join(
    (
        r"mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?|tomorrow",
        r"montags?|dienstags?|mittwochs?|donnerstags?|freitags?|samstags?|sonnabends?|sonntags?",
        r"\u00fcbermorgen|lundis?|mardis?|mercredis?|jeudis?|vendredis?|samedis?|dimanches?|demain",
        r"lunes|martes|mi\u00e9rcoles|jueves|viernes|s\u00e1bados?|domingos?|ma\u00f1ana",
        r"luned\u00ec|marted\u00ec|mercoled\u00ec|gioved\u00ec|venerd\u00ec|sabato|domenica|domani",
        r"dopodomani|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag|overmorgen",
        r"segunda-feira|ter\u00e7a-feira|quarta-feira|quinta-feira|sexta-feira|amanh\u00e3",
        r"next (?:week|month)|n\u00e4chste[nr]? (?:woche|monat)|(?:semaine|mois) prochaine?",
        r"(?:semana|mes) (?:que viene|pr\u00f3xim[oa])|pr\u00f3xim[oa] (?:semana|m[e\u00ea]s)",
        r"(?:settimana|mese) prossim[oa]|prossim[oa] (?:settimana|mese)|volgende (?:week|maand)",
    )
)
# "por la mañana" is the morning of any day.
_DAY = linear(rf"(?<![\w-])(?<!la )(?:{_DAYS})(?!\w)", re.IGNORECASE)
# "morgen" is tomorrow, and the morning of a greeting; then an adjective stands before it.
_MORGEN = linear(r"(?<!en )(?<!e )(?<!goede)(?<!\w)morgen(?!\w)", re.IGNORECASE)

# Every word that numerals are made of. The longest that fits is taken and kept: with a choice of
# ways to read "half a half a ..." the engine once tried them all, 5 s for 512 letters.
_STEMS = "|".join(
    sorted(
        " ".join(
            (
                "\u00dfig \u00e9\u00e9n a acht an cem cent cento cents cien ciento cientos cinco",
                "cincuenta cinq cinquanta cinquante cinque cinquenta cuarenta cuatro demi demie deux dez",
                "dieci diez dix doce dodici dois dos doscientos douze doze dozen drei drie duas due",
                "duizend duzentos een eight eighteen eighty ein eine einem einen einer eines einm einn",
                "einr eins eleven elf en f\u00fcnf fifteen fifty five forty four fourteen halbe halben",
                "halber halbes half half_a half_an halve honderd huit hundert hundred media medio meia",
                "meio mezza mezzo mil mila mille negen neuf neun nine nineteen ninety novanta nove",
                "noventa nueve ochenta ocho oitenta oito once one onze ottanta otto quaranta quarante",
                "quarenta quatorze quatre quatro quattro quince quindici quinhentos quinientos quinze",
                "sech sechs sei seis seize sept sesenta sessanta sessenta sete setenta settanta sette",
                "seven seventeen seventy sieb sieben siete six sixteen sixty soixante tachtig tausend ten",
                "thirteen thirty thousand three ti tien tig tr\u00eas tre treinta treize trenta trente",
                "tres trescientos trezentos trinta trois twaalf twee twelve twenty two um un una und",
                "undici une uno veinte veinti vent venti vier vijf vingt vingts vinte zehn zes zeven zig",
                "zw\u00f6lf zwanzig zwei",
            )
        ).split(),
        key=len,
        reverse=True,
    )
).replace("_", " ")
_NUMERAL = rf"(?:(?:{_STEMS}){{1,8}}+[ -](?:(?:and|y|et|e|of|de) )?){{1,5}}"
_MONEY = r"euros?|dollars?|pounds?|pfund|francs?|franken|quid|libras?|d\u00f3lares|reais|cents?"
_PERCENT = r"percent|per cent|prozent|pour ?cent|por ciento|per cento|procent|por cento"
_TIME = (
    r"(?:(?:working|business) )?(?:days?|weeks?|months?|hours?|years?)|(?:werk)?tag(?:en?)?|stunden?"
    r"|wochen?|monat(?:en?)?|jahr(?:en?)?|jours?|heures?|semaines?|mois|ans|d\u00edas?|horas?"
    r"|semanas?|mes(?:es)?|a\u00f1os?|giorn[oi]|or[ae]|settiman[ae]|mes[ei]|ann[oi]|(?:werk)?dagen"
    r"|uur|weken|maanden|jaar|dias?|m\u00eas|anos?"
)
_COUNTED = {
    "amount": linear(rf"(?<![\w-]){_NUMERAL}(?:{_MONEY})(?!\w)", re.IGNORECASE),
    "percent": linear(rf"(?<![\w-]){_NUMERAL}(?:{_PERCENT})(?!\w)", re.IGNORECASE),
    "date": linear(
        rf"(?<!\w)(?:in|within|innerhalb von|binnen|dans(?: les)?|sous|en|dentro de|entro|fra|tra"
        rf"|over|dentro de|em) {_NUMERAL}(?:{_TIME})(?!\w)",
        re.IGNORECASE,
    ),
}


def spelled_days(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and folded words of each day that is named without a figure."""
    for pattern in (_DAY, _MORGEN):
        for found in pattern.finditer(text):
            yield found.start(), found.end(), fold(found.group())


def spelled_numbers(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Yield start, end, kind and folded words of amounts, shares and spans of time in words."""
    for kind, pattern in _COUNTED.items():
        for found in pattern.finditer(text):
            yield found.start(), found.end(), kind, fold(found.group())
