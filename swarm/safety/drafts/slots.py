"""Names of what is to be filled in, standing alone between marks or run together.

Marks of any kind: "(your name)", "«Name»", "#NAME"; ``orderNumber``. The words decide, not the
marks: what is in brackets or quotes and says something else is text.
"""

import re

from swarm.patterns import linear
from swarm.safety.lexicon import word_class
from swarm.safety.words import words_of

_OPENS = r"[(\u00ab\u2039\u201c\u201d\u201e\u201a\u2018\u2019\"'<\[{=^~|#\u00a7&*]{1,2}"
_CLOSES = r"[)\u00bb\u203a\u201c\u201d\u201f\u2018\u2019\"'>\]}=^~|#\u00a7&*?]{1,2}"
_MARKED = linear(
    # An apostrophe within a word ("l'adresse de l'expéditeur") is no mark.
    rf"(?<![^\W\d_]){_OPENS}[ \t]{{0,2}}(?P<what>[^\W\d_][\w '.\u2019-]{{1,40}})"
    rf"[ \t]{{0,2}}{_CLOSES}"
    r"(?![^\W\d_])"
    r"|(?<!\w)[#$@&]{1,2}(?P<sign>[A-Za-z]{3,20})\b"
)
# The name of a field that is spoken of: leave the field "Name" empty.
_FIELD = linear(
    r"\b(?:field|box|column|feld|spalte|champ|case|campo|casella|veld)[ \t]{0,3}$", re.IGNORECASE
)
_HUMPED = linear(r"\b[A-Za-z][a-z]{1,20}(?:[A-Z][a-z]{1,20}){1,3}\b")
_HUMP = linear(r"[A-Z]?[a-z]{1,24}")
_SLOT = frozenset(word_class("slot", "drafts"))
_BESIDE = frozenset(word_class("slotlead", "drafts"))
_MOST = 4  # words


def marked_slot(text: str) -> bool:
    """Whether what is to be filled in stands between marks: "(your name)"."""
    marked = (one for one in _MARKED.finditer(text) if not _FIELD.search(text[: one.start()][-16:]))
    found = (one["what"] or one["sign"] for one in marked)
    return any(_only_slots([word.text for word in words_of(what)]) for what in found)


def humped_slot(text: str) -> bool:
    """Whether a variable stands in the text: ``orderNumber``."""
    return any(
        _only_slots([part.lower() for part in _HUMP.findall(word)])
        for word in _HUMPED.findall(text)
    )


def _only_slots(words: list[str]) -> bool:
    known = all(word in _SLOT or word in _BESIDE for word in words)
    return known and 0 < len(words) <= _MOST and not _SLOT.isdisjoint(words)
