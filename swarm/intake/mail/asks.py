"""Questions and requests in a mail: what a reply must take up. Heuristics in several languages.

A miss costs the reviewers a look at an unanswered ask, a false find a needless sentence; both are
reviewed by a person, so the list is broad rather than strict.
"""

# ruff: noqa: E501, RUF001 - word lists of many languages, one group a line

import re

from swarm.models import LONGEST_JUDGED
from swarm.patterns import linear

MAX_ASKS = 20
LONGEST = 400

_WRAP = linear(r"(?<=[^\n]{50})\n(?=[^\s>*•\-\d])")
# A sentence ends at . ! ? or a line that ends a paragraph; "Nr. 5" or "z.B." do not matter here.
_SENTENCE = linear(r"(?:[^.!?。？！؟\n]|[.!?](?=[^\s.!?])){1,600}(?:[.!?。？！؟]{1,20}|\n|$)?")
_QUESTION = linear(r"[?？؟][\s\"'”’»)\]]{0,99}$|か[。\s]{0,99}$")
_REQUEST = linear(
    r"\b(?:please|pls|plz|kindly|could (?:you|we|i|someone)|can (?:you|we|i|someone)|would you|will you|may i|might i"
    r"|i(?:'d| would) (?:like|appreciate|love)|i (?:want|need|request|demand|expect|ask)|we (?:need|want|request|expect)"
    r"|let me know|looking forward to (?:hearing|your)|i(?:'m| am) (?:asking|requesting|looking for|waiting)"
    r"|bitte|könnten sie|können sie|würden sie|kannst du|könntest du|ich (?:möchte|brauche|hätte gern|bitte|will|wünsche|benötige)"
    r"|wir (?:möchten|brauchen|bitten|benötigen)|geben sie mir|teilen sie mir"
    r"|s'il (?:vous|te) plaît|svp|merci de|pourriez[- ]vous|pouvez[- ]vous|veuillez|je (?:voudrais|souhaite|souhaiterais|demande|veux)|j'aimerais"
    r"|por favor|podría(?:n)?|puede(?:n|s)?|quisiera|me gustaría|necesito|quiero|solicito|agradecería"
    r"|per favore|per cortesia|potrebbe|potreste|può|vorrei|ho bisogno|chiedo|gradirei"
    r"|alstublieft|graag|kunt u|kun je|zou u|zou je|ik (?:wil|zou|heb .{1,20} nodig)"
    r"|poderia(?:m)?|gostaria|preciso|solicito|vänligen|kan (?:ni|du|i|de)|skulle (?:ni|du)|jag (?:vill|behöver|önskar)"
    r"|venligst|jeg (?:vil|ønsker|trenger|har brug)|proszę|czy mo(?:gą|że|żecie)|chciał(?:bym|abym)|potrzebuję"
    r"|prosím|mohli byste|chtěl(?:a)? bych|potřebuji|voisitteko|haluaisin|tarvitsen|lütfen|пожалуйста|прошу|хочу|мне нужн)\b"
    r"|ください|お願い|请|請|麻烦|부탁|주세요",
    re.IGNORECASE,
)
_QUESTION_WORD = linear(
    r"\A\s{0,3}[-*•]?\s{0,3}(?:where|when|why|how (?:much|many|long|can|do|come)|what (?:is|are|do|about|happen)|which|who|is there|are there"
    r"|do you|did you|have you|wo ist|wo bleibt|wann|warum|wieso|wie (?:viel|lange|kann|hoch)|quand|où|pourquoi|combien"
    r"|cuándo|dónde|por qué|cuánto|quando|dove|perché|quanto)\b.{8,}",
    re.IGNORECASE,
)
_POLITE_ONLY = linear(
    r"\W{0,3}(?:please (?:let me know|feel free|do not hesitate|find attached|see attached|see below).{0,60}|thank you.{0,40}"
    r"|looking forward to (?:hearing|your).{0,60})\W{0,3}$",
    re.IGNORECASE,
)


def asks_in(text: str, subject: str) -> tuple[str, ...]:
    """Return what a mail asks for: in its text, or else in its subject.

    A text too long to be judged goes to a person whole; nobody drafts an answer to it.
    """
    if max(len(text), len(subject)) > LONGEST_JUDGED:
        return ()
    return asks_of(text) or asks_of(subject)


def asks_of(text: str) -> tuple[str, ...]:
    """Return the questions and requests of a text, verbatim but for white space, in order, once each."""
    found: dict[str, None] = {}
    for match in _SENTENCE.finditer(_unwrapped(text)):
        sentence = " ".join(match.group().split())
        if len(sentence) > 5 and _is_ask(sentence):  # noqa: PLR2004 - "Hm??" asks nothing
            found.setdefault(sentence[:LONGEST])
        if len(found) == MAX_ASKS:
            break
    return tuple(found)


def _unwrapped(text: str) -> str:
    """Join lines that a mail program wrapped: a long line followed by more of the paragraph."""
    return _WRAP.sub(" ", text)


def _is_ask(sentence: str) -> bool:
    if _QUESTION.search(sentence):
        return True
    if _POLITE_ONLY.match(sentence):
        return False
    return bool(_REQUEST.search(sentence) or _QUESTION_WORD.match(sentence))
