"""The words of a question that carry it: folded, stemmed, without courtesy and stop words.

One reading for whoever compares questions with texts: the retrieval, and the rules specialist,
which answers from a record only when nothing else is asked for. Stems are Snowball's, stop words
those of the retrieval library and ``plain_words.toml``. Negations carry nothing here and are asked
for apart (``negated``), for they turn a question round.
"""

import logging
import tomllib
from functools import cache, lru_cache
from importlib import resources

import snowballstemmer
from bm25s import stopwords

from swarm.safety.words import words_of

logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets itself to talk at its import

_ALGORITHMS = {
    "en": ("english", stopwords.STOPWORDS_EN_PLUS),
    "de": ("german", stopwords.STOPWORDS_GERMAN),
    "fr": ("french", stopwords.STOPWORDS_FRENCH),
    "es": ("spanish", stopwords.STOPWORDS_SPANISH),
    "it": ("italian", stopwords.STOPWORDS_ITALIAN),
    "nl": ("dutch", stopwords.STOPWORDS_DUTCH),
    "pt": ("portuguese", stopwords.STOPWORDS_PORTUGUESE),
}
_SHORTEST = 2  # letters; one alone says nothing


def terms(text: str, language: str) -> tuple[str, ...]:
    """Return the stems that carry a text, in order; a language nobody here reads has none."""
    if language not in _ALGORITHMS:
        return ()
    plain = _plain(language)
    return tuple(
        stem(word.text, language)
        for word in words_of(text)
        if len(word.text) >= _SHORTEST and not word.text.isdigit() and word.text not in plain
    )


def stem(folded: str, language: str) -> str:
    """Return the stem of one folded word."""
    return _stem(folded, language)


def negated(text: str, language: str) -> bool:
    """Whether a text says "not" anywhere."""
    return says_one_of("negations", text, language)


def says_one_of(table: str, text: str, language: str) -> bool:
    """Whether a word of a text stands in a table of ``plain_words.toml``."""
    listed = _table(table, language)
    return any(word.text in listed for word in words_of(text))


@lru_cache(maxsize=20_000)
def _stem(folded: str, language: str) -> str:
    # A stemmer of its own for each word: one keeps its word in itself and is no use to two threads.
    return str(snowballstemmer.stemmer(_ALGORITHMS[language][0]).stemWord(folded))


@cache
def _plain(language: str) -> frozenset[str]:
    """Every word that carries nothing; a negation is asked for apart and no word of a text."""
    listed = f"{' '.join(_ALGORITHMS[language][1])} {_listed('plain', language)}"
    return _folded(listed) | _table("negations", language)


@cache
def _table(table: str, language: str) -> frozenset[str]:
    return _folded(_listed(table, language))


def _folded(words: str) -> frozenset[str]:
    # Word by word: letters in a row would be read as one spaced word.
    return frozenset(found.text for word in words.split() for found in words_of(word))


def _listed(table: str, language: str) -> str:
    lists = _lists()
    return str(lists[table].get(language, ""))


@cache
def _lists() -> dict[str, dict[str, str]]:
    text = (resources.files("swarm.knowledge") / "plain_words.toml").read_text("utf-8")
    return tomllib.loads(text)
