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
_DAY = linear(rf"(?<![\w-])(?:{_DAYS})(?!\w)", re.IGNORECASE)
# "morgen" is tomorrow, and the morning of a greeting; then an adjective stands before it.
_MORGEN = linear(r"(?<!en )(?<!e )(?<!goede)(?<!\w)morgen(?!\w)", re.IGNORECASE)

_STEMS = "|".join(
    (
        r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen",
        r"sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety",
        r"hundred|thousand|dozen|eine?[mnrs]?|zwei|drei|vier|f\u00fcnf|sechs|sieben|acht|neun|zehn",
        r"elf|zw\u00f6lf|sech|sieb|zwanzig|zig|\u00dfig|hundert|tausend|und|une?|deux|trois|quatre",
        r"cinq|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|seize|vingts?|trente|quarante",
        r"cinquante|soixante|cents?|mille|una?|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve",
        r"diez|once|doce|quince|veinte|veinti|treinta|cuarenta|cincuenta|sesenta|setenta|ochenta",
        r"noventa|cien|cientos?|doscientos|trescientos|quinientos|mil|due|tre|quattro|cinque|sei",
        r"sette|otto|nove|dieci|undici|dodici|quindici|venti?|trenta|quaranta|cinquanta|sessanta",
        r"settanta|ottanta|novanta|cento|mila|een|\u00e9\u00e9n|twee|drie|vijf|zes|zeven|negen",
        r"tien|twaalf|tig|tachtig|honderd|duizend|en|um|dois|duas|tr\u00eas|quatro|sete|oito|dez",
        r"doze|quinze|vinte|trinta|quarenta|cinquenta|sessenta|setenta|oitenta|cem|duzentos",
        r"trezentos|quinhentos|ti|half(?: a)?|halbe[rns]?|demie?|medi[oa]|mezz[oa]|halve|mei[oa]|an?",
    )
)
_NUMERAL = rf"(?:(?:{_STEMS}){{1,8}}[ -](?:(?:and|y|et|e|of|de) )?){{1,5}}"
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
