"""Lexicons: readable text files of phrases, and their compilation into something to match against.

Grammar of a file (``detectors/lexicon/*.txt``), one phrase a line (or several, between `` / ``):

    [legal: announces legal action]      heading: escalation class (or family), colon, why
    take|taking ~3 legal action|steps    words in order; ``|`` or, ``~3`` up to 3 words between
    {not} ~2 authori*                    ``{name}`` a word class from words.txt, ``*`` any ending
    {mine} && recogni*                   both, in either order, in one sentence, 20 words apart
    {event} &&& i didnt $                &&& also across sentences; $ the end of a sentence
    ? lawyer*                            only a topic: half the weight; two different ones make one,
                                         or one that stands where the learned detector leans
    [idiom: figure of speech]            matched words mean nothing: they are struck out first

Matching lives in ``matching.py``; what a class entails lives in ``detectors/``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from swarm.patterns import linear

STRONG, WEAK = 1.0, 0.5
END = "$"
_TOGETHER = linear("&&&?")
_FOLDED = linear(r"[a-z0-9]{1,64}\*?")
_SLOT = linear(r"~(\d+)|(\S+)")


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of a phrase: any of ``entries``, at most ``gap`` words after the one before it."""

    entries: frozenset[str]
    gap: int


Sequence = tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A line of a lexicon: fires when each of its sequences is found near the others."""

    family: str
    label: str
    weight: float
    parts: tuple[Sequence, ...]
    across: bool
    source: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Compiled phrases with the vocabulary they need."""

    phrases: tuple[Phrase, ...]
    idioms: tuple[Phrase, ...]
    exact: frozenset[str]
    stems: frozenset[str]
    shortest_stem: int
    longest_stem: int


def load(*names: str) -> Lexicon:
    """Compile the named packaged files into one lexicon; raises ``ValueError`` on a bad line."""
    return _load(names)


@cache
def _load(names: tuple[str, ...]) -> Lexicon:
    phrases = tuple(phrase for name in names for phrase in parse(packaged(f"{name}.txt"), name))
    return compile_lexicon(phrases)


def compile_lexicon(phrases: tuple[Phrase, ...]) -> Lexicon:
    """Collect the vocabulary of the phrases and set the idioms apart."""
    entries = {e for p in phrases for part in p.parts for slot in part for e in slot.entries}
    stems = frozenset(entry[:-1] for entry in entries if entry.endswith("*"))
    lengths = [len(stem) for stem in stems] or [0]
    return Lexicon(
        phrases=tuple(p for p in phrases if p.family != "idiom"),
        idioms=tuple(p for p in phrases if p.family == "idiom"),
        exact=frozenset(entry for entry in entries if not entry.endswith("*")),
        stems=stems,
        shortest_stem=min(lengths),
        longest_stem=max(lengths),
    )


def parse(text: str, source: str) -> Iterator[Phrase]:
    """Yield the phrases of a lexicon text."""
    family = label = ""
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.split("#", 1)[0].strip()
        if line.startswith("["):
            family, _, label = (part.strip() for part in line.strip("[]").partition(":"))
        else:
            for phrase in line.split(" / "):
                if phrase.strip():
                    yield _phrase(phrase.strip(), family, label, f"{source}:{number}")


def _phrase(line: str, family: str, label: str, source: str) -> Phrase:
    if not family or not label:
        raise ValueError(f"{source}: a phrase before the first heading, or a heading without why")
    weight = WEAK if line.startswith("?") else STRONG
    parts = tuple(_sequence(part, source) for part in _TOGETHER.split(line.lstrip("? ")))
    return Phrase(family, label, weight, parts, "&&&" in line, source)


def _sequence(text: str, source: str) -> Sequence:
    slots: list[Slot] = []
    gap = 0
    for skip, words in _SLOT.findall(text):
        if skip:
            gap = int(skip)
            continue
        slots.append(Slot(frozenset(_entries(words, source)), gap))
        gap = 0
    if not slots or gap:
        raise ValueError(f"{source}: a phrase needs words, and a gap needs a word after it")
    return tuple(slots)


def _entries(words: str, source: str) -> Iterator[str]:
    for word in words.split("|"):
        if word.startswith("{"):
            yield from word_class(word.strip("{}"), source)
        elif word == END or _FOLDED.fullmatch(word):
            yield word
        else:
            raise ValueError(f"{source}: {word!r} is not a folded word")


def word_class(name: str, source: str) -> tuple[str, ...]:
    """Return the words of ``{name}``; raises ``ValueError`` when words.txt has no such class."""
    try:
        return _word_classes()[name]
    except KeyError:
        raise ValueError(f"{source}: no word class {name!r} in words.txt") from None


@cache
def _word_classes() -> Mapping[str, tuple[str, ...]]:
    classes: dict[str, tuple[str, ...]] = {}
    for raw in packaged("words.txt").splitlines():
        name, equals, words = raw.split("#", 1)[0].partition("=")
        if equals:
            classes[name.strip()] = classes.get(name.strip(), ()) + tuple(words.split())
    return classes


@cache
def packaged(name: str) -> str:
    """Return a data file of this package as text; the only reading the safety rules do."""
    folder = resources.files("swarm.safety").joinpath("detectors", "lexicon")
    return folder.joinpath(name).read_text(encoding="utf-8")
