"""Matching words against a lexicon: exact, by stem, undoing leet digits and one typing mistake.

Cost: each word is looked up once per distinct shape; a phrase is tried only where its first word
stands and looks at most a few words ahead. Both bounds are constants, so time grows linearly.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from swarm.safety.lexicon import END, Lexicon, Phrase, Slot, word_class
from swarm.safety.words import Word

WITHIN = 20  # words between the parts of a "&&" phrase
_FUZZY_FROM, _FUZZY_TO = 6, 18  # a mistake in a short word makes another word of it
_LEET = str.maketrans("0134578@$", "oieastbas")
_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase found in a text, from character ``start`` to ``end``."""

    phrase: Phrase
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Place:
    first: int
    last: int


class Matcher:
    """A lexicon made ready for searching. Stateless but for its cache of word shapes."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._shapes: dict[str, frozenset[str]] = {}
        self._order = {id(phrase): number for number, phrase in enumerate(lexicon.phrases)}
        self._starts = _index(lexicon.phrases)
        self._idiom_starts = _index(lexicon.idioms)

    def hits(self, words: Sequence[Word], *, every: bool = False) -> tuple[Hit, ...]:
        """Find the phrases of the lexicon: one hit per phrase and sentence, or ``every`` one."""
        entries = [self._entries_of(word.text) for word in words]
        for phrase, place in _places(self._idiom_starts, words, entries):
            if len(phrase.parts) == 1:
                entries[place.first : place.last + 1] = [_NOTHING] * (place.last - place.first + 1)
        found: dict[tuple[int, int], list[_Place]] = defaultdict(list)
        for phrase, place, part in _places_with_part(self._starts, words, entries):
            found[self._order[id(phrase)], part].append(place)
        return tuple(self._assemble(words, found, every=every))

    def _assemble(
        self,
        words: Sequence[Word],
        found: dict[tuple[int, int], list[_Place]],
        *,
        every: bool,
    ) -> Iterator[Hit]:
        # Of thousands of phrases a text has a handful: only these are gone through, in their order.
        for number in sorted(number for number, part in found if part == 0):
            phrase = self._lexicon.phrases[number]
            others = [found.get((number, part), []) for part in range(1, len(phrase.parts))]
            seen: set[int] = set()
            for place in found[number, 0]:
                sentence = words[place.first].sentence
                if (sentence in seen and not every) or not all(
                    _near(place, rest, words, across=phrase.across) for rest in others
                ):
                    continue
                seen.add(sentence)
                yield Hit(phrase, words[place.first].start, words[place.last].end)

    def _entries_of(self, word: str) -> frozenset[str]:
        known = self._shapes.get(word)
        if known is None:
            known = self._look_up(word)
            if len(self._shapes) < 200_000:  # noqa: PLR2004 - bounds memory, about 40 MB
                self._shapes[word] = known
        return known

    def _look_up(self, word: str) -> frozenset[str]:
        for reading in _readings(word):
            entries = self._plain(reading)
            if entries:
                return entries
        if _FUZZY_FROM - 1 <= len(word) <= _FUZZY_TO and word.isalpha():
            return self._one_mistake_away(word)
        return _NOTHING

    def _plain(self, word: str) -> frozenset[str]:
        lexicon = self._lexicon
        entries = {word} if word in lexicon.exact else set()
        for length in range(lexicon.shortest_stem, min(len(word), lexicon.longest_stem) + 1):
            if word[:length] in lexicon.stems:
                entries.add(word[:length] + "*")
        return frozenset(entries)

    def _one_mistake_away(self, word: str) -> frozenset[str]:
        found: set[str] = set()
        for variant in _deletions(word):
            found |= self._by_deletion.get(variant, set())
        for length in range(_FUZZY_FROM - 1, min(len(word), _FUZZY_TO) + 1):
            for variant in _deletions(word[:length]):
                found |= self._stems_by_deletion.get(variant, set())
        return frozenset(found)

    @cached_property
    def _by_deletion(self) -> dict[str, set[str]]:
        return _deletion_index((w, w) for w in self._mistyped if w in self._lexicon.exact)

    @cached_property
    def _stems_by_deletion(self) -> dict[str, set[str]]:
        return _deletion_index(
            (w[:-1], w) for w in self._mistyped if w[:-1] in self._lexicon.stems and w[-1] == "*"
        )

    @cached_property
    def _mistyped(self) -> frozenset[str]:
        """Words whose misspelling is worth undoing; all others have everyday neighbours."""
        words = word_class("mistyped", "matching")
        return frozenset(w for w in words if len(w.rstrip("*")) >= _FUZZY_FROM)


_Start = tuple[Phrase, int, tuple[Slot, ...]]


def _index(phrases: Sequence[Phrase]) -> dict[str, list[_Start]]:
    index: dict[str, list[_Start]] = defaultdict(list)
    for phrase in phrases:
        for number, part in enumerate(phrase.parts):
            for entry in part[0].entries:
                index[entry].append((phrase, number, part))
    return index


def _places(
    starts: dict[str, list[_Start]], words: Sequence[Word], entries: Sequence[frozenset[str]]
) -> Iterator[tuple[Phrase, _Place]]:
    for phrase, place, _ in list(_places_with_part(starts, words, entries)):
        yield phrase, place


def _places_with_part(
    starts: dict[str, list[_Start]], words: Sequence[Word], entries: Sequence[frozenset[str]]
) -> Iterator[tuple[Phrase, _Place, int]]:
    for position, known in enumerate(entries):
        for entry in known:
            for phrase, part, slots in starts.get(entry, ()):
                last = _follow(slots, position, words, entries)
                if last is not None:
                    yield phrase, _Place(position, last), part


def _follow(
    slots: Sequence[Slot], position: int, words: Sequence[Word], entries: Sequence[frozenset[str]]
) -> int | None:
    """Last word of the earliest way through the slots from ``position``; None: no way."""
    sentence = words[position].sentence
    reached = {position}
    for slot in slots[1:]:
        if END in slot.entries:
            reached = {at for at in reached if _ends_sentence(words, at)}
            continue
        ahead: set[int] = set()
        for at in reached:
            stop = min(at + slot.gap + 2, len(words))
            for candidate in range(at + 1, stop):
                if words[candidate].sentence != sentence:
                    break
                if not entries[candidate].isdisjoint(slot.entries):
                    ahead.add(candidate)
        reached = ahead
        if not reached:
            return None
    return min(reached, default=None)


def _ends_sentence(words: Sequence[Word], at: int) -> bool:
    return at + 1 == len(words) or words[at + 1].sentence != words[at].sentence


def _near(place: _Place, others: Sequence[_Place], words: Sequence[Word], *, across: bool) -> bool:
    """Whether one of ``others``, in text order, stands near. Bisected: hostile text has many."""
    sentence = words[place.first].sentence
    begin = bisect_left(others, place.first - 2 * WITHIN, key=lambda other: other.first)
    for other in islice(others, begin, None):
        if other.first - place.last > WITHIN:
            return False
        together = across or words[other.first].sentence == sentence
        if together and place.first - other.last <= WITHIN:
            return True
    return False


def _readings(word: str) -> Iterator[str]:
    yield word
    if not word.isalpha() and any(c.isalpha() for c in word):
        plain = word.translate(_LEET)
        yield plain
        yield word.translate(_LEET).replace("i", "l")
    squeezed = "".join(c for i, c in enumerate(word) if i == 0 or word[i - 1] != c)
    if squeezed != word and any(word[i] == word[i - 1] == word[i - 2] for i in range(2, len(word))):
        yield squeezed


def _deletions(word: str) -> Iterator[str]:
    yield word
    for i in range(1, len(word)):  # the first letter is seldom mistyped
        yield word[:i] + word[i + 1 :]


def _deletion_index(pairs: Iterator[tuple[str, str]]) -> dict[str, set[str]]:
    index: dict[str, set[str]] = defaultdict(set)
    for shape, entry in pairs:
        for variant in _deletions(shape):
            index[variant].add(entry)
    return index
