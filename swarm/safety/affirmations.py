"""Where a draft says yes or no to what the customer wrote: it states their sentence as its own.

"That is correct" holds no figure and no status, and yet says whatever it answers. Found are clauses
that are nothing but a yes or a no, and the turns of ``lexicon/affirmations.txt``. Whether one is
carried by evidence is asked in ``rules/affirming.py``. A question affirms nothing, nor does a
condition ("if that is correct").
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from swarm.patterns import linear
from swarm.safety.doubt import doubts
from swarm.safety.lexicon import load, word_class
from swarm.safety.matching import Hit, Matcher
from swarm.safety.words import Word, fold, words_of

AFFIRMS, CONFIRMS, DENIES = "affirmation", "confirmation", "denial"


class Affirmation(NamedTuple):
    """What affirms, confirms or denies at ``start:end``, within the sentence ``first:last``."""

    start: int
    end: int
    kind: str
    first: int
    last: int


_CLAUSE = linear(r"[^,.;:!?\u2026\n()\"\u201c\u201d\u201e\u00ab\u00bb\u2013\u2014|]{1,120}")
_SENTENCE = linear(r"[^.!?\u2026\n]{1,4000}[.!?\u2026]{0,3}")
_SIGN = linear(r"[\U0001f44d\U0001f44c\u2705\u2714\u2611\U0001f197\U0001f44e\u274c\u2716\u274e]")
_CONTRADICTING_SIGN = linear(r"[\U0001f44e\u274c\u2716\u274e]")
_MARK = linear(r"[,;:.!?\u2013\u2014]")
_SOURCE = "affirmations"
_YES, _NO = frozenset(word_class("yes", _SOURCE)), frozenset(word_class("no", _SOURCE))
_POLITE = frozenset(word_class("politeyes", _SOURCE))  # affirm when nothing else is said
_BESIDE = frozenset(word_class("besideyes", _SOURCE))
_OPENS_YES = frozenset(word_class("openingyes", _SOURCE))  # whatever follows
_OPENS_NO = frozenset(word_class("openingno", _SOURCE))
_NEGATING = frozenset(word_class("not", _SOURCE)) - {"without", "none", "sans", "sin", "senza"}
_UNABLE = _NEGATING | {"unable", "yet", "ne"}
_WIDEST = 24  # words a phrase may span, and some behind it
_NEAR = 20  # characters: a list mark and its blanks
_DOUBT_WITHIN, _NEGATED_WITHIN, _NEGATED_AFTER = 2, 3, 2


def affirmations(text: str) -> tuple[Affirmation, ...]:
    """Find what says yes or no to the customer, in order of place."""
    sentences = [found.span() for found in _SENTENCE.finditer(text)]
    found = sorted({*_bare(text), *_turns(text)})
    return tuple(
        Affirmation(start, end, kind, first, last)
        for start, end, kind in found
        for first, last in (sentences[bisect_right(sentences, (start, len(text))) - 1],)
        if not _asks(text, first, last, start, end)
    )


def _asks(text: str, first: int, last: int, start: int, end: int) -> bool:
    """A question affirms nothing, unless it begins by doing so: "Yes, and may we ask ...?"."""
    if not text[first:last].endswith("?"):
        return False
    opens = start - first <= _NEAR and not text[first:start].strip(" \t-*")
    return not (opens and text[end : end + 1] in (",", ":", ";", "-", "\u2013", "\u2014"))


def _bare(text: str) -> Iterator[tuple[int, int, str]]:
    for sign in _SIGN.finditer(text):
        contradicts = _CONTRADICTING_SIGN.match(sign.group()) is not None
        yield sign.start(), sign.end(), DENIES if contradicts else AFFIRMS
    for clause in _CLAUSE.finditer(text):
        words = words_of(clause.group())
        whole = _is_a_sentence(text, clause.start(), clause.end())
        kind = _said_alone([word.text for word in words], whole=whole)
        if kind:
            at = clause.start()
            yield at + words[0].start, at + words[-1].end, kind


def _is_a_sentence(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - _NEAR) : start].rstrip(" \t-*"), text[end : end + 1]
    return before[-1:] in ("", ".", "!", "?", "\n", "\u2026", ":") and after in ("", ".", "!", "\n")


def _said_alone(words: Sequence[str], *, whole: bool) -> str:
    said = {"_".join(words), "_".join(word for word in words if word not in _BESIDE)}
    opening = words[0] if words else ""
    if said & _NO or opening in _OPENS_NO:
        return DENIES
    if said & _YES or opening in _OPENS_YES or (whole and said & _POLITE):
        return AFFIRMS
    return ""


def _turns(text: str) -> Iterator[tuple[int, int, str]]:
    words = words_of(text)
    places = {word.start: number for number, word in enumerate(words)}
    for hit in _matcher().hits(words, every=True):
        at = places[hit.start]
        kind = _kind(hit, words, at)
        if kind and not _doubted(text, words, at):
            yield hit.start, hit.end, kind


def _kind(hit: Hit, words: Sequence[Word], at: int) -> str:
    """A negated yes is a no; what cannot be confirmed is neither."""
    sentence = words[at].sentence
    before = words[max(0, at - _NEGATED_WITHIN) : at]
    ahead = words[at : at + _WIDEST]
    near = [w for w in before if w.sentence == sentence]
    near += [w for w in ahead if w.start < hit.end]
    after = [w for w in ahead if w.start >= hit.end and w.sentence == sentence]
    if hit.phrase.family == CONFIRMS:
        return "" if any(w.text in _UNABLE for w in near) else CONFIRMS
    near += after[:_NEGATED_AFTER]  # "das stimmt nicht"
    return DENIES if any(w.text in _NEGATING for w in near) else hit.phrase.family


def _doubted(text: str, words: Sequence[Word], at: int) -> bool:
    """A condition right before, and no mark between: "whether that is correct"."""
    return any(
        words[n].sentence == words[at].sentence
        and doubts(words, n)
        and not _MARK.search(text, words[n].end, words[at].start)
        for n in range(max(0, at - _DOUBT_WITHIN), at)
    )


def said_alike(sentence: str, quote: str) -> bool:
    """Whether a quote says a sentence, white space and case apart."""
    return " ".join(fold(sentence).split()) in " ".join(fold(quote).split())


@cache
def _matcher() -> Matcher:
    return Matcher(load("affirmations"))
