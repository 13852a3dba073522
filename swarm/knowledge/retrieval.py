"""Which snippets answer a question: BM25 ranks, and two shares decide whether any does.

A BM25 score says which text is nearest, never whether it is near: it depends on the collection.
What is asked about a snippet therefore are two shares that mean the same in every collection:

* *asked*: how much of the question the snippet speaks of (its words, each weighed by how rare it is
  among the snippets; one it does not have weighs most, for it is what else is asked about);
* *meant*: how much of the title, or of one example wording, the question says.

A snippet answers when both reach their threshold. The same words may ask something else, so of a
wording are asked besides: that it turns as the question does (why, how much, not), and, where one
word alone is common to both, that the whole sentences are alike ("how can I pay", "must I pay").
Measured by ``bench/knowledge_retrieval.py`` and, on everyday mail, ``bench/draft_sample.py``.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from swarm.knowledge.snippet import Snippet
from swarm.knowledge.terms import says_one_of, terms
from swarm.safety.words import words_of

ASKED = 0.6
MEANT = 0.6
MOST = 2  # snippets for one question
LONGEST_QUESTION = 400  # characters looked at

_FEWEST = 20  # snippets below which rarity is taken as of so many
_ALIKE = 0.5
_TURNS = ("reasons", "amounts", "negations")


@dataclass(frozen=True, slots=True)
class Match:
    """A snippet with the two shares that let it answer, and its rank among all."""

    snippet: Snippet
    text: str
    asked: float
    meant: float
    score: float

    @property
    def answers(self) -> bool:
        """Whether it may be said to answer the question."""
        return self.asked >= ASKED and self.meant >= MEANT


@dataclass(frozen=True, slots=True)
class _Entry:
    snippet: Snippet
    text: str
    words: frozenset[str]
    wordings: tuple["_Wording", ...]


@dataclass(frozen=True, slots=True)
class _Wording:
    """A question, or the example of one: what carries it, all its words, and how it turns."""

    words: frozenset[str]
    all: frozenset[str]
    turns: frozenset[str]

    def alike(self, other: "_Wording") -> bool:
        """Whether both ask in one way; see the module."""
        if self.turns != other.turns:
            return False
        both = self.all & other.all
        return len(self.words & other.words) > 1 or len(both) >= _ALIKE * len(self.all | other.all)


class Index:
    """The snippets, by language: each question is asked only among texts in its language."""

    def __init__(self, snippets: Sequence[Snippet]) -> None:
        self._shelves = {
            language: _Shelf([s for s in snippets if language in s.texts], language)
            for language in {language for snippet in snippets for language in snippet.texts}
        }

    def find(self, question: str, language: str, at: datetime) -> tuple[Match, ...]:
        """Return what answers, best first, at most ``MOST``; expired ones never."""
        return tuple(m for m in self.nearest(question, language, at) if m.answers)[:MOST]

    def nearest(self, question: str, language: str, at: datetime) -> tuple[Match, ...]:
        """Return every snippet in force that shares a word with the question, nearest first."""
        shelf = self._shelves.get(language)
        if shelf is None:
            return ()
        asked = question[:LONGEST_QUESTION]
        return tuple(m for m in shelf.matches(asked, language) if m.snippet.valid_at(at))


class _Shelf:
    """The snippets of one language under BM25."""

    def __init__(self, snippets: Sequence[Snippet], language: str) -> None:
        self._entries = [_entry(snippet, language) for snippet in snippets]
        self._weights = _weights([entry.words for entry in self._entries])
        self._unknown = _rarity(0, len(self._entries))
        import bm25s  # noqa: PLC0415 - with scipy 0.2 s and 28 MB, in processes that answer nothing too

        self._ranking = bm25s.BM25()
        texts = [list(_all_terms(entry, language)) or [""] for entry in self._entries]
        self._ranking.index(texts, show_progress=False)

    def matches(self, question: str, language: str) -> list[Match]:
        asked = _wording(question, language)
        words = asked.words
        if not words:
            return []
        scores = self._ranking.get_scores(list(terms(question, language)))
        found = [
            Match(
                snippet=entry.snippet,
                text=entry.text,
                asked=self._asked(words, entry),
                meant=max((self._meant(each, asked) for each in entry.wordings), default=0.0),
                score=float(score),
            )
            for entry, score in zip(self._entries, scores, strict=True)
            if words & entry.words
        ]
        return sorted(found, key=lambda m: (-m.meant * m.asked, -m.score, m.snippet.id))

    def _asked(self, words: frozenset[str], entry: _Entry) -> float:
        found = sum(self._weight(word) for word in words & entry.words)
        return found / (found + self._unknown * len(words - entry.words))

    def _meant(self, wording: _Wording, asked: _Wording) -> float:
        return self._share(wording.words, asked.words) if wording.alike(asked) else 0.0

    def _share(self, whole: frozenset[str], of: frozenset[str]) -> float:
        total = sum(self._weight(word) for word in whole)
        return sum(self._weight(word) for word in whole & of) / total if total else 0.0

    def _weight(self, word: str) -> float:
        return self._weights.get(word, self._unknown)


def _entry(snippet: Snippet, language: str) -> _Entry:
    text = snippet.texts[language]
    wordings = tuple(
        wording
        for said in (snippet.title, *snippet.questions)
        if (wording := _wording(said, language)).words
    )
    words = frozenset(terms(text, language)).union(*(wording.words for wording in wordings))
    return _Entry(snippet, text, words, wordings)


def _wording(said: str, language: str) -> _Wording:
    turns = frozenset(table for table in _TURNS if says_one_of(table, said, language))
    everything = frozenset(word.text for word in words_of(said))
    return _Wording(frozenset(terms(said, language)), everything, turns)


def _all_terms(entry: _Entry, language: str) -> tuple[str, ...]:
    said = " \n".join((entry.snippet.title, *entry.snippet.questions, entry.text))
    return terms(said, language)


def _weights(texts: Sequence[frozenset[str]]) -> Mapping[str, float]:
    """Weigh each word by how few of the texts have it (the idf of BM25, never below nothing)."""
    counts = Counter(word for words in texts for word in words)
    return {word: _rarity(n, len(texts)) for word, n in counts.items()}


def _rarity(texts_with_it: int, texts: int) -> float:
    """Weigh a word as BM25 does; of a handful of texts none can say what is rare."""
    others = max(texts, _FEWEST) - texts_with_it
    return math.log(1 + (others + 0.5) / (texts_with_it + 0.5))
