"""Questions and requests in a mail: what a reply must take up. Heuristics in several languages.

A miss costs the reviewers a look at an unanswered ask, a false find a needless sentence; both are
reviewed by a person, so the list is broad rather than strict.
"""

# ruff: noqa: E501, RUF001 - word lists of many languages, one group a line

import re
from collections.abc import Iterator

from swarm.models import LONGEST_JUDGED
from swarm.patterns import linear

MAX_ASKS = 20
LONGEST = 400
_FEWEST_WORDS = 3

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
# How a question or request begins, where another one may stand before it.
_HEAD = (
    r"(?:where|when|why|how|what|which|who|is|are|do|does|did|can|could|would|will|have|has|please|kindly|let me|tell me|send me|i (?:need|want|would)"
    r"|wo|wann|warum|wieso|wie|was|welche[rsn]?|wer|ist|sind|haben|hat|können|könnten|kann|würden|wird|werden|bitte|schicken|senden"
    r"|où|quand|pourquoi|comment|quel(?:le)?s?|est-ce|combien|pouvez|pourriez|peut|puis-je|avez|veuillez|merci de"
    r"|dónde|cuándo|por qué|cómo|cuál(?:es)?|qué|cuánto|puede|podría|pueden|podrían|hay"
    r"|dove|quando|perché|come|quale|quali|quanto|cosa|può|potete|potrebbe|potreste|avete"
    r"|waar|wanneer|waarom|hoe|wat|welke|kunt|kun|kan|zou|hebben|heeft|wilt"
    r"|onde|porquê|como|qual|quais|pode|poderia|podem|poderiam)"
)
_ALSO = r"(?:(?:also|auch|aussi|también|anche|ook|também)\s)?"
_AND = r"(?:and|und|et|y|e|en|ed|or|oder|ou|o|of)"
_JOINT = linear(
    rf"(?:\s{{0,3}}[,;/]\s{{0,3}}(?:{_AND}\s{{1,3}})?{_ALSO}|\s{_AND}\s{_ALSO})(?=[¿]?{_HEAD}\b)",
    re.IGNORECASE,
)
_BEGINS_ASKING = linear(rf"[\W_]{{0,3}}{_HEAD}\b", re.IGNORECASE)
# "when and how it will arrive" is one question with two words for it.
_HALF = linear(
    r"\b(?:where|when|why|how|what|which|who|wo|wann|warum|wie|was|où|quand|pourquoi|comment|dónde|cuándo|cómo|qué|dove|quando|come|waar|wanneer|hoe|wat|onde|como)\Z",
    re.IGNORECASE,
)
_CONDITION = linear(
    r"\W{0,3}(?:if|once|since|because|as soon|in case|when (?!will|is|are|can|could|do|does|did|would|should|has|have)"
    r"|wenn|falls|sobald|weil|da|si|lorsque|comme|cuando (?!se|va|voy|ll)|se|als|zodra|omdat|caso)\b",
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
        for ask in _asks_in(" ".join(match.group().split())):
            found.setdefault(ask[:LONGEST])
        if len(found) >= MAX_ASKS:
            break
    return tuple(found)[:MAX_ASKS]


def _asks_in(sentence: str) -> Iterator[str]:
    """Yield the asks of a sentence: two questions in one are two, a remark before one is none."""
    if len(sentence) <= 5 or not _is_ask(sentence):  # noqa: PLR2004 - "Hm??" asks nothing
        return
    parts = _parts(sentence)
    asked = [part for part in parts if _is_ask(part) or _BEGINS_ASKING.match(part)]
    # No part that asks by itself: the sentence asks as a whole.
    yield from asked or [sentence]


def _parts(sentence: str) -> list[str]:
    """Cut a sentence at its joints; never so that a part is too short to ask anything."""
    parts, start = list[str](), 0
    for joint in _JOINT.finditer(sentence):
        head, tail = sentence[start : joint.start()], sentence[joint.end() :]
        if _CONDITION.match(head) or _HALF.search(head):
            continue
        if min(_words(head), _words(tail)) < _FEWEST_WORDS:
            continue
        parts.append(head)
        start = joint.end()
    return [*parts, sentence[start:]]


def _words(text: str) -> int:
    return len(text.split())


def _unwrapped(text: str) -> str:
    """Join lines that a mail program wrapped: a long line followed by more of the paragraph."""
    return _WRAP.sub(" ", text)


def _is_ask(sentence: str) -> bool:
    if _QUESTION.search(sentence):
        return True
    if _POLITE_ONLY.match(sentence):
        return False
    return bool(_REQUEST.search(sentence) or _QUESTION_WORD.match(sentence))
